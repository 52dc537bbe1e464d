import CPlatform

/// Numbers and times as CPython computes and spells them (FORMAT.md).
package enum PythonNumber {
    /// The double that `os.stat` gives for a time: seconds + 1e-9 * nanoseconds.
    package static func double(nanoseconds: Int64) -> Double {
        let (seconds, rest) = floorDivide(nanoseconds, 1_000_000_000)
        return Double(seconds) + 1e-9 * Double(rest)
    }

    /// The nanosecond value whose CPython double is `seconds`, nil where there is none (not finite, too large).
    ///
    /// A double of today holds a time to about 240 ns, so several values share it: the nearest is taken.
    package static func nanoseconds(double seconds: Double) -> Int64? {
        guard seconds.isFinite, abs(seconds) < 9.2e9 else { return nil }
        let whole = seconds.rounded(.down)
        let guess = Int64(whole) * 1_000_000_000 + Int64(((seconds - whole) * 1e9).rounded())
        for offset: Int64 in [0, 1, -1, 2, -2] where double(nanoseconds: guess + offset) == seconds {
            return guess + offset
        }
        return guess
    }

    /// Python's `repr(float)`: the shortest digits that read back, an exponent below 1e-4 and from 1e16.
    package static func appendRepr(_ value: Double, to buffer: inout [UInt8]) {
        if value.isNaN { return buffer.append(contentsOf: "NaN".utf8) }
        if value.sign == .minus { buffer.append(UInt8(ascii: "-")) }
        if value.isInfinite { return buffer.append(contentsOf: "Infinity".utf8) }
        var exponent: Int32 = 0
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 20) { raw in
            guard let base = raw.baseAddress else { return }
            let count = Int(cplatform_shortest_digits(value, base, &exponent))
            let digits = UnsafeRawBufferPointer(start: base, count: count)
            appendLayout(digits, point: Int(exponent), to: &buffer)
        }
    }

    private static func appendLayout(_ digits: UnsafeRawBufferPointer, point: Int, to buffer: inout [UInt8]) {
        let zero = UInt8(ascii: "0")
        let dot = UInt8(ascii: ".")
        if point > 16 || point <= -4 {
            buffer.append(digits[0])
            if digits.count > 1 {
                buffer.append(dot)
                buffer.append(contentsOf: digits[1...])
            }
            let exponent = point - 1
            buffer.append(UInt8(ascii: "e"))
            buffer.append(exponent < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+"))
            if abs(exponent) < 10 { buffer.append(zero) }
            appendInteger(Int64(abs(exponent)), to: &buffer)
        } else if point <= 0 {
            buffer.append(zero)
            buffer.append(dot)
            buffer.append(contentsOf: repeatElement(zero, count: -point))
            buffer.append(contentsOf: digits)
        } else if point >= digits.count {
            buffer.append(contentsOf: digits)
            buffer.append(contentsOf: repeatElement(zero, count: point - digits.count))
            buffer.append(dot)
            buffer.append(zero)
        } else {
            buffer.append(contentsOf: digits[..<point])
            buffer.append(dot)
            buffer.append(contentsOf: digits[point...])
        }
    }

    /// Decimal digits.
    package static func appendInteger(_ value: Int64, to buffer: inout [UInt8]) {
        if value < 0 { buffer.append(UInt8(ascii: "-")) }
        var rest = value.magnitude
        if rest < 10 { return buffer.append(48 + UInt8(truncatingIfNeeded: rest)) }
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var position = 20
            while rest > 0 {
                position -= 1
                digits[position] = 48 + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            }
            buffer.append(contentsOf: digits[position..<20])
        }
    }

    package static func floorDivide(_ value: Int64, _ divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
