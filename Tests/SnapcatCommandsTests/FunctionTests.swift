import Foundation
import SnapcatTestSupport
import Testing

/// The functions of SQL at their edges.
@Suite struct FunctionTests {
    private func query(_ sql: String, _ repository: String) async throws -> SnapcatProcess.Result {
        try await SnapcatProcess.run(["query", "--repo", repository, "--format", "csv", sql])
    }

    @Test func `Wrong arguments are one line with the exit code of their kind`() async throws {
        let history = try await EventfulRepository()
        let wrong: [(sql: String, status: Int32)] = [
            ("SELECT ref('2001-01-01')", 10), ("SELECT ref('no such')", 64), ("SELECT ref(4711)", 10),
            ("SELECT * FROM diff('latest~9')", 10), ("SELECT * FROM diff('live')", 64),
            ("SELECT * FROM files_at('2001-01-01')", 10), ("SELECT * FROM history", 64), ("SELECT ts('never')", 64),
            ("SELECT bytes('many')", 64), ("SELECT content('xyz')", 64), ("SELECT content(md5, -1) FROM current_file", 64),
            ("SELECT * FROM diff(1, 2, 3)", 2), ("SELECT ref()", 2),
        ]
        for (sql, status) in wrong {
            let result = try await query(sql, history.repository)
            #expect(result.status == status, "\(sql): \(result.stderr)")
            #expect(result.stderr.split(separator: "\n").count == 1, "\(sql): \(result.stderr)")
        }
    }

    @Test func `NULL in gives NULL out`() async throws {
        let history = try await EventfulRepository()
        let sql = "SELECT ref(NULL) IS NULL, ts(NULL) IS NULL, bytes(NULL) IS NULL, human(NULL) IS NULL, mode_text(NULL) IS NULL, content(NULL) IS NULL AS c"
        #expect(try await query(sql, history.repository).lines.last == "1,1,1,1,1,1")
    }

    @Test func `A content that the heap lacks is NULL, a damaged one an error, a part is cut`() async throws {
        let history = try await EventfulRepository()
        let md5 = try await query("SELECT md5 FROM current_file WHERE name = 'letter.txt'", history.repository).lines[1]
        let part = try await query("SELECT content_text('\(md5)', 4)", history.repository)
        #expect(part.lines.last == "dear")
        let object = history.repository + "/heap/\(md5.prefix(2))/\(md5).gz"
        let bytes = try Data(contentsOf: URL(fileURLWithPath: object))
        try Data(bytes.dropLast(5)).write(to: URL(fileURLWithPath: object))
        #expect(try await query("SELECT content('\(md5)')", history.repository).status == 5)
        try FileManager.default.removeItem(atPath: object)
        #expect(try await query("SELECT content('\(md5)') IS NULL AS x", history.repository).lines.last == "1")
    }

    @Test func `content gives no more than its bound, and says how to get a part`() async throws {
        let folder = try TempFolder()
        try folder.write("docs/large", Array(repeating: 0x61, count: (16 << 20) + 1))
        _ = try await SnapcatProcess.succeed(["make", folder.path + "/docs", "--repo", folder.path + "/repo", "-q"])
        let whole = try await query("SELECT length(content(md5)) FROM current_file", folder.path + "/repo")
        #expect(whole.status == 2 && whole.stderr.contains("larger than 16777216 bytes"), "\(whole.stderr)")
        #expect(try await query("SELECT length(content(md5, 10)) AS n FROM current_file", folder.path + "/repo").lines.last == "10")
    }

    @Test func `A join gives a function its arguments row by row`() async throws {
        let history = try await EventfulRepository()
        let sql = "SELECT count(*) AS n FROM snapshot AS s, files_at(s.id) AS f JOIN snapshot_file AS x ON x.snapshot_id = s.id AND x.name = f.name AND x.md5 = f.md5"
        let all = try await query("SELECT sum(files) AS n FROM snapshot", history.repository)
        #expect(try await query(sql, history.repository).lines == all.lines)
    }
}
