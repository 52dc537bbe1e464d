/// A moment: microseconds since 1970, UTC. The time of a snapshot is the start of its scan.
public struct SnapshotTime: Comparable, Hashable, Sendable, CustomStringConvertible {
    public let microseconds: Int64

    public init(microseconds: Int64) { self.microseconds = microseconds }

    /// The times that names of snapshots can spell: the years 1970 to 9999.
    package static let nameable =
        SnapshotTime(microseconds: 0)...SnapshotTime(microseconds: 253_402_300_799_999_999)

    public static func < (left: SnapshotTime, right: SnapshotTime) -> Bool {
        left.microseconds < right.microseconds
    }

    /// `2026-11-20T23:48:51.220298Z`, always with six digits.
    public var iso8601: String {
        let parts = parts
        return "\(parts.date)T\(parts.hour):\(parts.minute):\(parts.second).\(parts.fraction)Z"
    }

    public var description: String { iso8601 }

    /// The fields as they are spelled, padded with zeros.
    struct Parts {
        var year: String
        var month: String
        /// `YYYY-MM-DD`
        var date: String
        var hour: String
        var minute: String
        var second: String
        /// Six digits.
        var fraction: String
    }

    var parts: Parts {
        let (seconds, fraction) = PythonNumber.floorDivide(microseconds, 1_000_000)
        let (days, rest) = PythonNumber.floorDivide(seconds, 86_400)
        let date = CivilTime.date(days: Int(days))
        let (year, month, day) = (Self.pad(date.year, 4), Self.pad(date.month, 2), Self.pad(date.day, 2))
        return Parts(
            year: year, month: month, date: "\(year)-\(month)-\(day)", hour: Self.pad(Int(rest / 3600), 2),
            minute: Self.pad(Int(rest / 60 % 60), 2), second: Self.pad(Int(rest % 60), 2),
            fraction: Self.pad(Int(fraction), 6))
    }

    private static func pad(_ value: Int, _ width: Int) -> String {
        let digits = String(value)
        return digits.count >= width ? digits : String(repeating: "0", count: width - digits.count) + digits
    }
}
