import SnapcatTestSupport
import Testing

@testable import SnapcatFormat

/// Numbers and times against a real Python: one process for thousands of values.
@Suite struct PythonNumberTests {
    private func repr(_ value: Double) -> [UInt8] {
        var text: [UInt8] = []
        PythonNumber.appendRepr(value, to: &text)
        return text
    }

    private func littleEndian(_ values: [UInt64]) -> [UInt8] {
        values.flatMap { value in withUnsafeBytes(of: value.littleEndian) { Array($0) } }
    }

    /// Nanoseconds of all magnitudes and both signs, whole seconds and the ends of the range among them.
    private func times(_ count: Int, _ random: inout SeededRandom) -> [Int64] {
        var times: [Int64] = [0, 1, -1, 999_999_999, -999_999_999, 1_000_000_000, -1_000_000_000, .min, .max]
        for _ in 0..<count {
            times.append(Int64.random(in: 0...4_000_000_000_000_000_000, using: &random))
            times.append(Int64.random(in: -3_000_000_000_000_000_000...0, using: &random))
            times.append(Int64(truncatingIfNeeded: random.next()) >> Int64.random(in: 1...62, using: &random))
            times.append(Int64.random(in: -2_000_000_000...4_000_000_000, using: &random) * 1_000_000_000)
        }
        return times
    }

    /// Random bits mostly have extreme exponents, so numbers of daily life are added.
    private func doubles(_ random: inout SeededRandom) -> [Double] {
        var values: [Double] = [
            0, -0.0, 1, -1, 0.1, 1e15, 1e16, 1e17, 9_999_999_999_999_998, 1e-3, 1e-4, 1e-5, 9.999e-5, 1e22,
            1e23, .leastNonzeroMagnitude,
            .greatestFiniteMagnitude, .leastNormalMagnitude, 978_307_200, .nan, .infinity, -.infinity,
        ]
        for _ in 0..<4000 { values.append(Double(bitPattern: random.next())) }
        values += times(1000, &random).map { PythonNumber.double(nanoseconds: $0) }
        for _ in 0..<2000 {
            values.append(
                Double(Int64(truncatingIfNeeded: random.next()) >> Int64.random(in: 0...60, using: &random)))
            values.append(Double(Int64.random(in: 0...99_999, using: &random)) / 1000)
        }
        for exponent in -30...30 {
            let power = Double("1e\(exponent)") ?? 0
            values += [power, power.nextUp, power.nextDown, power * 1.5]
        }
        return values
    }

    @Test func reprEqualsPythonsForThousandsOfDoubles() throws {
        var random = SeededRandom()
        let values = doubles(&random)
        let script = """
            import json, struct, sys
            for (value,) in struct.iter_unpack("<d", sys.stdin.buffer.read()):
                print(json.dumps(value))
            """
        let expected = try Python.lines(script, input: littleEndian(values.map(\.bitPattern)))
        try #require(expected.count == values.count)
        for (value, text) in zip(values, expected) {
            let (own, python) = (repr(value), text)
            #expect(
                own == python, "\(value.bitPattern), \(String(decoding: own, as: UTF8.self)), \(random.label)"
            )
        }
    }

    @Test func doubleOfNanosecondsIsWhatOsStatGives() throws {
        var random = SeededRandom()
        let times = times(2000, &random)
        let script = """
            import struct, sys
            for (ns,) in struct.iter_unpack("<q", sys.stdin.buffer.read()):
                sec, nsec = divmod(ns, 10**9)
                sys.stdout.buffer.write(struct.pack("<d", sec + 1e-9 * nsec))
            """
        let output = try Python.run(script, input: littleEndian(times.map { UInt64(bitPattern: $0) }))
        let own = littleEndian(times.map { PythonNumber.double(nanoseconds: $0).bitPattern })
        try #require(output.count == own.count)
        for index in times.indices {
            let bytes = 8 * index..<8 * index + 8
            #expect(own[bytes] == output[bytes], "\(times[index]) ns, \(random.label)")
        }
    }

    @Test func nanosecondsOfADoubleHaveThatDouble() {
        var random = SeededRandom()
        for time in times(5000, &random) where abs(time / 1_000_000_000) < 9_200_000_000 {
            let double = PythonNumber.double(nanoseconds: time)
            let back = PythonNumber.nanoseconds(double: double)
            #expect(
                back.map { PythonNumber.double(nanoseconds: $0) } == double,
                "\(time) ns, \(double) s, back \(String(describing: back)), \(random.label)")
        }
    }

    /// Times with few digits, as other programs write them, need not be the double of any nanosecond value.
    @Test func nanosecondsOfADecimalAreTheNearest() {
        #expect(PythonNumber.nanoseconds(double: 1.5) == 1_500_000_000)
        #expect(PythonNumber.nanoseconds(double: -1.5) == -1_500_000_000)
        #expect(PythonNumber.nanoseconds(double: 0) == 0)
        #expect(PythonNumber.nanoseconds(double: 978_307_200) == 978_307_200_000_000_000)
        #expect(PythonNumber.nanoseconds(double: 1e-12) == 0)
    }

    @Test(arguments: [Double.nan, .infinity, -.infinity, 9.3e9, -9.3e9, 1e300])
    func aDoubleThatIsNoTimeHasNoNanoseconds(_ value: Double) {
        #expect(PythonNumber.nanoseconds(double: value) == nil)
    }

    @Test func integersOfEveryMagnitudeAreSpelledInDecimal() {
        var random = SeededRandom()
        var values: [Int64] = [0, 9, 10, 99, 100, -1, -9, -10, .min, .max]
        for shift in 0..<64 { values.append(Int64(truncatingIfNeeded: random.next()) >> Int64(shift)) }
        for value in values {
            var text: [UInt8] = []
            PythonNumber.appendInteger(value, to: &text)
            #expect(text == Array(String(value).utf8), "\(random.label)")
        }
    }

    @Test func `A number of a line is the double that Swift reads`() {
        var random = SeededRandom()
        var texts = ["1e999", "-1e999", "1e-999", "0.0", "-0.0", "1E5", "1e+5", "1.5e-07", "123456789012345678901234567890", "NaN", "Infinity", "1.", "", "1x"]
        for value in doubles(&random) { texts.append(value.description) }
        for text in texts {
            let read = Array(text.utf8).withUnsafeBytes { EntryFields.double($0, 0..<text.utf8.count) }
            #expect(read?.bitPattern == Double(text)?.bitPattern, "\(text), \(random.label)")
        }
    }
}
