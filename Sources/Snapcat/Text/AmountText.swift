import SnapcatPlatform

/// Sizes as users write them: digits, and K, M, G or T for powers of 1024.
package enum SizeText {
    package static func bytes(_ text: String) -> Int64? {
        var digits = Substring(text.uppercased())
        if digits.hasSuffix("IB") { digits = digits.dropLast(2) } else if digits.hasSuffix("B") { digits = digits.dropLast() }
        var factor: Int64 = 1
        if let unit = digits.last, let index = "KMGT".firstIndex(of: unit) {
            factor = 1 << (10 * Int64("KMGT".distance(from: "KMGT".startIndex, to: index) + 1))
            digits = digits.dropLast()
        }
        guard let count = TimeText.digits(digits) else { return nil }
        let (product, overflow) = count.multipliedReportingOverflow(by: factor)
        return overflow ? nil : product
    }
}

/// Durations as users write them: `30s`, `5m`, `2h`, `1d`.
package enum DurationText {
    package static func nanoseconds(_ text: String) throws -> Int64 {
        guard let microseconds = try TimeText.duration(text) ?? TimeText.duration(text + "s"),
            microseconds <= Int64.max / 1000
        else { throw SnapcatError(.usage, "Not a duration", text, advice: "write 30s, 5m or 2h") }
        return microseconds * 1000
    }
}
