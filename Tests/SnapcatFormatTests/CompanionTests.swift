import SnapcatPlatform
import SnapcatTestSupport
import Testing

@testable import SnapcatFormat

/// Companions: two gzip members that are one file of JSON lines.
@Suite struct CompanionTests {
    private func facts() -> SnapshotFacts {
        var facts = SnapshotFacts()
        facts.host = "höst"
        facts.user = "user \"q\""
        facts.fileRoot = Array("/data/".utf8) + [0xff, 0x0a]
        facts.tags = ["daily", "", "ü\u{1f600}"]
        facts.note = "two\nlines\t\\"
        facts.startedAt = SnapshotTime(microseconds: 1_795_218_531_220_298)
        facts.finishedAt = SnapshotTime(microseconds: 1_795_218_532_000_001)
        facts.scanStartNanoseconds = 1_795_218_531_220_298_123
        facts.device = 2049
        facts.tool = "snapcat 1.0"
        (facts.files, facts.bytes, facts.nodes) = (3, .max, 2)
        facts.unstable = [.init(name: EntryName([0x61, 0xfe]), message: "it changed")]
        facts.errors = [
            .init(name: EntryName("b"), message: "Permission denied"),
            .init(name: EntryName("c/d"), message: ""),
        ]
        facts.omittedProblems = 7
        return facts
    }

    private func randomNode(_ random: inout SeededRandom) -> Node {
        func integer() -> Int64 { Int64(truncatingIfNeeded: random.next()) >> Int64(random.next() % 63) }
        let kind = Node.Kind.allCases[Int(random.next() % UInt64(Node.Kind.allCases.count))]
        return Node(
            name: EntryName(random.name()), kind: kind, destination: kind == .link ? random.name() : nil,
            mode: integer(),
            uid: integer(), gid: integer(), mtimeNanoseconds: integer(),
            device: kind == .directory && random.next() % 2 == 0 ? integer() : nil)
    }

    private func companion(_ facts: SnapshotFacts, _ nodes: [Node]) throws -> [UInt8] {
        let sink = ArraySink()
        let spool = try CompanionWriter.NodeSpool(into: sink, level: .standard)
        for node in nodes { try spool.write(node) }
        try spool.finish()
        #expect(spool.count == Int64(nodes.count))
        return try CompanionWriter.factsMember(facts, level: .standard) + sink.bytes
    }

    private func reader(gzip: [UInt8]) throws -> CompanionReader {
        try CompanionReader(GzipReader(ArraySource(gzip), name: "companion"), name: "companion")
    }

    private func reader(text: String) throws -> CompanionReader {
        try CompanionReader(ArraySource(Array(text.utf8)), name: "companion")
    }

    @Test func factsReadBackAsTheyWereWritten() throws {
        for facts in [facts(), SnapshotFacts()] {
            let reader = try reader(gzip: companion(facts, []))
            #expect(reader.facts == facts)
            #expect(try reader.nextNode() == nil)
            #expect(try !reader.advance())
        }
    }

    @Test func nodesReadBackInTheirOrder() throws {
        var random = SeededRandom()
        let nodes = (0..<2000).map { _ in randomNode(&random) }
        let reader = try reader(gzip: companion(facts(), nodes))
        for node in nodes { #expect(try reader.nextNode() == node, "\(random.label)") }
        #expect(try reader.nextNode() == nil)
    }

    @Test func theRestOfACompanionReadsAsNamedLines() throws {
        let names = ["a", "b/c", "d"]
        let nodes = names.map {
            Node(name: EntryName($0), kind: .fifo, mode: 0o010644, uid: 1, gid: 2, mtimeNanoseconds: 3)
        }
        let entries = try reader(gzip: companion(facts(), nodes)).rest
        for name in names {
            #expect(try entries.advance())
            try entries.parse()
            #expect(entries.entryName == Array(name.utf8))
        }
        #expect(try !entries.advance())
    }

    @Test func twoMembersAreOneGzipOfPythonsLines() throws {
        var random = SeededRandom()
        let nodes = (0..<200).map { _ in randomNode(&random) }
        let script = """
            import gzip, json, sys
            for line in gzip.decompress(sys.stdin.buffer.read()).decode("ascii").split("\\n"):
                print(json.dumps(json.loads(line), sort_keys=True))
            """
        let expected = try Python.lines(script, input: companion(facts(), nodes))
        #expect(expected == [facts().line] + nodes.map(\.line), "\(random.label)")
    }

    @Test(arguments: ["", "\n\n", "{}", #"{"name": "a"}"#, #"{"format": "1"}"#, "[1]", "x", #"{"format": 1"#])
    func aFirstLineThatIsNoCompanionsIsDamage(_ text: String) {
        let error = #expect(throws: SnapcatError.self) { try reader(text: text) }
        #expect(error?.code == .damage)
    }

    @Test(arguments: [
        "{}", "x", #"{"name": "a"}"#, #"{"type": "fifo"}"#, #"{"name": "a", "type": "file"}"#,
        #"{"name": 1, "type": "fifo"}"#,
        #"{"name": "a", "type": "link"}"#, #"{"name": "a", "type": "fifo"}}"#,
    ])
    func aNodeThatIsNoneIsDamageWithItsLine(_ line: String) throws {
        let reader = try reader(text: "{\"format\": 1}\n\(line)\n")
        let error = #expect(throws: SnapcatError.self) { try reader.nextNode() }
        #expect(error?.code == .damage)
        #expect(error?.description.contains("line 2") == true)
    }

    /// All but the end of the first member: there nothing is missing but the nodes.
    @Test func aCompanionThatIsCutIsDamage() throws {
        let nodes = [
            Node(name: Node.rootName, kind: .directory, mode: 0o040755, uid: 0, gid: 0, mtimeNanoseconds: 1)
        ]
        let whole = try companion(facts(), nodes)
        // Where the second member begins, which has the same header: compressed anew the first may have another length.
        let header = whole.prefix(10)
        let first = try #require((1..<whole.count - 10).first { whole[$0..<$0 + 10] == header })
        for count in 0..<whole.count where count != first {
            let error = #expect(throws: SnapcatError.self, "cut to \(count) bytes") {
                let reader = try reader(gzip: Array(whole[..<count]))
                while try reader.nextNode() != nil {}
            }
            #expect(error?.code == .damage, "cut to \(count) bytes")
        }
    }

    @Test func randomDamageOfALineIsAnErrorNeverATrap() throws {
        var random = SeededRandom()
        let lines = [facts().line, randomNode(&random).line, randomNode(&random).line]
        for round in 0..<6000 {
            var line = lines[round % lines.count]
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let index = Int.random(in: 0..<line.count, using: &random)
                switch random.next() % 3 {
                case 0: line[index] = UInt8(truncatingIfNeeded: random.next())
                case 1: line.remove(at: index)
                default: line.insert(Array(#"{}[]",:\"#.utf8)[Int(random.next() % 8)], at: index)
                }
            }
            line.withUnsafeBytes { bytes in
                do throws(JSONScanner.Failure) { _ = try SnapshotFacts(parsing: bytes).line } catch {
                    #expect(error.offset <= bytes.count, "\(random.label)")
                }
                do throws(JSONScanner.Failure) { _ = try Node(parsing: bytes).line } catch {
                    #expect(error.offset <= bytes.count, "\(random.label)")
                }
            }
        }
    }
}
