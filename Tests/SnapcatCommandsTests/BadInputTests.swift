import Foundation
import SnapcatPlatform
import SnapcatTestSupport
import Testing

/// Bad input gets one line on stderr, the exit code of CLI.md, and loses nothing.
@Suite struct BadInputTests {
    private struct Sandbox {
        let folder: TempFolder
        var repo: String { folder.path + "/repo" }
        var source: String { folder.path + "/source" }

        init() async throws {
            folder = try TempFolder()
            try folder.write("source/a.txt", Array("one\n".utf8))
            try folder.write("source/b/c.txt", Array("two\n".utf8))
            _ = try await SnapcatProcess.succeed(["make", source, "--repo", repo])
        }

        /// `REPO` and `SRC` in the arguments stand for the sandbox's places.
        func run(_ arguments: String...) async throws -> SnapcatProcess.Result {
            try await run(arguments)
        }

        func run(_ arguments: [String]) async throws -> SnapcatProcess.Result {
            try await SnapcatProcess.run(
                arguments.map { $0.replacing("REPO", with: repo).replacing("SRC", with: source).replacing("DIR", with: folder.path) })
        }

        func state() throws -> [[UInt8]: [UInt8]] {
            var result: [[UInt8]: [UInt8]] = [:]
            for name in try folder.files() { result[name] = try folder.read(name) }
            return result
        }
    }

    private func errors(_ result: SnapcatProcess.Result) -> [Substring] {
        result.stderr.split(separator: "\n").filter { $0.hasPrefix("snapcat: error: ") }
    }

    @Test func everyWrongCommandLineIsOneLineWithItsExitCode() async throws {
        let sandbox = try await Sandbox()
        let cases: [([String], Int32)] = [
            (["make"], 64), (["make", "SRC"], 64), (["make", "DIR/none", "--repo", "REPO"], 2),
            (["make", "SRC/a.txt", "--repo", "REPO"], 64), (["make", "REPO/heap", "--repo", "REPO"], 64),
            (["make", "SRC", "--repo", "REPO", "--compression", "11"], 64),
            (["make", "SRC", "--repo", "REPO", "--max-size", "huge"], 64), (["make", "SRC", "--repo", ""], 64),
            (["make", "SRC", "--snap-root", "ftp://x/y", "--heap-root", "REPO/heap"], 64), (["nonsense"], 64),
            (["list", "--repo", "DIR/none"], 10), (["list", "--repo", "REPO", "--format", "xml"], 64),
            (["list", "--repo", "REPO", "--limit", "-1"], 64), (["ls", "--repo", "REPO", "latest~1"], 10),
            (["ls", "--repo", "REPO", "2001-01-01"], 10), (["ls", "--repo", "REPO", "what is this"], 64),
            (["ls", "--repo", "REPO", "latest:none"], 2), (["cat", "--repo", "REPO", "latest:none"], 2),
            (["cat", "--repo", "REPO", "latest"], 64), (["cat", "--repo", "REPO", "--md5", "abc"], 64),
            (["cat", "--repo", "REPO", "--md5", String(repeating: "a", count: 32)], 2),
            (["compare", "--repo", "REPO"], 10), (["compare", "--repo", "REPO", "latest", "DIR/none.jsonl.gz"], 2),
            (["query", "--repo", "REPO", "SELEC 1"], 2), (["query", "--repo", "REPO", "SELECT * FROM nothing"], 2),
            (["query", "--repo", "REPO", "SELECT 1; SELECT 2"], 64), (["query", "--repo", "REPO", "SELECT :a"], 64),
            (["query", "--repo", "REPO", "-p", "a=1", "SELECT 1"], 64), (["query", "--repo", "REPO", ""], 64),
            (["query", "--repo", "REPO", "--timeout", "soon", "SELECT 1"], 64),
            (["restore", "--repo", "REPO", "latest"], 64),
            (["restore", "--repo", "REPO", "--file-root", "/", "latest"], 64),
            (["restore", "--repo", "REPO", "--file-root", "DIR/t", "--latest", "2001-01-01"], 10),
        ]
        let before = try sandbox.state()
        for (arguments, status) in cases {
            let result = try await sandbox.run(arguments)
            #expect(result.status == status, "\(arguments): \(result.stderr)")
            #expect(errors(result).count == 1, "\(arguments): \(result.stderr)")
            #expect(result.stdout.isEmpty, "\(arguments)")
        }
        let after = try sandbox.state().filter { !TerminalText.lossy($0.key).contains("catalog.sqlite") }
        #expect(after == before.filter { !TerminalText.lossy($0.key).contains("catalog.sqlite") })
    }

    @Test(arguments: [
        "INSERT INTO setting VALUES ('a', 'b')", "DELETE FROM version", "DROP VIEW snapshot", "CREATE TABLE t (a)",
        "CREATE TEMP TABLE t (a)", "ATTACH 'x.db' AS x", "PRAGMA journal_mode = DELETE", "PRAGMA user_version = 7",
        "VACUUM INTO 'copy.db'", "SELECT load_extension('x')", "UPDATE snapshot_row SET files = 0", "BEGIN",
        "REINDEX", "SELECT writefile('x', 'y')",
    ])
    func `A query that would write is refused`(sql: String) async throws {
        let sandbox = try await Sandbox()
        let before = try await sandbox.run("query", "--repo", "REPO", "SELECT * FROM snapshot_row")
        let result = try await sandbox.run("query", "--repo", "REPO", sql)
        #expect([2, 64].contains(result.status), "\(result.stderr)")
        #expect(errors(result).count == 1, "\(result.stderr)")
        #expect(try await sandbox.run("query", "--repo", "REPO", "SELECT * FROM snapshot_row").stdout == before.stdout)
    }

