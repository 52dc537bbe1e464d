import SnapcatFormat

/// A civil time as text, as Python 3.11's `datetime.fromisoformat` reads it (and RFC 3339, for `t` and `z`).
///
/// A date `YYYY-MM-DD` or `YYYYMMDD`, then nothing, or `T` or a space and a time `HH[:MM[:SS[.f]]]` or
/// `HH[MM[SS[.f]]]`, then nothing, `Z`, or a sign and an offset in either form of a time. Not read: week
/// dates, and other bytes than these between date and time, where Python takes any.
struct CivilText {
    /// Since 1970 as if it were UTC.
    var seconds: Int64
    var microseconds: Int64
    /// East of UTC; nil: local time.
    var offsetMicroseconds: Int64?

    init(seconds: Int64, microseconds: Int64, offsetMicroseconds: Int64?) {
        self.seconds = seconds
        self.microseconds = microseconds
        self.offsetMicroseconds = offsetMicroseconds
    }

    /// nil for another form, and for numbers that the calendar or the clock lacks. Years 0 to 9999.
    init?(_ text: String) {
        var scanner = CivilScanner(rest: Array(text.utf8)[...])
        guard let days = scanner.date() else { return nil }
        (seconds, microseconds) = (Int64(days) * 86_400, 0)
        if scanner.rest.isEmpty { return }
        guard scanner.take("T") || scanner.take("t") || scanner.take(" "), let time = scanner.time() else {
            return nil
        }
        seconds += time / 1_000_000
        microseconds = time % 1_000_000
        if scanner.take("Z") || scanner.take("z") {
            offsetMicroseconds = 0
        } else if scanner.take("+") {
            guard let offset = scanner.time() else { return nil }
            offsetMicroseconds = offset
        } else if scanner.take("-") {
            guard let offset = scanner.time() else { return nil }
            offsetMicroseconds = -offset
        }
        guard scanner.rest.isEmpty else { return nil }
    }

    /// `YYYY-MM-DDTHH:MM:SS` as the local clock shows it, with a fraction where there is one.
    var spelled: String {
        let text = SnapshotTime(microseconds: seconds * 1_000_000 + microseconds).iso8601
        return String(text.dropLast(microseconds == 0 ? 8 : 1))
    }
}

/// Takes the parts of a civil time from the front of its bytes. What it took before it fails is of no use.
private struct CivilScanner {
    var rest: ArraySlice<UInt8>

    mutating func take(_ byte: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: byte) else { return false }
        rest.removeFirst()
        return true
    }

    /// Days since 1970.
    mutating func date() -> Int? {
        guard let year = number(4) else { return nil }
        let hasDashes = take("-")
        guard let month = number(2), !hasDashes || take("-"), let day = number(2),
            CivilTime.isValid(year: year, month: month, day: day)
        else { return nil }
        return CivilTime.days(year: year, month: month, day: day)
    }

    /// Microseconds of less than a day: with colons everywhere or nowhere.
    mutating func time() -> Int64? {
        guard let hour = number(2), hour < 24 else { return nil }
        let hasColons = rest.first == UInt8(ascii: ":")
        var seconds = Int64(hour) * 3600
        for unit: Int64 in [60, 1] {
            guard hasColons ? take(":") : startsWithDigit else { return seconds * 1_000_000 }
            guard let field = number(2), field < 60 else { return nil }
            seconds += Int64(field) * unit
        }
        guard take(".") || take(",") else { return seconds * 1_000_000 }
        return fraction().map { seconds * 1_000_000 + $0 }
    }

    private mutating func number(_ count: Int) -> Int? {
        let digits = rest.prefix(count)
        guard digits.count == count, digits.allSatisfy(Self.isDigit) else { return nil }
        rest = rest.dropFirst(count)
        return digits.reduce(0) { $0 * 10 + Int($1) - 48 }
    }

    /// One digit or more; what is finer than a microsecond is cut off, as Python does.
    private mutating func fraction() -> Int64? {
        let digits = rest.prefix(while: Self.isDigit)
        guard !digits.isEmpty else { return nil }
        rest = rest.dropFirst(digits.count)
        let six = digits.prefix(6) + Array(repeating: UInt8(ascii: "0"), count: max(0, 6 - digits.count))
        return six.reduce(0) { $0 * 10 + Int64($1) - 48 }
    }

    private var startsWithDigit: Bool { rest.first.map(Self.isDigit) ?? false }

    private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
}
