import Foundation
import SnapcatTestSupport
import Testing

@testable import SnapcatCommands

/// `snapcat query` without SQL: on a pseudo terminal, and from the standard input.
@Suite struct PromptTests {
    private struct Session {
        let sandbox: QuerySandbox
        var history: String { sandbox.folder.path + "/state/snapcat/history" }

        init() async throws { sandbox = try await QuerySandbox() }

        func run(arguments: [String] = [], terminal: String = "xterm", _ steps: [PythonTerminal.Step]) throws -> PythonTerminal.Result {
            try PythonTerminal.run(
                [try SnapcatProcess.binary(), "query", "--repo", sandbox.repo] + arguments,
                environment: [
                    "TERM": terminal, "XDG_STATE_HOME": sandbox.folder.path + "/state",
                    "TMPDIR": sandbox.folder.path + "/temporary", "LC_ALL": "C",
                ], [.expect("snapcat> ")] + steps)
        }
    }

    /// Never ends, and shows that it runs by a first row that is too long to be held back.
    private static let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT hex(zeroblob(40000)) UNION ALL SELECT sum(i) FROM n;\n"
    private static let sign = PythonTerminal.Step.expect(String(repeating: "0", count: 100))

    @Test func aQueryAnswersAnErrorGoesOnAndCtrlDEnds() async throws {
        let session = try await Session()
        let result = try session.run(arguments: ["--format", "csv"], [
            .send("SELECT 'x' || 41 || 'y' AS a;\n"), .expect("x41y"), .expect("snapcat> "),
            .send("SELECT nonsense;\n"), .expect("snapcat: error: The SQL does not work: no such column: nonsense"), .expect("snapcat> "),
            .send("DELETE FROM version;\n"), .expect("may only read"), .expect("snapcat> "),
            .send("SELECT 'p'\n"), .expect("...> "), .send("|| 'q'\n"), .expect("...> "), .send("\n"), .expect("pq"), .expect("snapcat> "),
            .send("SELECT 'gr\u{fc}n' || '!';\n"), .expect("gr\u{fc}n!"), .expect("snapcat> "), .send("\u{4}"),
        ])
        #expect(result.status == 0, "\(result.transcript)")
        #expect(try session.sandbox.leftovers() == [])
    }

    @Test func theTabKeyCompletesViewsColumnsAndCommands() async throws {
        let session = try await Session()
        let result = try session.run(arguments: ["--format", "csv"], [
            .send("SELECT 'n' || count(*) FROM snap\t;\n"), .expect("n2"), .expect("snapcat> "),
            .send("SELECT nam\tFROM curr\tORDER BY 1;\n"), .expect("a.txt"), .expect("b/c.txt"), .expect("snapcat> "),
            .send("SELECT count(*) FROM snapshot\t"), .expect("snapshot  snapshot_file  snapshot_node"), .send(";\n"), .expect("snapcat> "),
            .send(".sch\torphan\t\n"), .expect("orphan_object"), .expect("stored_bytes"), .expect("snapcat> "), .send(".quit\n"),
        ])
        #expect(result.status == 0, "\(result.transcript)")
    }

    @Test func theDotCommandsAnswer() async throws {
        let session = try await Session()
        let result = try session.run([
            .send(".help\n"), .expect(".schema [VIEW]"), .expect("snapcat> "),
            .send(".format jsonl\n"), .expect("snapcat> "), .send("SELECT 1 AS one;\n"), .expect("{\"one\": 1}"), .expect("snapcat> "),
            .send(".timer\n"), .expect("snapcat> "), .send("SELECT 2;\n"), .expect("1 rows in "), .expect("snapcat> "),
            .send(".format xml\n"), .expect("error: No such format"), .expect("snapcat> "),
            .send(".nothing\n"), .expect("error: No such command"), .expect("snapcat> "),
            .send(".schema nothing\n"), .expect("error: No such view"), .expect("snapcat> "),
            .send(".queries\n"), .expect("snapcat> "),
            .send("SELECT present FROM object LIMIT 1;\n"), .expect("{\"present\": 1}"), .expect("snapcat> "), .send(".quit\n"),
        ])
        #expect(result.status == 0, "\(result.transcript)")
    }

    @Test(arguments: ["xterm", "dumb"])
    func `Ctrl-C interrupts a statement and clears a line`(terminal: String) async throws {
        let session = try await Session()
        let result = try session.run(arguments: ["--format", "csv"], terminal: terminal, [
            .send(Self.endless), Self.sign, .send("\u{3}"), .expect("error: Interrupted"), .expect("snapcat> "),
            .send("SELECT 'half"), .expect("half"), .send("\u{3}"), .expect("snapcat> "),
            .send("SELECT 'whole' || 'ness';\n"), .expect("wholeness"), .expect("snapcat> "), .send("\u{4}"),
        ])
        #expect(result.status == 0, "\(result.transcript)")
        #expect(try session.sandbox.leftovers() == [])
    }

