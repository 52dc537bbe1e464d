import SnapcatTestSupport
import Testing

@testable import SnapcatFormat

/// The order of names against Python's order of decoded strings.
@Suite struct NameOrderTests {
    private func order(_ left: [UInt8], _ right: [UInt8]) -> Int {
        left.withUnsafeBytes { left in right.withUnsafeBytes { NameOrder.compare(left, $0).signum() } }
    }

    private func expectPythonsOrder(_ names: Set<[UInt8]>, _ label: String) throws {
        let script = Python.readBlobs + "for blob in sorted(blobs, key=os.fsdecode): write_blob(blob)"
        let own = names.map { EntryName($0) }.sorted().map(\.bytes)
        let expected = try Python.splitBlobs(Python.run(script, input: Python.blobs(Array(names))))
        #expect(own == expected, "\(label)")
    }

    @Test func randomNamesSortAsInPython() throws {
        var random = SeededRandom()
        try expectPythonsOrder(Set((0..<4000).map { _ in random.name() }), random.label)
    }

    /// Few distinct bytes give many long common prefixes, cut anywhere in a sequence.
    @Test func namesWithCommonPrefixesSortAsInPython() throws {
        var random = SeededRandom()
        let alphabet: [UInt8] = [
            0x2f, 0x61, 0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xed, 0xef, 0xbf, 0xf0, 0x9f, 0x98, 0x80, 0xff,
        ]
        let names = (0..<4000).map { _ in
            Array("aaaaaaa".utf8.prefix(Int.random(in: 0...7, using: &random)))
                + (0..<Int.random(in: 1...6, using: &random)).map { _ in
                    alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
                }
        }
        try expectPythonsOrder(Set(names), random.label)
    }

    @Test func everyByteSortsAsInPython() throws {
        let singles = (UInt8.min...UInt8.max).map { [$0] }
        let sequences: [[UInt8]] = [
            Array("é".utf8), Array("€".utf8), Array("\u{d7ff}".utf8), Array("\u{e000}".utf8), Array("😀".utf8),
        ]
        try expectPythonsOrder(Set(singles + sequences + singles.map { $0 + [0x80] }), "")
    }

    @Test func theWholePathIsComparedNotItsComponents() {
        #expect(order(Array("a-b".utf8), Array("a/b".utf8)) < 0)
        #expect(order(Array("a/b".utf8), Array("a0".utf8)) < 0)
        #expect(order(Array("a".utf8), Array("a/b".utf8)) < 0)
    }

    @Test func aByteThatIsNotUTF8SortsBeforeAnEmojiAndAfterHangul() {
        #expect(order([0xff], Array("😀".utf8)) < 0)
        #expect(order([0xff], Array("\u{d7a3}".utf8)) > 0)
        #expect(order([0xff], Array("\u{e000}".utf8)) < 0)
        #expect(order([0xff], [0xfe]) > 0)
    }

    @Test func theOrderIsTotal() {
        var random = SeededRandom()
        let names = (0..<150).map { _ in random.name(longest: 6) }
        for left in names {
            #expect(order(left, left) == 0)
            for right in names {
                #expect(order(left, right) == -order(right, left), "\(left), \(right), \(random.label)")
                #expect((order(left, right) == 0) == (left == right), "\(left), \(right), \(random.label)")
            }
        }
    }
}
