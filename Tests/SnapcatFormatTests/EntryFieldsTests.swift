import SnapcatPlatform
import SnapcatTestSupport
import Testing

@testable import SnapcatFormat

private let snapshooterLine = """
    {"created": 1700000000.25, "gid": 1000, "ino": 42, "islink": false, \
    "md5": "d41d8cd98f00b204e9800998ecf8427e", \
    "mode": 33188, "mtime": 1600000000.5, "name": "a/b.txt", "nlink": 1, "size": 7, "type": "file", \
    "uid": 1001}
    """

private let snapcatLine =
    snapshooterLine
    .replacing(#", "gid""#, with: #", "ctime_ns": 1700000000250000000, "gid""#)
    .replacing(#", "name""#, with: #", "mtime_ns": 1600000000500000001, "name""#)

/// The fields of a line, or the parser's reason against it.
private func parse(_ line: [UInt8]) -> Result<EntryFields, JSONScanner.Failure> {
    line.withUnsafeBytes { bytes in
        do throws(JSONScanner.Failure) { return .success(try EntryFields(bytes)) } catch {
            return .failure(error)
        }
    }
}

private func fields(_ line: String) throws -> EntryFields { try parse(Array(line.utf8)).get() }

/// Lines of every shape, and lines that are none: an error, never a trap.
@Suite struct EntryFieldsTests {
    /// Lines as snapcat writes them, whole and with a few bytes changed, taken out or put in.
    @Test func theQuickWayReadsOwnLinesAsTheScannerDoes() throws {
        var random = SeededRandom()
        var quick = 0
        for round in 0..<4000 {
            let line = random.snapshotLine(round)
            line.withUnsafeBytes { bytes in
                guard var fields = OwnSpelling.fields(bytes) else { return }
                #expect(fields.hasOwnSpelling)
                fields.hasOwnSpelling = false
                quick += 1
                #expect(fields == (try? EntryFields(scanning: bytes)), "\(String(decoding: line, as: UTF8.self)), \(random.label)")
            }
        }
        #expect(quick > 400, "\(random.label)")
        for own in [snapcatLine, snapshooterLine].map({ Array($0.utf8) }) {
            #expect(try own.withUnsafeBytes { OwnSpelling.fields($0) == (try EntryFields($0)) })
        }
    }

    @Test func snapshootersLineHasItsShapeAndValues() throws {
        let fields = try fields(snapshooterLine)
        #expect(fields.isSnapshooterShape)
        #expect(!fields.isSnapcatShape)
        #expect(!fields.hasOddValue && !fields.hasOtherKeys)
        #expect(fields.md5 == .empty)
        #expect([fields.size, fields.mode, fields.uid, fields.gid] == [7, 33188, 1001, 1000])
        #expect([fields.linkCount, fields.inode] == [1, 42])
        #expect(fields.isLinkFalse && fields.isTypeFile)
        let line = Array(snapshooterLine.utf8)
        #expect(line[fields.nameRange].elementsEqual("a/b.txt".utf8))
        line.withUnsafeBytes { bytes in
            #expect(EntryFields.double(bytes, fields.mtimeRange) == 1_600_000_000.5)
            #expect(EntryFields.double(bytes, fields.createdRange) == 1_700_000_000.25)
            #expect(fields.modificationNanoseconds(of: bytes) == 1_600_000_000_500_000_000)
        }
    }

    @Test func snapcatsLineHasItsShapeAndExactTimes() throws {
        let fields = try fields(snapcatLine)
        #expect(fields.isSnapcatShape)
        #expect(!fields.isSnapshooterShape)
        #expect(fields.ctimeNs == 1_700_000_000_250_000_000)
        Array(snapcatLine.utf8).withUnsafeBytes {
            #expect(fields.modificationNanoseconds(of: $0) == 1_600_000_000_500_000_001)
        }
    }

    @Test(arguments: [
        #""size": null"#, #""size": "7""#, #""size": 7.0"#, #""size": 07e0"#, #""size": 9223372036854775808"#,
        #""size": -0"#,
        #""size": [7]"#, #""size": true"#,
    ])
    func anOddSizeIsMarkedAndHasNoShape(_ member: String) throws {
        let line = snapshooterLine.replacing(#""size": 7"#, with: member)
        guard case .success(let fields) = parse(Array(line.utf8)) else {
            #expect(member.contains("07"), "only a leading zero is no JSON")
            return
        }
        #expect(fields.hasOddValue && !fields.isSnapshooterShape)
        #expect(fields.size == 0)
    }

    @Test(arguments: [
        (#""islink": false"#, #""islink": true"#), (#""islink": false"#, #""islink": null"#),
        (#""type": "file""#, #""type": "directory""#), (#""type": "file""#, #""type": 1"#),
        (#""mtime": 1600000000.5"#, #""mtime": NaN"#), (#""mtime": 1600000000.5"#, #""mtime": -Infinity"#),
        (#""created": 1700000000.25"#, #""created": "2026""#),
        (#""md5": "d41d8cd98f00b204e9800998ecf8427e""#, #""md5": "D41D8CD98F00B204E9800998ECF8427E""#),
        (#""md5": "d41d8cd98f00b204e9800998ecf8427e""#, #""md5": null"#),
    ])
    func anOddValueIsMarked(_ member: String, _ odd: String) throws {
        let fields = try fields(snapshooterLine.replacing(member, with: odd))
        #expect(fields.hasOddValue && !fields.isSnapshooterShape)
    }

    @Test(arguments: ["NaN", "Infinity", "-Infinity", "null", #""x""#])
    func aTimeThatIsNoNumberIsNoTime(_ value: String) throws {
        let line = Array(#"{"name": "a", "mtime": \#(value)}"#.utf8)
        let fields = try parse(line).get()
        #expect(fields.has(.mtime) && fields.mtimeRange.isEmpty)
        line.withUnsafeBytes { #expect(fields.modificationNanoseconds(of: $0) == nil) }
        #expect(try Entry(line: line).mtime == nil)
    }

    @Test func otherKeysOfAnyNestingAreKeptAsTheyAreSpelled() throws {
        let line =
            #"{"etag": "0x8D", "metadata": {"a": [1.50, {"b": null}]}, "name": "n", "size": 1E2, "zero": -0}"#
        let entry = try Entry(line: Array(line.utf8))
        #expect(try fields(line).hasOtherKeys)
        #expect(entry.json(forKey: "metadata") == Array(#"{"a": [1.50, {"b": null}]}"#.utf8))
        #expect(entry.json(forKey: "etag") == Array(#""0x8D""#.utf8))
        #expect(entry.json(forKey: "size") == Array("1E2".utf8))
        #expect(entry.json(forKey: "zero") == Array("-0".utf8))
        #expect(entry.json(forKey: "absent") == nil)
        #expect(
            entry.members().map(\.key)
                == ["etag", "metadata", "name", "size", "zero"].map { Array($0.utf8) })
    }

    @Test func ofAKeyThatComesTwiceTheLastCounts() throws {
        let line = Array(#"{"name": "first", "size": 1, "size": 2, "name": "second"}"#.utf8)
        let fields = try parse(line).get()
        #expect(fields.hasOddValue)
        #expect(fields.size == 2)
        let entry = try Entry(line: line)
        #expect(entry.name == EntryName("second"))
        #expect(entry.json(forKey: "size") == Array("2".utf8))
    }

    @Test func aNameIsTheBytesThatItsEscapesStandFor() throws {
        let entry = try Entry(line: Array(#"{"name": "caf\u00e9/\udcff\ud83d\ude00\n\/"}"#.utf8))
        #expect(entry.name.bytes == Array("café/".utf8) + [0xff] + Array("😀\n/".utf8))
        #expect(try Entry(line: Array(#"{"name": "café"}"#.utf8)).name == EntryName("café"))
    }

    @Test(arguments: [
        "", " ", "{", "}", "[]", "null", "7", #""name""#, "{}", #"{"name"}"#, #"{"name":}"#, #"{"name": "a""#,
        #"{"name": "a",}"#, #"{"name": "a"} x"#, #"{"name": "a"}{}"#, #"{"name": a}"#, #"{'name': 'a'}"#,
        #"{"name": 7}"#,
        #"{"name": null}"#, #"{"size": 7}"#, #"{"name": "\x"}"#, #"{"name": "\u12"}"#, #"{"name": "\u12g4"}"#,
        #"{"name": "a\"#, "{\"name\": \"a\tb\"}", #"{"name": "a", "x": 01}"#, #"{"name": "a", "x": 1.}"#,
        #"{"name": "a", "x": .5}"#, #"{"name": "a", "x": +1}"#, #"{"name": "a", "x": 1e}"#,
        #"{"name": "a", "x": -}"#,
        #"{"name": "a", "x": nul}"#, #"{"name": "a", "x": [1,]}"#, #"{"name": "a", "x": {"y"}}"#,
        #"{"name": "a", "x": [}"#,
        #"{"name": "\ud800"}"#, "\u{feff}{\"name\": \"a\"}",
    ])
    func aLineThatIsNoEntryIsDamage(_ line: String) {
        let error = #expect(throws: SnapcatError.self) { try Entry(line: Array(line.utf8)) }
        #expect(error?.code == .damage)
        #expect(error?.description.contains("\n") == false)
    }

    @Test(
        arguments: [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xc0, 0xaf], [0xf4, 0x90, 0x80, 0x80]] as [[UInt8]])
    func aLineThatIsNotUTF8IsDamage(_ bytes: [UInt8]) {
        for key in ["name", "x"] {
            let other = key == "x" ? #""name": "a", "# : ""
            let line = Array(#"{\#(other)"\#(key)": ""#.utf8) + bytes + Array(#""}"#.utf8)
            #expect(throws: SnapcatError.self) { try Entry(line: line) }
        }
    }

    /// The object of the line is the first level.
    @Test(arguments: ["[", #"{"k":"#])
    func nestingOver500LevelsIsDamage(_ open: String) throws {
        func line(_ levels: Int) -> String {
            let close = open == "[" ? "]" : "}"
            return #"{"name": "a", "x": "# + String(repeating: open, count: levels - 1) + "1"
                + String(repeating: close, count: levels - 1) + "}"
        }
        _ = try fields(line(500))
        for levels in [501, 502, 1000, 100_000] {
            #expect(throws: JSONScanner.Failure.self) { try fields(line(levels)) }
            #expect(throws: JSONScanner.Failure.self) { try fields(String(line(levels).prefix(levels))) }
        }
    }

    @Test func aLineOfAMegabyteIsReadWhole() throws {
        let long = String(repeating: "x", count: 1 << 20)
        #expect(try Entry(line: Array(#"{"name": "\#(long)"}"#.utf8)).name.bytes.count == 1 << 20)
        let entry = try Entry(line: Array(#"{"name": "a", "note": "\#(long)"}"#.utf8))
        #expect(entry.json(forKey: "note")?.count == 1 << 20 + 2)
        let many = (0..<50_000).map { #""key\#($0)": \#($0)"# }.joined(separator: ", ")
        #expect(try Entry(line: Array(#"{\#(many), "name": "a"}"#.utf8)).members().count == 50_001)
    }
}

/// Valid lines with random damage: what is taken and what is refused is what Python takes and refuses.
@Suite struct EntryMutationTests {
    private static let seeds = [
        snapshooterLine, snapcatLine,
        #"{"name": "caf\u00e9/\udcff\ud83d\ude00\n", "x": [1, -2.5e-7, {"y": null, "z": [true]}, "é😀"]}"#,
        #"{"mtime": NaN, "name": "n", "size": -0, "t": [], "u": {}, "v": [[Infinity]], "size": 12345678901}"#,
    ].map { Array($0.utf8) }

    private func mutate(_ line: [UInt8], _ random: inout SeededRandom) -> [UInt8] {
        let telling =
            Array(#"{}[]",:\/u0123456789abcdefnNtI-+.eE "#.utf8) + [0x00, 0x09, 0x1f, 0x80, 0xc3, 0xed, 0xff]
        var line = line
        for _ in 0..<Int.random(in: 1...3, using: &random) where !line.isEmpty {
            let index = Int.random(in: 0..<line.count, using: &random)
            let byte = telling[Int.random(in: 0..<telling.count, using: &random)]
            switch random.next() % 6 {
            case 0: line[index] = byte
            case 1: line.insert(byte, at: index)
            case 2: line.remove(at: index)
            case 3: line[index] ^= 1 << UInt8(random.next() % 8)
            case 4:
                line.removeSubrange(index..<min(line.count, index + Int.random(in: 1...20, using: &random)))
            default:
                let end = Int.random(in: index..<line.count, using: &random)
                line.insert(contentsOf: line[index...end], at: Int.random(in: 0...line.count, using: &random))
            }
        }
        return line
    }

    /// The name's bytes where the line is an entry, else nil.
    private func name(_ line: [UInt8]) throws -> [UInt8]? {
        do throws(SnapcatError) {
            let entry = try Entry(line: line)
            // A parsed line can be taken apart.
            #expect(entry.json(forKey: "name") != nil)
            return entry.name.bytes
        } catch {
            #expect(error.code == .damage)
            return nil
        }
    }

    @Test func twentyThousandMutationsAreJudgedAsByPython() throws {
        var random = SeededRandom()
        let lines = (0..<20_000).map { mutate(Self.seeds[$0 % Self.seeds.count], &random) }
        // Of names that come twice snapcat refuses any that is no string, Python only the last.
        let script =
            Python.readBlobs + """
                def name(text):
                    pairs = json.loads(text, object_pairs_hook=list)
                    if text.lstrip(" \\t\\r\\n")[0] != "{": raise TypeError
                    names = [value for key, value in pairs if key == "name"]
                    if not all(isinstance(name, str) for name in names): raise TypeError
                    return os.fsencode(names[-1])
                for blob in blobs:
                    try: write_blob(b"+" + name(blob.decode()))
                    except (ValueError, TypeError, IndexError): write_blob(b"-")
                """
        let expected = try Python.splitBlobs(Python.run(script, input: Python.blobs(lines)))
        try #require(expected.count == lines.count)
        #expect(expected.filter { $0.first == UInt8(ascii: "+") }.count > 1000)
        for (line, bytes) in zip(lines, expected) {
            let own = try name(line)
            let python = bytes.first == UInt8(ascii: "+") ? Array(bytes.dropFirst()) : nil
            #expect(own == python, "\(String(decoding: line, as: UTF8.self)), \(random.label)")
            // The tree of the same text is built, or refused, without a trap.
            do throws(JSONScanner.Failure) { _ = try JSONValue(parsing: line).bytes } catch {
                #expect(own == nil)
            }
        }
    }
}
