import SnapcatFormat
import SnapcatPlatform

/// Times as users write them: absolute in ISO 8601, as Python's `fromisoformat` reads it, or relative to now.
package enum TimeText {
    /// nil for what is no time. Throws `.usage` for a local time that the zone skips or repeats, for a date
    /// that the calendar lacks, and for a time outside the years 1970 to 9999.
    package static func parse(_ text: String, clock: any WallClock) throws(SnapcatError) -> SnapshotTime? {
        let now = PythonNumber.floorDivide(clock.nowNanoseconds, 1000).quotient
        switch text {
        case "now": return try nameable(now, text)
        case "today": return try startOfDay(daysBack: 0, now, clock)
        case "yesterday": return try startOfDay(daysBack: 1, now, clock)
        default: break
        }
        if let ago = try duration(text) {
            let (moment, overflow) = now.subtractingReportingOverflow(ago)
            if overflow { throw outOfRange(text) }
            return try nameable(moment, text)
        }
        if let civil = CivilText(text) { return try nameable(try moment(civil, text, clock), text) }
        if isDate(text) { throw SnapcatError(.usage, "The calendar has no such date", text) }
        return nil
    }

    /// Whether `parse` takes `text` for a time, were it only to refuse its value.
    static func isTime(_ text: String) -> Bool {
        ["now", "today", "yesterday"].contains(text) || durationUnit(text) != nil || CivilText(text) != nil
            || isDate(text)
    }

    /// `90s`, `30m`, `3h`, `2d`, `1w` in microseconds; nil for another form. Throws `.usage` for more than
    /// 64 bits hold.
    package static func duration(_ text: String) throws(SnapcatError) -> Int64? {
        guard let unit = durationUnit(text) else { return nil }
        guard let count = digits(text.dropLast()) else { throw tooLong(text) }
        let (product, overflow) = count.multipliedReportingOverflow(by: unit * 1_000_000)
        if overflow { throw tooLong(text) }
        return product
    }

    /// The seconds of the unit after the digits; nil for another form.
    private static func durationUnit(_ text: String) -> Int64? {
        guard isDigits(text.dropLast()) else { return nil }
        switch text.utf8.last {
        case UInt8(ascii: "s"): return 1
        case UInt8(ascii: "m"): return 60
        case UInt8(ascii: "h"): return 3600
        case UInt8(ascii: "d"): return 86_400
        case UInt8(ascii: "w"): return 604_800
        default: return nil
        }
    }

    /// ASCII digits only; nil for none, for others, and for more than an integer holds.
    package static func digits(_ text: some StringProtocol) -> Int64? {
        isDigits(text) ? Int64(text) : nil
    }

    private static func isDigits(_ text: some StringProtocol) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (48...57).contains($0) }
    }

    /// `YYYY-MM-DD` in form.
    private static func isDate(_ text: String) -> Bool {
        text.utf8.count == 10 && SnapshotName.isStemPrefix(text.utf8)
    }

    private static func nameable(_ microseconds: Int64, _ text: String) throws(SnapcatError) -> SnapshotTime {
        let time = SnapshotTime(microseconds: microseconds)
        guard SnapshotTime.nameable.contains(time) else { throw outOfRange(text) }
        return time
    }

    private static func outOfRange(_ text: String) -> SnapcatError {
        SnapcatError(.usage, "The time is out of range", text, reason: "the years are 1970 to 9999")
    }

    private static func tooLong(_ text: String) -> SnapcatError {
        SnapcatError(.usage, "The duration is too long", text)
    }

    /// Local midnight, under the rules of any local time.
    private static func startOfDay(
        daysBack: Int64, _ now: Int64, _ clock: any WallClock
    ) throws(SnapcatError) -> SnapshotTime {
        let seconds = PythonNumber.floorDivide(now, 1_000_000).quotient
        let local = seconds + Int64(clock.localOffsetSeconds(at: seconds))
        let midnight = (PythonNumber.floorDivide(local, 86_400).quotient - daysBack) * 86_400
        let civil = CivilText(seconds: midnight, microseconds: 0, offsetMicroseconds: nil)
        return try nameable(try moment(civil, civil.spelled, clock), civil.spelled)
    }

    /// Microseconds since 1970, UTC.
    private static func moment(
        _ civil: CivilText, _ text: String, _ clock: any WallClock
    ) throws(SnapcatError) -> Int64 {
        let local = civil.seconds * 1_000_000 + civil.microseconds
        if let offset = civil.offsetMicroseconds { return local - offset }
        let offsets = LocalOffsets(of: civil.seconds, clock)
        if let offset = offsets.only { return local - Int64(offset) * 1_000_000 }
        let names = offsets.choices.map { LocalOffsets.name($0) }
        let spellings = names.map { civil.spelled + $0 }
        throw SnapcatError(
            .usage, "The local zone \(offsets.isSkipped ? "skips the time" : "has the time twice")", text,
            reason: "the offsets around it are \(names.joined(separator: " and "))",
            advice: "add the offset that is meant: \(spellings.joined(separator: " or "))")
    }
}
