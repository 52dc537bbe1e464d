import Foundation
import SnapcatPlatform
import SnapcatTestSupport
import Testing

/// A repository with a history that the tests know: four snapshots.
struct KnownHistory {
    let folder: TempFolder
    var repo: String { folder.path + "/repo" }
    var source: String { folder.path + "/source" }
    /// The paths of the snapshots, oldest first.
    private(set) var snapshots: [String] = []

    init() async throws {
        folder = try TempFolder()
        try write("docs/a.txt", "one\n")
        try write("d1.md", "dup dup\n")
        try write("docs/d2.md", "dup dup\n")
        try write("log/Deep/er/x.log", "0123456789")
        try await make()
        try write("docs/a.txt", "two two\n")
        try FileManager.default.moveItem(atPath: source + "/d1.md", toPath: source + "/moved.md")
        try await make()
        try FileManager.default.removeItem(atPath: source + "/docs/a.txt")
        try write("docs/A.TXT", "x")
        try write("log/Deep/er/x.log", "0123456789abcdef")
        try await make()
        try write("docs/a.txt", "two two\n")
        try FileManager.default.setAttributes([.posixPermissions: 0o4602], ofItemAtPath: source + "/moved.md")
        try await make()
    }

    func write(_ name: String, _ text: String) throws { try folder.write("source/" + name, Array(text.utf8)) }

    mutating func make() async throws {
        snapshots.append(try await SnapcatProcess.succeed(["make", source, "--repo", repo, "-q"]).lines[0])
    }

    func run(_ arguments: [String], environment: [String: String] = [:]) async throws -> SnapcatProcess.Result {
        try await SnapcatProcess.run(arguments + ["--repo", repo], environment: environment)
    }

    /// The objects of a command's JSON.
    func rows(_ arguments: String..., environment: [String: String] = [:]) async throws -> [[String: Any]] {
        let result = try await run(arguments + ["--format", "json", "-q"], environment: environment)
        #expect(result.status == 0, "\(arguments): \(result.stderr)")
        return try #require(
            try JSONSerialization.jsonObject(with: Data(result.stdout)) as? [[String: Any]], "\(arguments)")
    }

    /// One column of the rows, as text.
    func column(_ name: String, _ arguments: String...) async throws -> [String] {
        let result = try await run(arguments + ["--format", "json", "-q"])
        #expect(result.status == 0, "\(arguments): \(result.stderr)")
        let rows = try #require(try JSONSerialization.jsonObject(with: Data(result.stdout)) as? [[String: Any]])
        return rows.map { $0[name].map { $0 is NSNull ? "null" : "\($0)" } ?? "absent" }
    }

    func query(_ sql: String) async throws -> [String] {
        Array(try await SnapcatProcess.succeed(["query", sql, "--repo", repo, "--format", "tsv"]).lines.dropFirst())
    }
}

/// find, history, growth, dupes, whereis and stats on a history that is known.
@Suite struct QuestionTests {
    @Test func findTakesGlobsOfTheLastPartOrOfTheWholeName() async throws {
        let history = try await KnownHistory()
        let cases: [([String], [String])] = [
            (["*.txt"], ["docs/a.txt", "docs/a.txt", "docs/a.txt"]),
            (["a.txt"], ["docs/a.txt", "docs/a.txt", "docs/a.txt"]),
            (["docs/a.txt", "--at", "oldest"], ["docs/a.txt"]),
            (["docs/*.md"], ["docs/d2.md"]), (["docs/*"], ["docs/A.TXT", "docs/a.txt", "docs/a.txt", "docs/a.txt", "docs/d2.md"]),
            (["log/*"], []), (["log/**"], ["log/Deep/er/x.log", "log/Deep/er/x.log"]),
            (["log/"], ["log/Deep/er/x.log", "log/Deep/er/x.log"]),
            (["**/er/*.log", "--limit", "1"], ["log/Deep/er/x.log"]), (["deep"], []), (["none"], []),
            (["-i", "*.txt", "--at", "latest~1"], ["docs/A.TXT"]), (["[ab].txt", "--at", "latest"], ["docs/a.txt"]),
            (["--substring", "er/x", "--at", "latest"], ["log/Deep/er/x.log"]), (["--substring", "*"], []),
            (["--substring", "DEEP", "-i", "--at", "latest"], ["log/Deep/er/x.log"]),
            (["--substring", "D_.md", "-i"], []), (["--substring", "%", "-i"], []), (["--substring", "D1.MD", "-i"], ["d1.md"]),
            (["--regex", "^d[0-9]\\.md$"], ["d1.md"]), (["--regex", "(x|y)\\.LOG$", "-i", "--at", "oldest"], ["log/Deep/er/x.log"]),
            (["*", "--deleted"], ["d1.md"]), (["*.md", "--deleted", "--at", "latest"], []),
            (["*", "--at", "latest", "--sort", "size:desc", "--limit", "1"], ["log/Deep/er/x.log"]),
        ]
        for (arguments, names) in cases {
            let result = try await history.run(["find"] + arguments + ["--format", "tsv", "-q"])
            #expect(result.status == 0, "\(arguments): \(result.stderr)")
            #expect(result.lines.dropFirst().map { String($0.prefix { $0 != "\t" }) } == names, "\(arguments)")
        }
    }

