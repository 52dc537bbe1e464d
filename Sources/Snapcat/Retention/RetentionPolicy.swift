import SnapcatFormat
import SnapcatPlatform

/// Which snapshots are kept: what any of the rules keeps, is kept. A rule of 0, or without a value, keeps nothing.
public struct RetentionPolicy: Sendable, Equatable {
    /// The newest ones.
    public var last = 0
    /// The newest one of each of so many hours, days, weeks (from Monday), months, years that have one; by the clock of
    /// the local zone.
    public var hourly = 0
    public var daily = 0
    public var weekly = 0
    public var monthly = 0
    public var yearly = 0
    /// Those at most so much older than the newest one, in microseconds.
    public var withinMicroseconds: Int64?
    /// Those with one of these tags.
    public var tags: [String] = []
    /// Snapshots are judged apart where these differ: the host that made them, and the folder.
    public var groupsByHost = true
    public var groupsByFolder = true

    public init() {}

    var isEmpty: Bool {
        [last, hourly, daily, weekly, monthly, yearly].allSatisfy { $0 <= 0 } && withinMicroseconds == nil && tags.isEmpty
    }

    struct Candidate: Sendable, Equatable {
        var name: SnapshotName
        /// nil where it is not known, as without a companion.
        var fileRoot: [UInt8]?
        var host = ""
        var tags: [String] = []
        var isDamaged = false
        /// Its companion cannot be read: it may be of any file root, and have any tag.
        var hasDamagedCompanion = false
    }

    /// What is judged by itself: the snapshots of one folder by one host.
    struct Group: Hashable, Sendable {
        var host = ""
        /// nil where it is not known, or does not count.
        var fileRoot: [UInt8]?
    }

    /// Why each is kept; a name without a reason is not. Groups are judged apart, so that neither a rescue of another
    /// folder nor another machine with a folder of the same path counts for a day of this one.
    ///
    /// Kept whatever the rules: damaged ones, of which nothing is known, those with a damaged companion, of which no tag
    /// and no file root is known, and those of the future, which say that a clock has lied: by their side all others
    /// would look old.
    func reasons(_ candidates: [Candidate], clock: any WallClock) -> [SnapshotName: [String]] {
        var reasons = Dictionary(uniqueKeysWithValues: candidates.map { ($0.name, [String]()) })
        let now = SnapshotTime(microseconds: clock.nowNanoseconds / 1000 + Self.toleranceMicroseconds)
        var groups: [Group: [Candidate]] = [:]
        for candidate in candidates.sorted(by: { $0.name > $1.name }) {
            if candidate.isDamaged {
                reasons[candidate.name]?.append("damaged: only its name forgets it")
            } else if candidate.hasDamagedCompanion {
                reasons[candidate.name]?.append("companion damaged: only its name forgets it")
            } else if candidate.name.time > now {
                reasons[candidate.name]?.append("of the future: only its name forgets it")
            } else {
                groups[group(candidate), default: []].append(candidate)
            }
        }
        for group in groups.values {
            for (index, candidate) in group.prefix(max(0, last)).enumerated() {
                reasons[candidate.name]?.append("last \(index + 1)")
            }
            for period in RetentionPeriod.allCases {
                for (name, label) in period.newest(group.map(\.name), count: count(period), clock: clock) {
                    reasons[name]?.append(label)
                }
            }
            guard let newest = group.first?.name.time.microseconds else { continue }
            for candidate in group {
                if let within = withinMicroseconds, newest - candidate.name.time.microseconds <= within {
                    reasons[candidate.name]?.append("within")
                }
                reasons[candidate.name]? += tags.filter { candidate.tags.contains($0) }.map { "tag \($0)" }
            }
        }
        return reasons
    }

    /// A clock this much behind the newest snapshot is no lie.
    private static let toleranceMicroseconds: Int64 = 1_000_000

    /// Those of snapshooter tell no file root: they are a group of their own. Whose folder they are is not guessed: one that
    /// counted for another folder would cost all its snapshots.
    func group(_ candidate: Candidate) -> Group {
        Group(host: groupsByHost ? candidate.host : "", fileRoot: groupsByFolder ? candidate.fileRoot : nil)
    }

    private func count(_ period: RetentionPeriod) -> Int {
        switch period {
        case .hourly: hourly
        case .daily: daily
        case .weekly: weekly
        case .monthly: monthly
        case .yearly: yearly
        }
    }
}

/// The parts of time that snapshots are kept by, as the clock of the local zone shows them.
enum RetentionPeriod: String, CaseIterable {
    case hourly, daily, weekly, monthly, yearly

    /// The newest of each of the newest `count` periods; `names` from the newest to the oldest.
    func newest(_ names: [SnapshotName], count: Int, clock: any WallClock) -> [(SnapshotName, label: String)] {
        var result: [(SnapshotName, label: String)] = []
        var last: String?
        for name in names {
            if result.count >= count { break }
            let label = label(name.time, clock)
            if label != last { result.append((name, "\(rawValue) \(label)")) }
            last = label
        }
        return result
    }

    /// What two times have in common that are in one period. An hour that the local clock shows twice is two hours, a
    /// day of 23 or 25 hours is one day.
    func label(_ time: SnapshotTime, _ clock: any WallClock) -> String {
        let seconds = PythonNumber.floorDivide(time.microseconds, 1_000_000).quotient
        let offset = clock.localOffsetSeconds(at: seconds)
        let (days, rest) = PythonNumber.floorDivide(seconds + Int64(offset), 86_400)
        let date = CivilTime.date(days: Int(days))
        func day(_ date: (year: Int, month: Int, day: Int)) -> String { "\(month(date))-\(Self.pad(date.day))" }
        func month(_ date: (year: Int, month: Int, day: Int)) -> String { "\(date.year)-\(Self.pad(date.month))" }
        switch self {
        case .hourly: return "\(day(date)) \(Self.pad(Int(rest / 3600)))h\(LocalOffsets.name(offset))"
        case .daily: return day(date)
        case .weekly:
            // 1970-01-01 was a Thursday.
            let monday = PythonNumber.floorDivide(days + 3, 7).quotient * 7 - 3
            return "from \(day(CivilTime.date(days: Int(monday))))"
        case .monthly: return month(date)
        case .yearly: return "\(date.year)"
        }
    }

    private static func pad(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
}
