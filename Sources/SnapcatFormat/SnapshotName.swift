/// The name of a snapshot: its time, as it is spelled in files (FORMAT.md, "Places").
///
/// Names of times from 1970 to 9999 read back as they were spelled; other times have no name that does.
public struct SnapshotName: Hashable, Sendable, Comparable {
    public let time: SnapshotTime

    public init(time: SnapshotTime) { self.time = time }

    public static func < (left: SnapshotName, right: SnapshotName) -> Bool { left.time < right.time }

    /// The form of a stem: `0` stands for any digit.
    package static let stemForm = Array("0000-00-00_00-00-00_000000Z".utf8)
    package static let fileSuffix = ".jsonl.gz"

    /// `2026-11-20_23-48-51_220298Z`
    public var stem: String {
        let parts = time.parts
        return "\(parts.date)_\(parts.hour)-\(parts.minute)-\(parts.second)_\(parts.fraction)Z"
    }

    /// `2026/11/<stem>.jsonl.gz`
    public var key: String { folder + stem + Self.fileSuffix }
    /// `2026/11/<stem>.meta.gz`
    public var companionKey: String { folder + stem + ".meta.gz" }

    private var folder: String {
        let parts = time.parts
        return "\(parts.year)/\(parts.month)/"
    }

    /// From `<stem>.jsonl.gz`, in exactly that spelling; nil for anything else.
    public init?(fileName: String) { self.init(fileName: fileName.utf8) }

    /// The same from the bytes of a file name.
    public init?(fileName: some Collection<UInt8>) {
        let suffix = Self.fileSuffix.utf8
        guard fileName.count == Self.stemForm.count + suffix.count,
            fileName.dropFirst(Self.stemForm.count).elementsEqual(suffix)
        else { return nil }
        self.init(stemBytes: Array(fileName.prefix(Self.stemForm.count)))
    }

    /// From a stem, in exactly that spelling.
    public init?(stem: String) { self.init(stemBytes: Array(stem.utf8)) }

    private init?(stemBytes bytes: [UInt8]) {
        guard bytes.count == Self.stemForm.count, Self.isStemPrefix(bytes) else { return nil }
        func number(_ range: Range<Int>) -> Int { bytes[range].reduce(0) { $0 * 10 + Int($1) - 48 } }
        let (year, month, day) = (number(0..<4), number(5..<7), number(8..<10))
        let (hour, minute, second) = (number(11..<13), number(14..<16), number(17..<19))
        guard year >= 1970, CivilTime.isValid(year: year, month: month, day: day),
            hour < 24, minute < 60, second < 60
        else { return nil }
        let days = CivilTime.days(year: year, month: month, day: day)
        let seconds = days * 86_400 + hour * 3600 + minute * 60 + second
        time = SnapshotTime(microseconds: Int64(seconds) * 1_000_000 + Int64(number(20..<26)))
    }

    /// Whether bytes have the form of a stem as far as they go. The calendar is not asked.
    package static func isStemPrefix(_ bytes: some Collection<UInt8>) -> Bool {
        bytes.count <= stemForm.count
            && zip(bytes, stemForm).allSatisfy { byte, form in
                form == UInt8(ascii: "0") ? (48...57).contains(byte) : byte == form
            }
    }

    /// The snapshot that a key under the snap root is; nil where snapshooter's glob `*/*/*.jsonl.gz` does not
    /// find it or its file name is no name of a snapshot.
    ///
    /// snapshooter does not ask whether the folder is that of the time: `isInItsFolder` tells.
    package static func parse(key: some Collection<UInt8>) -> (name: SnapshotName, isInItsFolder: Bool)? {
        let components = key.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard components.count == 3, !components.contains(where: \.isEmpty),
            let name = SnapshotName(fileName: components[2])
        else { return nil }
        return (name, key.elementsEqual(name.key.utf8))
    }
}
