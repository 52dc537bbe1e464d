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
    /// A `.jsonl.gz` anywhere: a path or a URL.
    case file(String)
    /// The file root as it is now.
    case live

    package static let forms = """
        latest, latest~N, oldest, a time (2026-11-20, 2026-11-20T12:00:00Z, yesterday, 2d), \
        a file name or its prefix, a path of a .jsonl.gz
        """

    /// Reads the form; whether there is such a snapshot is for `resolve`.
    ///
    /// Throws `.usage` for what is none of the forms, for a local time that the zone skips or repeats, and for
    /// a time outside the years 1970 to 9999.
    public static func parse(
        _ text: String, clock: any WallClock
    ) throws(SnapcatError) -> SnapshotReference {
        switch text {
        case "latest": return .latest(back: 0)
        case "oldest": return .oldest
        case "live": return .live
        default: break
        }
        if text.utf8.starts(with: "latest~".utf8) {
            guard let back = TimeText.digits(text.dropFirst(7)), let count = Int(exactly: back) else {
                throw unknown(text)
            }
            return .latest(back: count)
        }
        // A date form wins over a prefix of a name.
        if let time = try TimeText.parse(text, clock: clock) { return .time(time) }
        if let prefix = namePrefix(text) { return .namePrefix(prefix) }
        guard isFile(text) else { throw unknown(text) }
        return .file(text)
    }

    private static func unknown(_ text: String) -> SnapcatError {
        SnapcatError(.usage, "Not a reference to a snapshot", text, advice: "use \(forms)")
    }

    /// The stem, or as much of it as `text` gives; nil where that cannot begin the file name of a snapshot.
    private static func namePrefix(_ text: String) -> String? {
        let stem = text.utf8.prefix(SnapshotName.stemForm.count)
        let suffix = text.utf8.dropFirst(stem.count)
        guard !stem.isEmpty, SnapshotName.isStemPrefix(stem),
            SnapshotName.fileSuffix.utf8.starts(with: suffix)
        else { return nil }
        return String(decoding: stem, as: UTF8.self)
    }

    /// No file's path holds a NUL; the system would cut it there and open another file.
    private static func isFile(_ text: String) -> Bool {
        text.utf8.suffix(SnapshotName.fileSuffix.utf8.count).elementsEqual(SnapshotName.fileSuffix.utf8)
            && !text.utf8.contains(0)
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
}
