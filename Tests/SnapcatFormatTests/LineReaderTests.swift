import SnapcatPlatform
import SnapcatTestSupport
import Testing

@testable import SnapcatFormat

/// Hands out an array in chunks of random size: no reader may rely on how a source cuts its bytes.
final class ChunkedSource: ByteSource {
    private let bytes: [UInt8]
    private var position = 0
    private var random: SeededRandom
    private let longest: Int

    init(_ bytes: [UInt8], longest: Int, _ random: SeededRandom) {
        self.bytes = bytes
        self.longest = longest
        self.random = random
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(buffer.count, bytes.count - position, Int.random(in: 1...longest, using: &random))
        bytes.withUnsafeBytes {
            buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[position..<position + count]))
        }
        position += count
        return count
    }
}

/// Bytes without a newline and without an end.
private final class EndlessSource: ByteSource {
    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        _ = buffer.initializeMemory(as: UInt8.self, repeating: UInt8(ascii: "x"))
        return buffer.count
    }
}

@Suite struct LineReaderTests {
    private func lines(_ source: any ByteSource) throws -> [(line: [UInt8], number: Int)] {
        let reader = LineReader(source, name: "lines")
        var result: [(line: [UInt8], number: Int)] = []
        while let line = try reader.next() { result.append((Array(line), reader.lineNumber)) }
        #expect(try reader.next() == nil)
        return result
    }

    private func texts(_ text: String) throws -> [String] {
        try lines(ArraySource(Array(text.utf8))).map { String(decoding: $0.line, as: UTF8.self) }
    }

    @Test func aFinalNewlineIsNoLine() throws {
        #expect(try texts("a\nb") == ["a", "b"])
        #expect(try texts("a\nb\n") == ["a", "b"])
        #expect(try texts("a") == ["a"])
        #expect(try texts("") == [])
    }

    @Test func blankLinesAreSkippedAndCounted() throws {
        #expect(try texts("\n\n \t\r\n{}\n\n\u{b}\u{c}\n  {}  \n\n") == ["{}", "  {}  "])
        #expect(try lines(ArraySource(Array("\n\na\n\nb\n\n".utf8))).map(\.number) == [3, 5])
        #expect(try texts("\n\n\n") == [])
        #expect(try texts("a\n ") == ["a"])
    }

    @Test func onlyTheNewlineEndsALine() throws {
        #expect(try texts("a\r\nb\u{2028}c\u{0}d") == ["a\r", "b\u{2028}c\u{0}d"])
    }

    @Test(arguments: [1, 7, 1000, 300_000])
    func linesDoNotDependOnHowTheSourceIsCut(_ longest: Int) throws {
        var random = SeededRandom()
        var expected: [[UInt8]] = []
        for _ in 0..<300 {
            let length =
                random.next() % 20 == 0 ? Int.random(in: 1...3000, using: &random) : Int(random.next() % 30)
            expected.append(random.bytes(length).map { $0 == 0x0a ? 0x78 : $0 } + [0x2e])
        }
        let all = Array(expected.joined(separator: [0x0a]))
        for tail in [[], [0x0a]] as [[UInt8]] {
            let found = try lines(ChunkedSource(all + tail, longest: longest, random))
            #expect(found.map(\.line) == expected, "\(random.label)")
            #expect(found.map(\.number) == Array(1...300), "\(random.label)")
        }
    }

    /// Around the first size of the buffer and its doubles.
    @Test(arguments: [262_143, 262_144, 262_145, 524_288, 1_048_577])
    func aLongLineIsReturnedWhole(_ length: Int) throws {
        let random = SeededRandom()
        let long = [UInt8](repeating: 0x78, count: length)
        let text = Array("a\n".utf8) + long + Array("\nb\n".utf8) + long
        let found = try lines(ChunkedSource(text, longest: 100_000, random)).map(\.line)
        #expect(found == [[0x61], long, [0x62], long], "\(random.label)")
    }

    @Test func aLineWithoutAnEndIsDamage() throws {
        let reader = LineReader(EndlessSource(), name: "endless")
        let error = #expect(throws: SnapcatError.self) { try reader.next() }
        #expect(error?.code == .damage)
    }
}
