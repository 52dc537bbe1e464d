import SnapcatFormat
import SnapcatPlatform

/// Times as users write them: absolute in ISO 8601, as Python's `fromisoformat` reads it, or relative to now.
package enum TimeText {
    /// nil for what is no time. Throws `.usage` for a local time that the zone skips or repeats, or out of range.
    package static func parse(_ text: String, clock: any WallClock) throws(SnapcatError) -> SnapshotTime? {
        let now = clock.nowNanoseconds / 1000
        switch text {
        case "now": return SnapshotTime(microseconds: now)
        case "today": return try startOfDay(daysBack: 0, now, clock)
        case "yesterday": return try startOfDay(daysBack: 1, now, clock)
        default: break
        }
        if let ago = try duration(text) {
            let (moment, overflow) = now.subtractingReportingOverflow(ago)
            guard !overflow, moment >= 0 else { throw outOfRange(text) }
            return SnapshotTime(microseconds: moment)
        }
        guard let civil = CivilText(text) else { return nil }
        return try moment(civil, text, clock)
    }

    /// `90s`, `30m`, `3h`, `2d`, `1w` in microseconds; nil for another form.
    package static func duration(_ text: String) throws(SnapcatError) -> Int64? {
        guard let unit = text.utf8.last, let count = digits(text.dropLast()) else { return nil }
        let seconds: Int64
        switch unit {
        case UInt8(ascii: "s"): seconds = 1
        case UInt8(ascii: "m"): seconds = 60
        case UInt8(ascii: "h"): seconds = 3600
        case UInt8(ascii: "d"): seconds = 86_400
        case UInt8(ascii: "w"): seconds = 604_800
        default: return nil
        }
        let (product, overflow) = count.multipliedReportingOverflow(by: seconds * 1_000_000)
        if overflow { throw outOfRange(text) }
        return product
    }

    /// ASCII digits only; nil for none, for others, and for more than an integer holds.
    package static func digits(_ text: some StringProtocol) -> Int64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return Int64(text)
    }

    private static func outOfRange(_ text: String) -> SnapcatError {
        SnapcatError(.usage, "The time is out of range", text)
    }

    private static func startOfDay(
        daysBack: Int, _ now: Int64, _ clock: any WallClock
    ) throws(SnapcatError) -> SnapshotTime {
        let seconds = now / 1_000_000
        let local = Int(seconds) + clock.localOffsetSeconds(at: seconds)
        let day = Int(PythonNumber.floorDivide(Int64(local), 86_400).quotient) - daysBack
        let date = CivilTime.date(days: day)
        let civil = CivilText(seconds: Int64(day) * 86_400, microseconds: 0, offsetSeconds: nil)
        return try moment(civil, "\(date.year)-\(date.month)-\(date.day)", clock)
    }

    private static func moment(
        _ civil: CivilText, _ text: String, _ clock: any WallClock
    ) throws(SnapcatError) -> SnapshotTime {
        if let offset = civil.offsetSeconds {
            return SnapshotTime(microseconds: (civil.seconds - Int64(offset)) * 1_000_000 + Int64(civil.microseconds))
        }
        // The offsets in force a day before and after: around a change there are two, else one.
        let around = [-86_400, 86_400].map { clock.localOffsetSeconds(at: civil.seconds + $0) }
        let fitting = Set(around).filter { clock.localOffsetSeconds(at: civil.seconds - Int64($0)) == $0 }
        guard fitting.count == 1, let offset = fitting.first else {
            let names = Set(around).sorted().map(offsetName).joined(separator: " and ")
            throw SnapcatError(
                .usage, fitting.isEmpty ? "The local zone skips the time" : "The local zone has the time twice", text,
                reason: "the offsets around it are \(names)", advice: "add one of them to the time")
        }
        return SnapshotTime(microseconds: (civil.seconds - Int64(offset)) * 1_000_000 + Int64(civil.microseconds))
    }

    private static func offsetName(_ seconds: Int) -> String {
        func pad(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        return "\(seconds < 0 ? "-" : "+")\(pad(abs(seconds) / 3600)):\(pad(abs(seconds) / 60 % 60))"
    }
}

