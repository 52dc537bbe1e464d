import Foundation
import SnapcatTestSupport
import Testing

/// Someone has put links, pipes and loops where snapcat keeps its own files: it never works in another folder, never
/// waits for ever, and never runs what a catalog brings along.
@Suite struct HostilePlaceTests {
    private let sandbox: RestoreSandbox
    private let outside: String

    init() async throws {
        sandbox = try RestoreSandbox()
        outside = sandbox.folder.path + "/outside"
        try sandbox.write("outside/keep", "precious\n")
        _ = try await sandbox.make()
        try sandbox.write("source/new", "new\n")
    }

    private func link(_ name: String, to target: String) throws {
        let path = sandbox.repo + "/" + name
        if FileManager.default.fileExists(atPath: path) { try FileManager.default.removeItem(atPath: path) }
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: target)
    }

    private func pipe(_ name: String) throws {
        let path = sandbox.repo + "/" + name
        if FileManager.default.fileExists(atPath: path) { try FileManager.default.removeItem(atPath: path) }
        #expect(mkfifo(path, 0o600) == 0)
    }

    /// One line at most, in its time; what is outside stays as it is.
    @discardableResult
    private func run(_ arguments: [String], _ allowed: Set<Int32>) async throws -> SnapcatProcess.Result {
        let result = try await SnapcatProcess.run(arguments + ["--repo", sandbox.repo, "-q"])
        #expect(allowed.contains(result.status), "\(arguments): \(result.status) \(result.stderr)")
        #expect(result.lines("error").count == (result.status == 0 ? 0 : 1), "\(result.stderr)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: outside) == ["keep"], "\(arguments)")
        return result
    }

    @Test(arguments: ["heap/temp", "heap/.lock", "snap/.lock"])
    func `A link in the place of snapcat's own file or folder is refused`(name: String) async throws {
        try link(name, to: name.hasSuffix("temp") ? outside : outside + "/made")
        try await run(["make", sandbox.source], [2])
    }

    @Test(arguments: ["heap/.unfinished-run-0123456789abcdef", "heap/.lock-shared-0123456789abcdef", "snap/.lock-exclusive-0123456789abcdef"])
    func `Pipes and links that look like marks or holders of a lock are nobody's`(name: String) async throws {
        try pipe(name)
        try await run(["make", sandbox.source], [0])
        try link(name, to: "/dev/zero")
        try await run(["make", sandbox.source], [0])
        try link(name, to: outside + "/keep")
        try await run(["gc"], [0])
        #expect(try sandbox.read("outside/keep") == "precious\n")
    }

    @Test(arguments: ["heap/.lock", "snap/.lock"])
    func `A pipe in the place of a lock does not make anybody wait`(name: String) async throws {
        try pipe(name)
        try await run(["make", sandbox.source], [0, 2])
    }

    @Test(arguments: [true, false])
    func `A catalog is not built through a link or a pipe`(isLink: Bool) async throws {
        try FileManager.default.removeItem(atPath: sandbox.repo + "/catalog.sqlite")
        let name = "catalog.sqlite.rebuilding"
        if isLink { try link(name, to: outside + "/made") } else { try pipe(name) }
        #expect(try await run(["list", "--format", "jsonl"], [0]).lines.count == 1)
        try await run(["catalog", "rebuild"], [2])
    }

    @Test func `Links that go round in circles end`() async throws {
        for name in ["snap/a", "snap/b", "snap/c"] { try link(name, to: ".") }
        try FileManager.default.createDirectory(atPath: sandbox.repo + "/snap/trash", withIntermediateDirectories: true)
        for name in ["snap/trash/a", "snap/trash/b"] { try link(name, to: "..") }
        #expect(try await run(["list", "--format", "jsonl"], [0]).lines.count == 1)
        try await run(["gc"], [0])
        try await run(["check"], [0])
    }

    @Test func `Triggers in a catalog never run`() async throws {
        let catalog = sandbox.repo + "/catalog.sqlite"
        let script = """
            import sqlite3, sys
            c = sqlite3.connect(sys.argv[1], isolation_level=None)
            c.execute("CREATE TRIGGER evil AFTER INSERT ON snapshot_row BEGIN DELETE FROM version; END")
            c.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            """
        _ = try Python.run(script, arguments: [catalog])
        let made = try await SnapcatProcess.run(["make", sandbox.source, "--repo", sandbox.repo])
        #expect(made.status == 0 && made.stderr.contains("triggers"), "\(made.stderr)")
        try await run(["check"], [0])
    }

    /// Views of a hostile catalog may show anything, but reach nothing: no contents, no files.
    @Test(arguments: ["content('MD5')", "content_text('MD5')", "load_extension('x')", "readfile('/etc/passwd')", "(SELECT group_concat(name) FROM files_at('latest'))"])
    func `Views of a catalog cannot call what reaches out of it`(expression: String) async throws {
        let catalog = sandbox.repo + "/catalog.sqlite"
        let md5 = try #require(try await SnapcatProcess.succeed(["query", "--repo", sandbox.repo, "--format", "csv", "SELECT md5 FROM object"]).lines.last)
        let script = """
            import sqlite3, sys
            c = sqlite3.connect(sys.argv[1], isolation_level=None)
            c.execute("DROP VIEW catalog_info")
            c.execute("PRAGMA writable_schema = ON")
            c.execute("CREATE VIEW catalog_info AS SELECT 1 AS value")
            c.execute("UPDATE sqlite_schema SET sql = ? WHERE name = 'catalog_info'", ("CREATE VIEW catalog_info AS SELECT " + sys.argv[2] + " AS value",))
            c.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            """
        _ = try Python.run(script, arguments: [catalog, expression.replacing("MD5", with: md5)])
        let result = try await SnapcatProcess.run(["query", "--repo", sandbox.repo, "SELECT value FROM catalog_info"])
        #expect(result.status == 2 && result.stdout.isEmpty && result.lines("error").count == 1, "\(result.status) \(result.text) \(result.stderr)")
    }
}

