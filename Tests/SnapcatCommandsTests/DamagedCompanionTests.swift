import Foundation
import SnapcatFormat
import SnapcatTestSupport
import Testing

/// A damaged companion costs the folders and links of its snapshot, and nothing else.
@Suite struct DamagedCompanionTests {
    /// Two snapshots of which the first one's companion is damaged: at its start, or only far behind it.
    private func sandbox(_ damage: String) async throws -> (RestoreSandbox, first: String) {
        let sandbox = try RestoreSandbox(["a.txt": "one\n", "b/c.txt": "two\n"])
        let first = try await sandbox.make()
        try sandbox.write("source/new.txt", "three\n")
        try await sandbox.make()
        let companion = URL(fileURLWithPath: first.replacing(".jsonl.gz", with: ".meta.gz"))
        let bytes = try Data(contentsOf: companion)
        switch damage {
        case "junk": try Data("junk".utf8).write(to: companion)
        case "cut": try bytes.dropLast(6).write(to: companion)
        default: try (bytes + Data(Gzip.compress(Array("\nno node".utf8), level: .standard))).write(to: companion)
        }
        return (sandbox, first)
    }

    @Test(arguments: ["junk", "cut", "line"])
    func `Comparing and listing go on without nodes, and warn once`(damage: String) async throws {
        let (sandbox, first) = try await sandbox(damage)
        let commands: [([String], [String])] = [
            (["compare", first, "live", "--repo", sandbox.repo, "--file-root", sandbox.source], ["new.txt"]),
            (["compare", "oldest", "live", "--repo", sandbox.repo, "--file-root", sandbox.source], ["new.txt"]),
            (["compare", first, try sandbox.snapshots().map { sandbox.folder.path + "/" + $0 }.max() ?? ""], ["new.txt"]),
            (["compare", "oldest", "latest", "--repo", sandbox.repo], ["new.txt"]),
            (["compare", first, first], []),
            (["ls", first], ["a.txt", "b"]),
            (["ls", "oldest", "--repo", sandbox.repo], ["a.txt", "b"]),
        ]
        for (command, names) in commands {
            let result = try await SnapcatProcess.run(command + ["--format", "tsv"])
            #expect(result.status == 0, "\(damage) \(command): \(result.stderr)")
            #expect(result.lines("warning").count == 1, "\(damage) \(command): \(result.stderr)")
            #expect(result.stderr.contains(".meta.gz"), "\(damage) \(command): \(result.stderr)")
            let column = command[0] == "ls" ? 0 : 1
            let found = result.lines.dropFirst().map { String($0.split(separator: "\t", omittingEmptySubsequences: false)[column]) }
            #expect(found == names, "\(damage) \(command): \(result.text)")
        }
    }

    @Test func itIsRecordedAndItsSnapshotStaysUsable() async throws {
        let (sandbox, _) = try await sandbox("cut")
        let problems = try await SnapcatProcess.succeed(
            ["query", "SELECT kind, name, message FROM problem", "--repo", sandbox.repo, "--format", "tsv"])
        #expect(problems.lines.count == 2 && problems.lines[1].hasPrefix("companion\t20"), "\(problems.text)")
        #expect(problems.lines.last?.contains(".meta.gz") == true)
        let list = try await SnapcatProcess.succeed(
            ["query", "SELECT status, files FROM snapshot ORDER BY taken_at_us", "--repo", sandbox.repo, "--format", "tsv"])
        #expect(list.lines == ["status\tfiles", "complete\t2", "complete\t3"])
        #expect(try await SnapcatProcess.succeed(["cat", "oldest:b/c.txt", "--repo", sandbox.repo]).text == "two\n")
    }

    @Test func makeGoesOnFromASnapshotWithADamagedCompanion() async throws {
        let sandbox = try RestoreSandbox()
        let only = try await sandbox.make()
        try Data("junk".utf8).write(to: URL(fileURLWithPath: only.replacing(".jsonl.gz", with: ".meta.gz")))
        for arguments in [["--dry-run"], ["--skip-if-unchanged"]] {
            let result = try await SnapcatProcess.run(["make", sandbox.source, "--repo", sandbox.repo] + arguments)
            #expect(result.status == 3 && result.lines("warning").count == 1, "\(arguments): \(result.stderr)")
        }
        // The nodes could not be compared: that was no reason to write none.
        #expect(try sandbox.snapshots().count == 2)
    }
}
