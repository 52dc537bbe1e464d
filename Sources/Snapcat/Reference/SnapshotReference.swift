import SnapcatFormat
import SnapcatPlatform

/// How a user names a snapshot (CLI.md, "References to snapshots").
public enum SnapshotReference: Equatable, Sendable {
    /// The newest, or the one so many before it.
    case latest(back: Int)
    case oldest
    /// The newest at or before a time.
    case time(SnapshotTime)
    /// A file name of a snapshot, or a prefix of it that names one only.
    case namePrefix(String)
    /// A `.jsonl.gz` anywhere.
    case file(String)
    /// The file root as it is now.
    case live

    package static let forms =
        "latest, latest~N, oldest, a time (2026-11-20, 2026-11-20T12:00:00Z, yesterday, 2d), a file name or its prefix, a path of a .jsonl.gz"

    /// Throws `.usage` for what is none of the forms, and for a local time that the zone skips or repeats.
    public static func parse(_ text: String, clock: any WallClock) throws(SnapcatError) -> SnapshotReference {
        switch text {
        case "latest": return .latest(back: 0)
        case "oldest": return .oldest
        case "live": return .live
        default: break
        }
        if text.hasPrefix("latest~") {
            guard let back = TimeText.digits(text.dropFirst(7)), let count = Int(exactly: back) else {
                throw unknown(text)
            }
            return .latest(back: count)
        }
        // A date form wins over a prefix of a name.
        if let time = try TimeText.parse(text, clock: clock) { return .time(time) }
        if text.hasSuffix(".jsonl.gz") {
            if let name = SnapshotName(fileName: text) { return .namePrefix(name.stem) }
            return .file(text)
        }
        guard isNamePrefix(text) else { throw unknown(text) }
        return .namePrefix(text)
    }

    private static func unknown(_ text: String) -> SnapcatError {
        SnapcatError(.usage, "Not a reference to a snapshot", text, advice: "use \(forms)")
    }

    /// Digits, dashes and underscores as they stand in a stem.
    private static func isNamePrefix(_ text: String) -> Bool {
        let pattern = Array("0000-00-00_00-00-00_000000Z".utf8)
        let bytes = Array(text.utf8)
        guard !bytes.isEmpty, bytes.count <= pattern.count else { return false }
        return zip(bytes, pattern).allSatisfy { byte, expected in
            expected == 48 ? (48...57).contains(byte) : byte == expected
        }
    }
}

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
    /// `latest`, `oldest` and a time never choose a damaged one; a name does. Throws `.noSnapshot` with the nearest
    /// ones where there is none, or where a prefix fits several.
    public func resolve(in candidates: [SnapshotCandidate]) throws(SnapcatError) -> SnapshotName {
        let good = candidates.filter { !$0.isDamaged }.map(\.name)
        switch self {
        case .latest(let back):
            guard back < good.count else {
                let there = good.isEmpty ? "there are no snapshots" : "there are only \(good.count), the oldest is \(good[0].stem)"
                throw notFound(reason: there)
            }
            return good[good.count - 1 - back]
        case .oldest:
            guard let first = good.first else { throw notFound(reason: "there are no snapshots") }
            return first
        case .time(let time):
            if let found = good.last(where: { $0.time <= time }) { return found }
            throw notFound(reason: good.first.map { "the oldest is \($0.stem)" } ?? "there are no snapshots")
        case .namePrefix(let prefix):
            let fitting = candidates.map(\.name).filter { $0.stem.hasPrefix(prefix) }
            if fitting.count == 1 { return fitting[0] }
            if fitting.isEmpty { throw notFound(reason: Self.nearest(prefix, candidates.map(\.name))) }
            let first = fitting.prefix(3).map(\.stem).joined(separator: ", ")
            throw notFound(reason: "it fits \(fitting.count) snapshots: \(first)\(fitting.count > 3 ? ", ..." : "")")
        case .file, .live:
            throw SnapcatError(.usage, "Not a snapshot of the repository", text)
        }
    }

    private static func nearest(_ prefix: String, _ names: [SnapshotName]) -> String {
        guard !names.isEmpty else { return "there are no snapshots" }
        let after = names.first { $0.stem > prefix }
        let before = names.last { $0.stem < prefix }
        return "the nearest: " + [before, after].compactMap { $0?.stem }.joined(separator: ", ")
    }

    private func notFound(reason: String) -> SnapcatError {
        SnapcatError(.noSnapshot, "No snapshot", text, reason: reason, advice: "see 'snapcat list'")
    }

    /// As the user may write it.
    public var text: String {
        switch self {
        case .latest(0): "latest"
        case .latest(let back): "latest~\(back)"
        case .oldest: "oldest"
        case .time(let time): time.iso8601
        case .namePrefix(let prefix): prefix
        case .file(let path): path
        case .live: "live"
        }
    }

    /// Splits `REF:FOLDER` or `REF:NAME`: the whole argument is tried as a reference first, else the longest prefix
    /// before a colon that is one. nil where there is none.
    package static func split(
        _ argument: [UInt8], isReference: (String) -> Bool
    ) -> (reference: String, rest: [UInt8]?)? {
        let whole = String(decoding: argument, as: UTF8.self)
        if isReference(whole) { return (whole, nil) }
        for colon in argument.indices.reversed() where argument[colon] == UInt8(ascii: ":") {
            let prefix = String(decoding: argument[..<colon], as: UTF8.self)
            if isReference(prefix) { return (prefix, Array(argument[(colon + 1)...])) }
        }
        return nil
    }
}
