import Foundation
import SnapcatPlatform
import SnapcatTestSupport
import Testing

/// The saved queries that come with the program, and the user's own.
@Suite struct SavedQueryTests {
    /// name, parameters, and the names (or another telling column) of the rows on `KnownHistory`.
    static let expected: [(query: String, parameters: [String], column: String, values: [String])] = [
        ("where-is", ["name=docs/a.txt"], "size", ["4", "8", "8"]),
        ("history", ["name=docs/a.txt"], "size", ["4", "8", "8"]),
        ("deleted", [], "name", ["d1.md"]), ("deleted", ["since=latest~1"], "name", []),
        ("growth", [], "name", ["moved.md", "log/Deep/er/x.log", "docs/a.txt", "docs/A.TXT"]),
        ("growth", ["limit=1", "since=latest~1"], "name", ["docs/a.txt"]),
        ("growth-by-ext", [], "ext", ["log", "txt", "md"]),
        ("snapshot-bytes", [], "unique_bytes", ["4", "0", "0", "0"]),
        ("churn", [], "name", ["log/Deep/er/x.log", "docs/a.txt"]),
        ("duplicates", [], "name", ["docs/d2.md"]), ("duplicates", ["min_size=9"], "name", []),
        ("renamed", ["left=oldest", "right=latest"], "name", ["moved.md"]), ("renamed", [], "name", []),
        ("changed-percent", ["limit=50"], "is_alarm", ["0", "1", "1"]),
        ("missing", [], "name", []), ("orphans", [], "md5", []),
        ("bit-rot", [], "name", []), ("size-conflicts", [], "name", []),
        ("case-twins", [], "name", ["docs/A.TXT", "docs/a.txt"]),
        ("risky-modes", [], "permissions", ["4602"]),
        ("largest-folders", ["at=oldest"], "dir", ["docs", "log", "log/Deep", "log/Deep/er"]),
        ("unchanged", ["years=-1"], "name", ["log/Deep/er/x.log", "docs/a.txt", "docs/d2.md", "moved.md", "docs/A.TXT"]),
        ("gaps", [], "hours", []),
    ]

    @Test func everyBuiltInQueryAnswersOnAKnownHistory() async throws {
        let history = try await KnownHistory()
        var tried: Set<String> = ["unverified", "freed-if-forgotten"]
        for (query, parameters, column, values) in Self.expected {
            tried.insert(query)
            let result = try await history.run(
                ["query", query, "-q", "--format", "json"] + parameters.flatMap { ["-p", $0] })
            #expect(result.status == 0, "\(query): \(result.stderr)")
            let rows = try JSONSerialization.jsonObject(with: Data(result.stdout)) as? [[String: Any]] ?? []
            #expect(rows.map { "\($0[column] ?? "absent")" } == values, "\(query) \(parameters)")
        }
        #expect(try await history.column("md5", "query", "unverified").count == 6)
        #expect(try await history.column("hours", "query", "gaps", "-p", "hours=0").count == 3)
        let taken = try await history.query("SELECT taken_at FROM snapshot ORDER BY taken_at_us")
        #expect(try await history.column("bytes", "query", "freed-if-forgotten", "-p", "snapshots=\(taken[0])") == ["4"])
        #expect(
            try await history.column("bytes", "query", "freed-if-forgotten", "-p", "snapshots=\(taken[0]),\(taken[1])") == ["14"])
        let listed = try await history.column("name", "query", "--list")
        #expect(Set(listed) == tried)
    }

    @Test func damageAndForgeryShowInTheirQueries() async throws {
        let history = try await KnownHistory()
        let md5 = try await history.query("SELECT md5 FROM current_file WHERE name = 'docs/A.TXT'")[0]
        try FileManager.default.removeItem(atPath: "\(history.repo)/heap/\(md5.prefix(2))/\(md5).gz")
        let orphan = String(repeating: "ab", count: 16)
        try history.folder.write("repo/heap/ab/\(orphan).gz", [1])
        #expect(try await history.column("name", "query", "missing") == ["docs/A.TXT"])
        #expect(try await history.column("md5", "query", "orphans") == [orphan])
        // The same size and time, another content.
        let path = history.folder.path("source/docs/a.txt")
        let time = try Descriptor.status(path).mtimeNanoseconds
        try history.write("docs/a.txt", "TWO TWO\n")
        try FolderOperations.setModificationTime(time, of: try Descriptor.open(path, .write))
        _ = try await SnapcatProcess.succeed(["make", history.source, "--repo", history.repo, "-q", "--rehash"])
        #expect(try await history.column("name", "query", "bit-rot") == ["docs/a.txt"])
    }

    @Test func theUsersOwnQueriesComeFirstAndDamageIsOneLine() async throws {
        let history = try await KnownHistory()
        let configuration = history.folder.path + "/config"
        let environment = ["XDG_CONFIG_HOME": configuration]
        try history.folder.write("config/snapcat/queries/mine.sql", Array("-- From the configuration\n-- :n a number (default: 7)\nSELECT coalesce(:n, 7) AS n".utf8))
        try history.folder.write("config/snapcat/queries/gaps.sql", Array("-- Mine\nSELECT 'own' AS n".utf8))
        #expect(try await history.rows("query", "mine", environment: environment).first?["n"] as? Int == 7)
        #expect(try await history.rows("query", "mine", "-p", "n=8", environment: environment).first?["n"] as? String == "8")
        #expect(try await history.rows("query", "gaps", environment: environment).first?["n"] as? String == "own")
        try history.folder.write("repo/queries/mine.sql", Array("-- From the repository\nSELECT 'repo' AS n".utf8))
        #expect(try await history.rows("query", "mine", environment: environment).first?["n"] as? String == "repo")
        let list = try await history.rows("query", "--list", environment: environment)
        #expect(list.first { $0["name"] as? String == "mine" }?["description"] as? String == "From the repository")
        #expect(list.first { $0["name"] as? String == "gaps" }?["origin"] as? String == configuration + "/snapcat/queries/gaps.sql")
        try history.folder.write("repo/queries/broken.sql", [0xff, 0xfe])
        for arguments in [["query", "broken"], ["query", "nothing"], ["query", "where-is"], ["query", "gaps", "-p", "x=1"], ["query", "--list", "mine"]] {
            let result = try await history.run(arguments, environment: environment)
            #expect([2, 64].contains(result.status), "\(arguments)")
            #expect(result.stderr.split(separator: "\n").filter { $0.contains("error") }.count == 1 && result.stdout.isEmpty, "\(result.stderr)")
        }
    }

    @Test func anEmptyRepositoryAnswersWithNothing() async throws {
        let folder = try TempFolder()
        try FileManager.default.createDirectory(atPath: folder.path + "/repo/snap", withIntermediateDirectories: true)
        for query in ["deleted", "growth", "renamed", "largest-folders", "snapshot-bytes"] {
            let result = try await SnapcatProcess.run(["query", query, "--repo", folder.path + "/repo", "--format", "json"])
            #expect(result.status == 0 && result.text == "[]\n", "\(query): \(result.stderr)")
        }
        // Without a repository the list has what comes with the program.
        #expect(try await SnapcatProcess.succeed(["query", "--list", "--format", "tsv"]).lines.count > 20)
    }
}
