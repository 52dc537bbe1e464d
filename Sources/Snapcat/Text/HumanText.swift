/// Numbers as people read them.
package enum HumanText {
    /// A size in binary units with one decimal: `0 B`, `1023 B`, `1.2 MiB`, `-1.2 MiB`.
    package static func bytes(_ n: Int64) -> String {
        let sign = n < 0 ? "-" : ""
        let size = n.magnitude
        if size < 1024 { return "\(sign)\(size) B" }
        let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
        var unit = 0
        var shift: UInt64 = 10
        // Below 1023.95 of a unit: from there on the tenths would round to 1024.0, the next unit's 1.0.
        while unit + 1 < units.count && tenths(size, shift) >= 10_240 {
            unit += 1
            shift += 10
        }
        let rounded = tenths(size, shift)
        return "\(sign)\(rounded / 10).\(rounded % 10) \(units[unit])"
    }

    /// `size / 2^shift` in tenths, half up. Cannot overflow: the rest is below 2^60.
    private static func tenths(_ size: UInt64, _ shift: UInt64) -> UInt64 {
        let rest = size & ((1 << shift) - 1)
        return (size >> shift) * 10 + (rest * 10 + 1 << (shift - 1)) >> shift
    }

    /// A `st_mode` as `ls -l` shows it, with setuid, setgid and sticky; `?` for an unknown type.
    package static func mode(_ m: Int64) -> String {
        let type =
            switch m & 0o170000 {
            case 0o100000: "-"
            case 0o040000: "d"
            case 0o120000: "l"
            case 0o020000: "c"
            case 0o060000: "b"
            case 0o010000: "p"
            case 0o140000: "s"
            default: "?"
            }
        return type + permissions(m >> 6, m & 0o4000 != 0, "s") + permissions(m >> 3, m & 0o2000 != 0, "s")
            + permissions(m, m & 0o1000 != 0, "t")
    }

    private static func permissions(_ bits: Int64, _ isSpecial: Bool, _ letter: String) -> String {
        let execute = bits & 1 != 0
        let last = isSpecial ? (execute ? letter : letter.uppercased()) : (execute ? "x" : "-")
        return (bits & 4 != 0 ? "r" : "-") + (bits & 2 != 0 ? "w" : "-") + last
    }

    /// A time span in two units at most: `250 ms`, `12.3 s`, `1m 05s`, `2h 03m`, `3d 04h`; `-` if not finite.
    package static func duration(seconds: Double) -> String {
        guard seconds.isFinite else { return "-" }
        let span = min(abs(seconds), 1e15)
        let milliseconds = Int64((span * 1000).rounded())
        let sign = seconds < 0 && milliseconds > 0 ? "-" : ""
        if milliseconds < 1000 { return "\(sign)\(milliseconds) ms" }
        let tenths = Int64((span * 10).rounded())
        if tenths < 600 { return "\(sign)\(tenths / 10).\(tenths % 10) s" }
        let whole = Int64(span.rounded())
        if whole < 3600 { return "\(sign)\(whole / 60)m \(twoDigits(whole % 60))s" }
        let minutes = (whole + 30) / 60
        if minutes < 24 * 60 { return "\(sign)\(minutes / 60)h \(twoDigits(minutes % 60))m" }
        let hours = (minutes + 30) / 60
        return "\(sign)\(hours / 24)d \(twoDigits(hours % 24))h"
    }

    private static func twoDigits(_ n: Int64) -> String { n < 10 ? "0\(n)" : "\(n)" }

    /// Digits in groups of three: `1,234,567`.
    package static func count(_ n: Int64) -> String {
        let digits = String(n.magnitude)
        var result = n < 0 ? "-" : ""
        for (index, digit) in digits.enumerated() {
            if index > 0 && (digits.count - index) % 3 == 0 { result += "," }
            result.append(digit)
        }
        return result
    }
}
