import SnapcatTestSupport
import Testing

@testable import SnapcatFormat

/// Quoting against `json.dumps(os.fsdecode(bytes))`, and its way back.
@Suite struct PythonStringTests {
    private func quoted(_ bytes: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        PythonString.appendQuoted(bytes, to: &text)
        return text
    }

    /// The bytes that the contents of a JSON string stand for; nil where they stand for none.
    private func decoded(_ contents: [UInt8]) -> [UInt8]? {
        var bytes: [UInt8] = [1, 2, 3]
        return contents.withUnsafeBytes { PythonString.decode($0, into: &bytes) } ? bytes : nil
    }

    private func expectPythonsSpelling(_ names: [[UInt8]], _ label: String) throws {
        let script = Python.readBlobs + "for blob in blobs: print(json.dumps(os.fsdecode(blob)))"
        let expected = try Python.lines(script, input: Python.blobs(names))
        try #require(expected.count == names.count)
        // DEL has a test of its own.
        for (name, text) in zip(names, expected) {
            let own = quoted(name)
            #expect(own == text, "\(name), \(String(decoding: own, as: UTF8.self)), \(label)")
            #expect(decoded(Array(own.dropFirst().dropLast())) == name, "\(label)")
        }
    }

    @Test func everyByteAloneAndBetweenLettersIsSpelledAsPythonSpellsIt() throws {
        var names: [[UInt8]] = [[]]
        for byte in UInt8.min...UInt8.max { names += [[byte], [0x61, byte, 0x7a]] }
        try expectPythonsSpelling(names, "")
    }

    @Test func delIsSpelledAsPythonSpellsIt() throws {
        let expected = try Python.lines(#"import json; print(json.dumps("\x7f"))"#)
        #expect([quoted([0x7f])] == expected)
        #expect(decoded(Array(#"\u007f"#.utf8)) == [0x7f])
        #expect(decoded([0x7f]) == [0x7f])
    }

    /// Where UTF-8 begins and ends: overlong forms, surrogates, above U+10FFFF, cut sequences.
    @Test func theEdgesOfUTF8AreSpelledAsPythonSpellsThem() throws {
        let tails: [[UInt8]] = [
            [], [0x7f], [0x80], [0xbf], [0xc0], [0x80, 0x80], [0xbf, 0xbf], [0x80, 0x41], [0x80, 0x80, 0x80],
        ]
        var names: [[UInt8]] = []
        for lead in UInt8(0xbf)...0xff {
            names.append([lead])
            for second in [UInt8(0x7f), 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0] {
                for tail in tails { names.append([lead, second] + tail) }
            }
        }
        try expectPythonsSpelling(names, "")
    }

    @Test func randomBytesAreSpelledAsPythonSpellsThem() throws {
        var random = SeededRandom()
        var names = (0..<3000).map { _ in random.name() }
        for count in 0..<200 { names.append(random.bytes(count % 40)) }
        try expectPythonsSpelling(names, random.label)
    }

    /// Contents as any JSON writer may spell them, against `os.fsencode(json.loads(text))`; what Python
    /// cannot encode is no name.
    @Test func decodingRandomEscapesGivesPythonsBytes() throws {
        var random = SeededRandom()
        let pieces = [
            #"\ud83d\ude00"#, #"\uD83D\uDE00"#, #"\ud83d"#, #"\ude00"#, #"\udcff"#, #"\udc80"#, #"\udc7f"#,
            #"\udd00"#,
            #"\udcc3\udca9"#, #"\u00e9"#, #"\u20AC"#, #"\u0000"#, #"\u007f"#, #"\uffff"#, #"\/"#, #"\""#,
            #"\\"#,
            #"\n\r\t\b\f"#, "é", "€", "😀", "a", "\u{7f}", "/",
        ].map { Array($0.utf8) }
        let texts = (0..<4000).map { _ in
            (0..<Int.random(in: 1...4, using: &random)).flatMap { _ in
                pieces[Int.random(in: 0..<pieces.count, using: &random)]
            }
        }
        let script =
            Python.readBlobs + """
                for blob in blobs:
                    try: write_blob(b"+" + os.fsencode(json.loads('"' + blob.decode() + '"')))
                    except UnicodeEncodeError: write_blob(b"-")
                """
        let expected = try Python.splitBlobs(Python.run(script, input: Python.blobs(texts)))
        try #require(expected.count == texts.count)
        #expect(expected.contains([UInt8(ascii: "-")]))
        for (text, bytes) in zip(texts, expected) {
            let python = bytes.first == UInt8(ascii: "+") ? Array(bytes.dropFirst()) : nil
            #expect(decoded(text) == python, "\(String(decoding: text, as: UTF8.self)), \(random.label)")
        }
    }

    @Test(arguments: [
        #"\ud800"#, #"\udbff"#, #"\ud83dx"#, #"\ud83d\n"#, #"\ud83dA"#, #"\ud83d\ud83d"#, #"\udc00"#,
        #"\udc7f"#, #"\udd00"#,
        #"\udfff"#, #"a\ud83d"#,
    ])
    func aLoneSurrogateIsNoName(_ contents: String) {
        #expect(decoded(Array(contents.utf8)) == nil)
    }
}
