import Foundation
import SnapcatFormat
import SnapcatPlatform
import SnapcatTestSupport
import Testing

/// What a purge leaves of the names beside the snapshots: nothing in the catalog, and a word of the rest.
@Suite(.serialized) struct PurgedNamesTests {
    /// A history with names that occur nowhere else, in lines of every kind.
    private func history() async throws -> RestoreSandbox {
        let sandbox = try RestoreSandbox(["kept/file": "kept\n", "TOPSECRET": "top\n", "plain": "plain\n"])
        for index in 0..<300 { try sandbox.write("source/SECRETDIR/deep\(index % 7)/INNER-\(index).txt", "inner \(index)\n") }
        try FileManager.default.createSymbolicLink(atPath: sandbox.source + "/SECRETDIR/LINK", withDestinationPath: "../plain")
        try await sandbox.make()
        try sandbox.write("source/TOPSECRET", "top again\n")
        try FileManager.default.removeItem(atPath: sandbox.source + "/SECRETDIR/deep0")
        try await sandbox.make()
        return sandbox
    }

    private static let words = ["TOPSECRET", "SECRETDIR", "INNER-", "deep3"]

    /// Which of the words the bytes of the catalog's files have.
    private func found(_ sandbox: RestoreSandbox) throws -> [String] {
        let files = try ["", "-wal", "-shm"].filter { try sandbox.exists("repo/catalog.sqlite" + $0) }
        #expect(!files.isEmpty)
        return try files.flatMap { suffix in
            let bytes = try Data(contentsOf: URL(fileURLWithPath: sandbox.repo + "/catalog.sqlite" + suffix))
            return Self.words.filter { bytes.range(of: Data($0.utf8)) != nil }.map { "\($0) in catalog.sqlite\(suffix)" }
        }
    }

    private func run(_ sandbox: RestoreSandbox, _ arguments: String...) async throws -> SnapcatProcess.Result {
        try await SnapcatProcess.run(arguments + ["--repo", sandbox.repo])
    }

    /// The catalog is right, and has these names.
    private func expectNames(_ sandbox: RestoreSandbox, _ names: [String]) async throws {
        let verified = try await run(sandbox, "catalog", "verify")
        #expect(verified.status == 0, "\(verified.text)")
        for (table, rows) in [("path", [".", "kept", "kept/file", "plain"] + names), ("folder", ["", "kept"])] {
            let query = try await run(sandbox, "query", "SELECT name FROM \(table) ORDER BY name", "--format", "json")
            let parsed = try JSONSerialization.jsonObject(with: Data(query.stdout)) as? [[String: String]]
            #expect(parsed?.compactMap { $0["name"] }.sorted() == rows.sorted(), "\(query.text)")
        }
    }

    @Test func theCatalogHasTheNamesNoMore_norHaveItsBytes() async throws {
        let sandbox = try await history()
        #expect(try found(sandbox).count >= Self.words.count)
        let verified = try await run(sandbox, "check", "--read-data")
        #expect(verified.status == 0)
        let done = try await run(sandbox, "purge", "TOPSECRET", "SECRETDIR")
        #expect(done.status == 0 && !done.stderr.contains("names stay"), "\(done.stderr)")
        #expect(try found(sandbox) == [])
        try await expectNames(sandbox, [])
        // What reading has shown is no less known for it.
        let question = "SELECT count(*) FROM object WHERE verified_at IS NOT NULL AND present"
        let ledger = try await run(sandbox, "query", question, "--format", "tsv")
        #expect(ledger.lines.last.map { $0 != "0" } == true, "\(ledger.text)")
        #expect(try await run(sandbox, "gc", "--grace", "0s").status == 0)
        #expect(try found(sandbox) == [])
        // What is made afterwards finds its place.
        try FileManager.default.removeItem(atPath: sandbox.source + "/SECRETDIR")
        try sandbox.write("source/TOPSECRET", "public\n")
        try await sandbox.make()
        try await expectNames(sandbox, ["TOPSECRET"])
    }