    @Test func aQueryWithoutEndTimesOutAndLeavesNoLock() async throws {
        let sandbox = try await Sandbox()
        let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
        let result = try await sandbox.run("query", "--repo", "REPO", "--timeout", "1s", endless)
        #expect(result.status == 7)
        #expect(errors(result).count == 1)
        _ = try await SnapcatProcess.succeed(["make", sandbox.source, "--repo", sandbox.repo])
    }

    @Test func aDryRunWritesNothingAtAll() async throws {
        let sandbox = try await Sandbox()
        try sandbox.folder.write("source/new.txt", Array("three\n".utf8))
        for hasCatalog in [true, false] {
            if !hasCatalog { try FileManager.default.removeItem(atPath: sandbox.repo + "/catalog.sqlite") }
            let before = try sandbox.state()
            #expect(try await sandbox.run("make", "SRC", "--repo", "REPO", "--dry-run").status == 0)
            #expect(try await sandbox.run("make", "SRC", "--repo", "DIR/other", "--dry-run").status == 0)
            let plan = try await sandbox.run("restore", "--repo", "REPO", "--file-root", "SRC", "--dry-run", "--format", "tsv")
            #expect(plan.status == 0 && plan.text.contains("delete\tnew.txt"), "\(plan.stderr)")
            #expect(try sandbox.state() == before)
        }
    }

    @Test func aSnapshotFileIsListedWithoutARepository() async throws {
        let sandbox = try await Sandbox()
        let all = try sandbox.folder.files().map { TerminalText.lossy($0) }
        let name = try #require(all.first { $0.hasSuffix(".jsonl.gz") })
        let rows = try await SnapcatProcess.succeed(["ls", "-r", "--format", "tsv", sandbox.folder.path + "/" + name])
        #expect(rows.lines.dropFirst().map { String($0.prefix { $0 != "\t" }) } == ["a.txt", "b", "b/c.txt"])
        #expect(try await sandbox.run("ls", "DIR/none.jsonl.gz").status == 2)
    }

    @Test func aTruncatedLatestSnapshotIsNamedAndTheOneBeforeServes() async throws {
        let sandbox = try await Sandbox()
        try sandbox.folder.write("source/a.txt", Array("changed\n".utf8))
        let path = try await SnapcatProcess.succeed(["make", sandbox.source, "--repo", sandbox.repo]).lines[0]
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        for length in [0, 5, bytes.count / 2, bytes.count - 1] {
            try bytes.prefix(length).write(to: URL(fileURLWithPath: path))
            let named = try await sandbox.run("ls", "--repo", "REPO", String(path.split(separator: "/").last ?? ""))
            #expect(named.status == 5 && errors(named).count == 1, "\(named.stderr)")
            let latest = try await SnapcatProcess.succeed(["cat", "--repo", sandbox.repo, "latest:a.txt"])
            #expect(latest.text == "one\n")
        }
        let next = try await sandbox.run("make", "SRC", "--repo", "REPO")
        #expect(next.status == 0 || next.status == 3, "\(next.stderr)")
        #expect(try await SnapcatProcess.succeed(["cat", "--repo", sandbox.repo, "latest:a.txt"]).text == "changed\n")
    }

    @Test(arguments: ["delete", "zero", "truncate", "garbage", "newer", "readonly"])
    func `Any damage to the catalog changes no answer`(damage: String) async throws {
        let sandbox = try await Sandbox()
        let sql = "SELECT name, size, md5 FROM current_file ORDER BY name"
        let before = try await sandbox.run("query", "--repo", "REPO", sql).text
        #expect(before.contains("a.txt"))
        let file = URL(fileURLWithPath: sandbox.repo + "/catalog.sqlite")
        let bytes = try Data(contentsOf: file)
        switch damage {
        case "delete": try FileManager.default.removeItem(at: file)
        case "zero": try Data(count: bytes.count).write(to: file)
        case "truncate": try bytes.prefix(5000).write(to: file)
        case "garbage": try Data("no database at all, but some text that is long enough".utf8).write(to: file)
        case "newer":
            var newer = bytes
            newer.replaceSubrange(60..<64, with: [0, 0, 0, 99])
            try newer.write(to: file)
        default: try FileManager.default.setAttributes([.posixPermissions: 0o400], ofItemAtPath: file.path)
        }
        let after = try await sandbox.run("query", "--repo", "REPO", sql)
        #expect(after.text == before, "\(after.stderr)")
        #expect(after.status == 0)
    }

    @Test func aDatabaseOfAnotherProgramIsLeftAlone() async throws {
        let sandbox = try await Sandbox()
        let foreign = sandbox.folder.path + "/photos.db"
        _ = try Python.run("import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('create table t (a)'); c.commit()", arguments: [foreign])
        let bytes = try Data(contentsOf: URL(fileURLWithPath: foreign))
        let result = try await SnapcatProcess.run(["list", "--repo", sandbox.repo, "--catalog", foreign])
        #expect(result.status == 64)
        #expect(try Data(contentsOf: URL(fileURLWithPath: foreign)) == bytes)
    }
}