    @Test func aStatementOverItsTimeIsToldAndThePromptGoesOn() async throws {
        let session = try await Session()
        let result = try session.run(arguments: ["--timeout", "1s"], [
            .send(Self.endless), .expect("took longer than 1.0 s"), .expect("snapcat> "),
            .send("SELECT 40 + 2;\n"), .expect("42"), .expect("snapcat> "), .send("\u{4}"),
        ])
        #expect(result.status == 0, "\(result.transcript)")
    }

    @Test func aTerminationEndsThePromptWith130() async throws {
        let session = try await Session()
        #expect(try session.run([.signal(SIGTERM)]).status == 130)
        #expect(try session.run(arguments: ["--format", "csv"], [.send(Self.endless), Self.sign, .signal(SIGTERM)]).status == 130)
    }

    @Test func theHistoryIsKeptForTheUserOnlyAndComesBack() async throws {
        let session = try await Session()
        _ = try session.run([.send("SELECT 'first' || 'ly';\n"), .expect("firstly"), .expect("snapcat> "), .send("\u{4}")])
        #expect(try session.sandbox.folder.read("state/snapcat/history") == Array("SELECT 'first' || 'ly';\n".utf8))
        let mode = try FileManager.default.attributesOfItem(atPath: session.history)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        // The arrow up, then return.
        let again = try session.run([.send("\u{1b}[A"), .expect("'ly';"), .send("\n"), .expect("firstly"), .expect("snapcat> "), .send("\u{4}")])
        #expect(again.status == 0, "\(again.transcript)")
    }

    @Test func theHistoryIsBounded() throws {
        let folder = try TempFolder()
        let history = try #require(PromptHistory(environment: ["XDG_STATE_HOME": folder.path]))
        #expect(try history.lines() == [])
        try folder.write("snapcat/history", Array((1...2500).map { "SELECT \($0);\n" }.joined().utf8))
        #expect(try history.lines().count == PromptHistory.mostLines)
        try history.append("SELECT 'last';")
        #expect(try history.lines().last == "SELECT 'last';")
        #expect(try folder.read("snapcat/history").split(separator: UInt8(ascii: "\n")).count == PromptHistory.mostLines + 1)
        try history.append(String(repeating: "a", count: 1 << 20))
        #expect(try history.lines().last == "SELECT 'last';")
    }

    @Test func withoutATerminalTheStandardInputIsTheSQL() async throws {
        let sandbox = try await QuerySandbox()
        let result = try await sandbox.query(["--format", "csv"], input: Array("SELECT 7 AS a\n  -- done\n;\n".utf8))
        #expect(result.status == 0 && result.text == "a\r\n7\r\n" || result.text == "a\n7\n", "\(result.stderr)")
        #expect(try await sandbox.query([], input: []).status == 64)
        #expect(try await sandbox.query(["-p", "a=5", "--format", "tsv"], input: Array("SELECT :a".utf8)).lines.last == "5")
    }

    @Test func completionKnowsWhereItStands() {
        let completion = Completion(queries: ["largest", "largest-growth"])
        #expect(completion.answer("SELECT * FROM snap") == .init(inserted: "shot"))
        #expect(completion.answer("SELECT * FROM orph") == .init(inserted: "an_object "))
        #expect(completion.answer("SELECT * FROM snapshot_").choices == ["snapshot_file", "snapshot_node"])
        #expect(completion.answer("SEL") == .init(inserted: "ECT "))
        #expect(completion.answer("sel") == .init(inserted: "ect "))
        #expect(completion.answer("SELECT nonsense_wor") == .init())
        #expect(completion.answer("larg").inserted == "est")
        #expect(completion.answer(".f") == .init(inserted: "ormat "))
        #expect(completion.answer(".format js").inserted == "on")
        #expect(completion.answer("") == .init())
    }

    @Test func aStatementEndsWithASemicolonOrAnEmptyLine() {
        var buffer = StatementBuffer()
        #expect(buffer.add("") == nil && buffer.isEmpty)
        #expect(buffer.add("SELECT 1;") == "SELECT 1;")
        #expect(buffer.add("SELECT ';") == nil)
        #expect(buffer.add("';") == "SELECT ';\n';")
        #expect(buffer.add("SELECT 1") == nil)
        #expect(buffer.add("  ") == "SELECT 1\n  ")
        #expect(buffer.isEmpty)
    }
}