    @Test func findAndHistoryHaveTheColumnsOfThePage() async throws {
        let history = try await KnownHistory()
        let columns = "name\tvalid_from\tvalid_to\tmd5\tsize\tmode\tmtime\tis_current"
        #expect(try await history.run(["find", "none", "--format", "tsv"]).lines == [columns])
        #expect(try await history.run(["history", "none", "--format", "tsv"]).lines == [columns + "\tstatus\tending\tgap_seconds"])
        #expect(try await history.run(["history", "none", "--format", "json"]).text == "[]\n")
    }

    @Test func historyTellsHowEachVersionBeganAndEnded() async throws {
        let history = try await KnownHistory()
        #expect(try await history.column("status", "history", "docs/a.txt") == ["added", "changed", "reappeared"])
        #expect(try await history.column("ending", "history", "./docs/a.txt") == ["replaced", "removed", "null"])
        let gaps = try await history.rows("history", "docs/a.txt").map { $0["gap_seconds"] as? Double }
        #expect(gaps[0] == nil && gaps[1] == nil && (gaps[2] ?? 0) > 0)
        #expect(try await history.column("status", "history", "moved.md") == ["added", "metadata"])
        #expect(try await history.column("ending", "history", "d1.md") == ["removed"])
    }

    @Test func aNameOfAnyBytesIsFoundWithItsBytes() async throws {
        let history = try await KnownHistory()
        try history.folder.write(Array("source/odd-".utf8) + [0xff], Array("odd".utf8))
        _ = try await SnapcatProcess.succeed(["make", history.source, "--repo", history.repo, "-q"])
        let rows = try await history.rows("find", "odd-*")
        #expect(rows.count == 1 && rows.first?["name_b64"] as? String == Data("odd-".utf8 + [0xff]).base64EncodedString())
        #expect(try await history.rows("find", "--regex", "^odd-.$").count == 1)
    }

    @Test func listAndLsSortByAColumn() async throws {
        let history = try await KnownHistory()
        func names(_ arguments: String...) async throws -> [String] {
            try await history.run(["ls", "-r", "--format", "tsv", "-q"] + arguments).lines.dropFirst().map {
                String($0.prefix { $0 != "\t" })
            }
        }
        #expect(try await names("latest:docs", "--sort", "size:desc") == ["docs/a.txt", "docs/d2.md", "docs/A.TXT"])
        #expect(try await names("latest:docs", "--sort", "size", "--limit", "1") == ["docs/A.TXT"])
        #expect(try await names(history.snapshots[3], "--sort", "mode:desc").first == "moved.md")
        #expect(try await history.column("files", "list", "--sort", "files:desc", "--limit", "2") == ["5", "4"])
        #expect(try await history.run(["ls", "--sort", "colour"]).status == 64)
    }

