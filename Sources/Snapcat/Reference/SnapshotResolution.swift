import SnapcatFormat
import SnapcatPlatform

/// A snapshot that a reference may name.
public struct SnapshotCandidate: Sendable, Equatable {
    public var name: SnapshotName
    public var isDamaged: Bool

    public init(name: SnapshotName, isDamaged: Bool) {
        self.name = name
        self.isDamaged = isDamaged
    }
}

extension SnapshotReference {
    /// The snapshot that is meant, of those given in the order of time.
    ///
    /// `latest`, `oldest` and a time never choose a damaged one; a name does. Throws `.noSnapshot` with the
    /// nearest ones where there is none, or where a prefix fits several; `.usage` for `.file` and `.live`, which
    /// are not among the snapshots of a repository.
    public func resolve(in candidates: [SnapshotCandidate]) throws(SnapcatError) -> SnapshotName {
        let good = candidates.filter { !$0.isDamaged }.map(\.name)
        switch self {
        case .latest(let back):
            guard good.indices.contains(back) else {
                throw notFound(reason: Self.reach(good, of: candidates))
            }
            return good[good.count - 1 - back]
        case .oldest:
            guard let first = good.first else { throw notFound(reason: Self.reach(good, of: candidates)) }
            return first
        case .time(let time):
            guard let found = good.last(where: { $0.time <= time }) else {
                throw notFound(reason: Self.reach(good, of: candidates))
            }
            return found
        case .namePrefix(let prefix):
            return try resolve(prefix: prefix, in: candidates.map(\.name))
        case .file, .live:
            throw SnapcatError(.usage, "Not a snapshot of the repository", text)
        }
    }

    private func resolve(prefix: String, in names: [SnapshotName]) throws(SnapcatError) -> SnapshotName {
        let fitting = names.filter { $0.stem.utf8.starts(with: prefix.utf8) }
        if fitting.count == 1 { return fitting[0] }
        if fitting.isEmpty { throw notFound(reason: Self.nearest(prefix, names)) }
        let first = fitting.prefix(3).map(\.stem) + (fitting.count > 3 ? ["..."] : [])
        throw notFound(reason: "it fits \(fitting.count) snapshots: \(first.joined(separator: ", "))")
    }

    /// How far the snapshots reach that a count or a time may choose.
    private static func reach(_ good: [SnapshotName], of candidates: [SnapshotCandidate]) -> String {
        let damaged = candidates.count - good.count
        guard let oldest = good.first else {
            return damaged == 0 ? "there are no snapshots" : "all snapshots are damaged (\(damaged))"
        }
        let kind = damaged == 0 ? "" : " undamaged"
        return "the oldest\(kind) of \(good.count) is \(oldest.stem)"
    }

    /// The ones just before and just after in the order of names.
    private static func nearest(_ prefix: String, _ names: [SnapshotName]) -> String {
        guard !names.isEmpty else { return "there are no snapshots" }
        let after = names.first { $0.stem > prefix }
        let before = names.last { $0.stem < prefix }
        return "the nearest: " + [before, after].compactMap { $0?.stem }.joined(separator: ", ")
    }

    private func notFound(reason: String) -> SnapcatError {
        SnapcatError(.noSnapshot, "No snapshot", text, reason: reason, advice: "see 'snapcat list'")
    }
}
