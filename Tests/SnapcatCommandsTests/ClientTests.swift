import Foundation
import SnapcatTestSupport
import Testing

/// The catalog in the hands of other programs.
@Suite struct ClientTests {
    private static let views = [
        "snapshot", "file_version", "snapshot_file", "current_file", "change", "snapshot_node", "folder_size", "object",
        "missing_object", "orphan_object", "problem", "catalog_info",
    ]

    private static func run(_ program: String, _ arguments: [String]) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [program] + arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: bytes, as: UTF8.self))
    }

    /// The extension beside the binary under test, without its suffix, as `.load` wants it.
    private static func loadable() throws -> String {
        URL(fileURLWithPath: try SnapcatProcess.binary()).deletingLastPathComponent().path + "/libsnapcat_sqlite"
    }

    @Test func `The sqlite3 shell reads every view without an extension`() async throws {
        let history = try await EventfulRepository()
        for view in Self.views {
            let (status, output) = try Self.run("sqlite3", [history.repository + "/catalog.sqlite", "SELECT count(*) FROM \(view)"])
            #expect(status == 0 && Int(output.trimmingCharacters(in: .newlines)) != nil, "\(view): \(output)")
        }
    }

    private static let questions = [
        "SELECT status, count(*) FROM diff('oldest', 'latest') GROUP BY 1",
        "SELECT name, md5, human(size), mode_text(mode) FROM files_at('latest~1') ORDER BY name",
        "SELECT valid_from, md5 FROM history('letter.txt')",
        "SELECT name, growth, new_bytes FROM growth('oldest', 'latest') ORDER BY name",
        "SELECT ref('latest') = (SELECT id FROM snapshot ORDER BY taken_at_us DESC LIMIT 1), ts('2026-11-20T00:00:00Z'), bytes('2G')",
        "SELECT name, hex(content(md5)), content_text(md5, 4) FROM current_file WHERE size < 100 ORDER BY name",
    ]

    @Test func `The extension gives the sqlite3 shell the answers of query`() async throws {
        let history = try await EventfulRepository()
        let loadable = try Self.loadable()
        for question in Self.questions {
            let own = try await SnapcatProcess.succeed(["query", "--repo", history.repository, "--format", "json", question])
            let (status, output) = try Self.run(
                "sqlite3", ["-json", history.repository + "/catalog.sqlite", ".load \(loadable)", question])
            #expect(status == 0, "\(question): \(output)")
            let mine = try JSONSerialization.jsonObject(with: Data(own.stdout)) as? NSArray
            let theirs = try JSONSerialization.jsonObject(with: Data(output.utf8)) as? NSArray
            #expect(mine == theirs && mine?.count ?? 0 > 0, "\(question)")
        }
        let (status, output) = try Self.run(
            "sqlite3", [history.repository + "/catalog.sqlite", ".load \(loadable)", "SELECT * FROM diff('2001-01-01')"])
        #expect(status != 0 && output.contains("No snapshot"), "\(output)")
    }

    @Test func `The extension gives Python the answers of query`() async throws {
        let history = try await EventfulRepository()
        // Debian's own: other builds of Python may not load extensions.
        let script = """
            import sqlite3, sys, json
            connection = sqlite3.connect("file:" + sys.argv[1] + "?mode=ro", uri=True)
            connection.enable_load_extension(True)
            connection.load_extension(sys.argv[2])
            print(json.dumps(connection.execute(sys.argv[3]).fetchall()))
            """
        for question in Self.questions {
            let (status, output) = try Self.run(
                "/usr/bin/python3", ["-c", script, history.repository + "/catalog.sqlite", try Self.loadable(), question])
            #expect(status == 0 && output.count > 5, "\(question): \(output)")
        }
    }

    @Test func `Datasette answers for every view`() async throws {
        let history = try await EventfulRepository()
        let python = ProcessInfo.processInfo.environment["SNAPCAT_TEST_PYTHON"] ?? "python3"
        for view in Self.views {
            let (status, output) = try Self.run(
                python, ["-m", "datasette", history.repository + "/catalog.sqlite", "--get", "/catalog/\(view).json?_shape=array"])
            #expect(status == 0, "\(view): \(output)")
            let rows = try JSONSerialization.jsonObject(with: Data(output.utf8)) as? NSArray
            let isEmpty = ["missing_object", "orphan_object", "problem"].contains(view)
            #expect(rows?.count == 0 || !isEmpty && rows != nil, "\(view): \(output)")
            #expect(isEmpty || rows?.count ?? 0 > 0, "\(view)")
        }
    }
}