    @Test func growthCountsSizesOnceAndNewContentsOnce() async throws {
        let history = try await KnownHistory()
        func growth(_ arguments: String...) async throws -> [String] {
            let result = try await history.run(["growth", "--format", "tsv", "-q"] + arguments)
            #expect(result.status == 0, "\(result.stderr)")
            return Array(result.lines.dropFirst())
        }
        #expect(
            try await growth() == [
                "moved.md\t8\t0\t1\t0\t0", "log/Deep/er/x.log\t6\t16\t0\t1\t0", "docs/a.txt\t4\t8\t1\t1\t1",
                "docs/A.TXT\t1\t1\t1\t0\t0", "d1.md\t-8\t0\t0\t0\t1",
            ])
        #expect(try await growth("--by", "dir", "--depth", "1") == ["log\t6\t16\t0\t1\t0", "docs\t5\t9\t2\t1\t1", "\t0\t0\t1\t0\t1"])
        #expect(try await growth("--by", "dir", "--depth", "2").first == "log/Deep\t6\t16\t0\t1\t0")
        #expect(try await growth("--by", "dir").first == "log/Deep/er\t6\t16\t0\t1\t0")
        #expect(try await growth("--by", "ext") == ["log\t6\t16\t0\t1\t0", "txt\t5\t9\t2\t1\t1", "md\t0\t0\t1\t0\t1"])
        #expect(try await growth("--by", "snapshot", "--since", "latest~1").count == 1)
        #expect(try await growth("--since", "latest") == [])
    }

    @Test func dupesTellsWhatIsWasted() async throws {
        let history = try await KnownHistory()
        #expect(try await history.column("wasted_bytes", "dupes") == ["8"])
        #expect(try await history.column("name", "dupes", "--names", "--at", "oldest") == ["d1.md", "docs/d2.md"])
        #expect(try await history.rows("dupes", "--min-size", "1K").isEmpty)
    }

    @Test func whereisFindsAFileByItsContent() async throws {
        let history = try await KnownHistory()
        try history.folder.write("copy 'of' it.bin", Array("two two\n".utf8))
        let rows = try await history.rows("whereis", history.folder.path + "/copy 'of' it.bin")
        #expect(rows.count == 1)
        #expect(rows.first?["name"] as? String == "docs/a.txt")
        #expect(rows.first?["is_current"] as? Int == 1 && rows.first?["present"] as? Int == 1)
        let md5 = try await history.query("SELECT md5 FROM file_version WHERE name = 'd1.md'")[0]
        #expect(try await history.column("name", "whereis", "--md5", md5.uppercased()) == ["d1.md", "docs/d2.md", "moved.md"])
        #expect(try await history.column("valid_to", "whereis", "--md5", md5).map { $0 == "null" } == [false, true, true])
        #expect(try await history.run(["whereis", "--md5", String(repeating: "0", count: 32), "--format", "json"]).text == "[]\n")
        #expect(try await history.run(["whereis", history.folder.path + "/none"]).status == 2)
        #expect(try await history.run(["whereis", history.source]).status == 64)
    }

    @Test func statsAreTheNumbersOfTheRepository() async throws {
        let history = try await KnownHistory()
        let row = try #require(try await history.rows("stats").first)
        let expected = [
            "snapshots": 4, "files": 5, "bytes": 8 + 8 + 1 + 8 + 16, "names": 6, "versions": 10, "contents": 6,
            "content_bytes": 4 + 8 + 10 + 8 + 1 + 16, "missing": 0, "orphans": 0,
        ]
        for (name, value) in expected { #expect(row[name] as? Int == value, "\(name)") }
        #expect((row["catalog_bytes"] as? Int ?? 0) > 4096)
    }

    @Test func everyQuestionShowsItsSQLAndRunsNothing() async throws {
        let history = try await KnownHistory()
        for arguments in [
            ["find", "*.txt"], ["history", "a"], ["growth"], ["dupes"], ["whereis", "--md5", String(repeating: "0", count: 32)], ["stats"],
        ] {
            let result = try await history.run(arguments + ["--sql"])
            #expect(result.status == 0 && result.text.contains("SELECT"), "\(arguments)")
            let help = try await SnapcatProcess.succeed([arguments[0], "--help"]).text
            #expect(help.contains("Exit codes:"), "\(arguments)")
            #expect(try await SnapcatProcess.succeed(["--help"]).text.contains("  \(arguments[0])"), "\(arguments)")
        }
    }

    @Test(arguments: [
        ["find"], ["find", ""], ["find", "a", "--regex", "--substring"], ["find", "(", "--regex"], ["find", "a", "--sort", "nothing"],
        ["find", "a", "--sort", "size:up"], ["history", ""], ["growth", "--by", "colour"], ["growth", "--depth", "2"],
        ["growth", "--by", "dir", "--depth", "0"], ["dupes", "--min-size", "big"], ["whereis"], ["whereis", "--md5", "abc"],
    ])
    func `A question that is wrong is one line, exit 64`(arguments: [String]) async throws {
        let folder = try TempFolder()
        _ = try await SnapcatProcess.succeed(["make", folder.path, "--repo", folder.path + "/repo", "--allow-empty", "-q"])
        let result = try await SnapcatProcess.run(arguments + ["--repo", folder.path + "/repo"])
        #expect(result.status == 64, "\(arguments): \(result.stderr)")
        #expect(result.stderr.split(separator: "\n").count == 1 && result.stdout.isEmpty, "\(result.stderr)")
    }
}
