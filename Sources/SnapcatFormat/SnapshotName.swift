/// The name of a snapshot: its time, as it is spelled in files (FORMAT.md, "Places").
public struct SnapshotName: Hashable, Sendable, Comparable {
    public let time: SnapshotTime

    public init(time: SnapshotTime) { self.time = time }

    public static func < (left: SnapshotName, right: SnapshotName) -> Bool { left.time < right.time }

    /// `2026-11-20_23-48-51_220298Z`
    public var stem: String {
        let parts = time.parts
        return "\(parts.date)_\(parts.hour)-\(parts.minute)-\(parts.second)_\(parts.fraction)Z"
    }

    /// `2026/11/<stem>.jsonl.gz`
    public var key: String { folder + stem + ".jsonl.gz" }
    /// `2026/11/<stem>.meta.gz`
    public var companionKey: String { folder + stem + ".meta.gz" }

    private var folder: String {
        let parts = time.parts
        return "\(parts.year)/\(parts.month)/"
    }

    /// From `<stem>.jsonl.gz`, in exactly that spelling; nil for anything else.
    public init?(fileName: String) {
        let bytes = Array(fileName.utf8)
        guard bytes.suffix(9).elementsEqual(".jsonl.gz".utf8) else { return nil }
        self.init(stem: String(decoding: bytes.dropLast(9), as: UTF8.self))
    }

    /// From a stem, in exactly that spelling.
    public init?(stem: String) {
        let bytes = Array(stem.utf8)
        let pattern = Array("0000-00-00_00-00-00_000000Z".utf8)
        guard bytes.count == pattern.count else { return nil }
        for (byte, expected) in zip(bytes, pattern) {
            let isDigit = (48...57).contains(byte)
            guard expected == 48 ? isDigit : byte == expected else { return nil }
        }
        func number(_ range: Range<Int>) -> Int { bytes[range].reduce(0) { $0 * 10 + Int($1) - 48 } }
        let (year, month, day) = (number(0..<4), number(5..<7), number(8..<10))
        let (hour, minute, second) = (number(11..<13), number(14..<16), number(17..<19))
        guard year >= 1970, CivilTime.isValid(year: year, month: month, day: day), hour < 24, minute < 60, second < 60
        else { return nil }
        let seconds = CivilTime.days(year: year, month: month, day: day) * 86_400 + hour * 3600 + minute * 60 + second
        time = SnapshotTime(microseconds: Int64(seconds) * 1_000_000 + Int64(number(20..<26)))
    }
}