    @Test func namesThatOnlyTheCatalogStillHasGoToo() async throws {
        let sandbox = try await history()
        for name in ["TOPSECRET", "SECRETDIR"] {
            let path = sandbox.source + "/" + name
            try FileManager.default.removeItem(atPath: path)
        }
        try await sandbox.make()
        #expect(try await run(sandbox, "forget", "oldest").status == 0)
        #expect(try await run(sandbox, "forget", "oldest").status == 0)
        let other = try await run(sandbox, "purge", "no such name")
        #expect(try other.status == 0 && !found(sandbox).isEmpty)
        let done = try await run(sandbox, "purge", "TOPSECRET", "SECRETDIR/")
        #expect(done.status == 0 && done.stderr.contains("none has it"), "\(done.stderr)")
        #expect(try found(sandbox) == [])
        try await expectNames(sandbox, [])
    }

    @Test func aDryRunLeavesTheCatalogAsItIs() async throws {
        let sandbox = try await history()
        let before = try found(sandbox)
        #expect(try await run(sandbox, "purge", "TOPSECRET", "SECRETDIR", "--dry-run").status == 0)
        #expect(try found(sandbox) == before)
    }

    @Test func aReaderOfTheCatalogHindersNoPurge_andThatTheNamesStayIsTold() async throws {
        let sandbox = try await history()
        let reader = """
            import sqlite3, subprocess, sys
            c = sqlite3.connect("file:" + sys.argv[1] + "/catalog.sqlite?mode=ro", uri=True, isolation_level=None)
            c.execute("BEGIN"); c.execute("SELECT count(*) FROM path").fetchall()
            done = subprocess.run(sys.argv[2:] + ["--repo", sys.argv[1]], capture_output=True)
            sys.stdout.buffer.write(b"%d %s" % (done.returncode, done.stderr))
            """
        let output = try Python.run(reader, arguments: [sandbox.repo, SnapcatProcess.binary(), "purge", "TOPSECRET", "SECRETDIR"])
        let text = String(decoding: output, as: UTF8.self)
        #expect(text.hasPrefix("0 ") && text.contains("the names stay in the catalog until 'snapcat catalog rebuild'"), "\(text)")
        #expect(try await run(sandbox, "catalog", "rebuild").status == 0)
        #expect(try found(sandbox) == [])
        try await expectNames(sandbox, [])
    }

    @Test func aCatalogOfANewerSnapcatStaysAsItIs_andIsTold() async throws {
        let sandbox = try await history()
        let catalog = sandbox.repo + "/catalog.sqlite"
        let script = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('PRAGMA user_version = 9999'); c.commit()"
        _ = try Python.run(script, arguments: [catalog])
        let before = try found(sandbox)
        let done = try await run(sandbox, "purge", "TOPSECRET", "SECRETDIR")
        let note = "the names stay in '\(catalog)' until 'snapcat catalog rebuild'"
        #expect(done.status == 0 && done.stderr.contains(note), "\(done.stderr)")
        #expect(try found(sandbox) == before)
        #expect(try await run(sandbox, "catalog", "rebuild").status == 0)
        #expect(try found(sandbox) == [])
    }

    @Test func formerCatalogsAndDamagedCopiesAreNamed_andStay() async throws {
        let sandbox = try await history()
        let quiet = try await run(sandbox, "purge", "plain")
        #expect(quiet.status == 0 && !quiet.stderr.contains("remove it"), "\(quiet.stderr)")
        let md5s = ["top again\n", "kept\n"].map { RetentionSandbox.md5($0) }
        let copies = md5s.map { "repo/heap/damaged/\($0)-0123456789abcdef" } + ["repo/heap/damaged/other"]
        let former = ["replaced-1", "replaced-12", "rebuilding"].map { "repo/catalog.sqlite.\($0)" }
        for name in copies + former { try sandbox.write(name, "x") }
        let dry = try await run(sandbox, "purge", "TOPSECRET", "--dry-run")
        #expect(!dry.stderr.contains("remove it"), "\(dry.stderr)")
        let done = try await run(sandbox, "purge", "TOPSECRET")
        let told = done.stderr.split(separator: "\n").filter { $0.contains("remove it by hand") }
        #expect(done.status == 0 && told.count == 4, "\(done.stderr)")
        for name in former + [copies[0]] {
            #expect(told.count { $0.contains("'\(sandbox.folder.path)/\(name)'") } == 1, "\(name): \(told)")
        }
        for name in copies + former { #expect(try sandbox.exists(name), "\(name)") }
    }
}