/// The tree that is snapshotted may be anybody's.
@Suite struct HostileSourceTests {
    /// A file of rules that is none, or cannot be read, costs its rules and nothing else.
    @Test(arguments: ["", "inner/"], [".snapcatignore", "CACHEDIR.TAG"])
    func `A file of rules that is a link, a pipe or a folder costs no snapshot`(folder: String, name: String) async throws {
        let sandbox = try RestoreSandbox(["a": "one\n", "inner/b": "two\n", "rules": "*\n"])
        let path = "\(sandbox.source)/\(folder)\(name)"
        for kind in ["link", "loop", "pipe", "folder"] {
            switch kind {
            case "link": try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: sandbox.source + "/rules")
            case "loop": try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: path)
            case "pipe": #expect(mkfifo(path, 0o600) == 0)
            default: try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
            }
            let made = try await SnapcatProcess.run(["make", sandbox.source, "--repo", sandbox.repo, "--exclude-caches"])
            #expect(made.status == 0, "\(kind): \(made.stderr)")
            #expect(try await sandbox.names().filter { ["a", "inner/b", "rules"].contains($0) }.count == 3, "\(kind)")
            try FileManager.default.removeItem(atPath: path)
        }
    }

    @Test func `Names of any bytes are shown with their control characters escaped`() async throws {
        let sandbox = try RestoreSandbox(["\u{1b}[31mred\u{7}": "one\n", "two\nlines": "two\n"])
        try await sandbox.make()
        for command in [["ls", "latest"], ["find", "*"], ["compare", "oldest", "latest", "--diff-state", "equal"]] {
            let result = try await SnapcatProcess.run(command + ["--repo", sandbox.repo])
            #expect(result.status == 0 && !result.stdout.contains(0x1b) && !result.stdout.contains(7), "\(command): \(result.text)")
        }
    }
}
