import Foundation
import SnapcatTestSupport
import Testing

/// `--sql` of every command that prints rows: the SQL alone, which runs as it stands, or a refusal.
@Suite struct ShownSQLTests {
    @Test(arguments: [
        ["find", "*.txt"], ["history", "letter.txt"], ["growth"], ["dupes"], ["stats"], ["list"], ["compare", "oldest", "latest"],
        ["ls", "latest", "--recursive"], ["whereis", "--md5", "d41d8cd98f00b204e9800998ecf8427e"],
    ])
    func `The SQL that a command shows answers in query`(command: [String]) async throws {
        let history = try await EventfulRepository()
        let shown = try await SnapcatProcess.succeed(command + ["--repo", history.repository, "--sql", "-q"])
        let parameters = shown.lines.filter { $0.hasPrefix("-- :") }.flatMap { line -> [String] in
            let parts = line.dropFirst(4).split(separator: "=", maxSplits: 1).map { $0.trimmingCharacters(in: [" ", "'"]) }
            return ["-p", parts.joined(separator: "=")]
        }
        let result = try await SnapcatProcess.run(["query", "--repo", history.repository, shown.text] + parameters)
        #expect(result.status == 0, "\(command): \(result.stderr)\n\(shown.text)")
    }

    @Test func `schema and the saved queries show theirs, commands without SQL say so`() async throws {
        let history = try await EventfulRepository()
        let view = try await SnapcatProcess.succeed(["schema", "change", "--sql"])
        #expect(view.text.hasPrefix("CREATE VIEW change AS") && !view.text.contains("CREATE VIEW object"))
        let saved = try await SnapcatProcess.succeed(["query", "--list", "--sql", "--repo", history.repository])
        #expect(saved.text.contains("-- freed-if-forgotten") && saved.text.contains("SELECT"))
        for command in [["check"], ["catalog", "sync"], ["catalog", "stats"], ["catalog", "verify"], ["catalog", "rebuild"]] {
            #expect(try await SnapcatProcess.run(command + ["--sql", "--repo", history.repository]).status == 64, "\(command)")
        }
    }
}