/// A civil time as text: `YYYY-MM-DD[(T| )HH:MM[:SS[.f]]][Z|+HH:MM|+HHMM|+HH]`, and the forms without separators.
struct CivilText {
    /// Since 1970 as if it were UTC.
    var seconds: Int64
    var microseconds: Int
    /// nil: local time.
    var offsetSeconds: Int?

    init(seconds: Int64, microseconds: Int, offsetSeconds: Int?) {
        self.seconds = seconds
        self.microseconds = microseconds
        self.offsetSeconds = offsetSeconds
    }

    init?(_ text: String) {
        var rest = Array(text.utf8)[...]
        func number(_ count: Int) -> Int? {
            guard rest.count >= count, rest.prefix(count).allSatisfy({ (48...57).contains($0) }) else { return nil }
            defer { rest = rest.dropFirst(count) }
            return rest.prefix(count).reduce(0) { $0 * 10 + Int($1) - 48 }
        }
        func take(_ byte: Character) -> Bool {
            guard rest.first == byte.asciiValue else { return false }
            rest = rest.dropFirst()
            return true
        }
        guard let year = number(4) else { return nil }
        let dashed = take("-")
        guard let month = number(2), !dashed || take("-"), let day = number(2), year >= 1970,
            CivilTime.isValid(year: year, month: month, day: day)
        else { return nil }
        seconds = Int64(CivilTime.days(year: year, month: month, day: day)) * 86_400
        microseconds = 0
        if rest.isEmpty {
            // Eight digits alone are a prefix of nothing, but a date.
            return
        }
        guard take("T") || take(" ") || take("t"), let hour = number(2), hour < 24 else { return nil }
        seconds += Int64(hour) * 3600
        let coloned = take(":")
        if let minute = number(2) {
            guard minute < 60 else { return nil }
            seconds += Int64(minute) * 60
            if !coloned || take(":"), let second = number(2) {
                guard second < 60 else { return nil }
                seconds += Int64(second)
                if take(".") || take(",") {
                    let digits = rest.prefix { (48...57).contains($0) }
                    guard !digits.isEmpty else { return nil }
                    let six = (digits.prefix(6) + Array(repeating: 48, count: max(0, 6 - digits.count)))
                    microseconds = six.reduce(0) { $0 * 10 + Int($1) - 48 }
                    rest = rest.dropFirst(digits.count)
                }
            } else if coloned && text.utf8.last == UInt8(ascii: ":") {
                return nil
            }
        } else if coloned {
            return nil
        }
        guard Self.offset(&rest, into: &offsetSeconds), rest.isEmpty else { return nil }
    }

    private static func offset(_ rest: inout ArraySlice<UInt8>, into offset: inout Int?) -> Bool {
        guard let sign = rest.first else { return true }
        rest = rest.dropFirst()
        if sign == UInt8(ascii: "Z") || sign == UInt8(ascii: "z") {
            offset = 0
            return true
        }
        guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") else { return false }
        let digits = rest.filter { $0 != UInt8(ascii: ":") }
        guard digits.count == 2 || digits.count == 4, digits.allSatisfy({ (48...57).contains($0) }) else { return false }
        if rest.count != digits.count && !(rest.count == 5 && rest[rest.startIndex + 2] == UInt8(ascii: ":")) { return false }
        let value = digits.reduce(0) { $0 * 10 + Int($1) - 48 }
        let (hours, minutes) = digits.count == 2 ? (value, 0) : (value / 100, value % 100)
        guard hours < 24, minutes < 60 else { return false }
        offset = (hours * 3600 + minutes * 60) * (sign == UInt8(ascii: "-") ? -1 : 1)
        rest = []
        return true
    }
}
