import Foundation
import SnapcatTestSupport
import Testing

/// A value that an option cannot have is one line and exit 64, and nothing has been done.
@Suite struct BadOptionTests {
    /// Per command: its arguments, and options with values that none of them takes.
    private static let wrong: [(command: [String], options: [[String]])] = [
        (
            ["make", "SRC"],
            [
                ["--compression", "11"], ["--compression", "-1"], ["--compression", "best"], ["--max-size", "abc"],
                ["--max-size", "-5"], ["--max-size", ""], ["--max-size", "99999999999G"], ["--parallel", "-1"],
                ["--parallel", "9999"], ["--parallel", "two"], ["--format", "xml"], ["--format", "table"],
                ["--exclude-from", "DIR/none"], ["--exclude"], ["--overwrite", "always"], ["--limit", "3"],
            ]
        ),
        (
            ["restore", "latest", "--file-root", "DIR/out"],
            [
                ["--overwrite", "sometimes"], ["--overwrite", ""], ["--overwrite"], ["--parallel", "-1"],
                ["--parallel", "9999"], ["--format", "xml"], ["--latest", "oldest"], ["--compression", "1"],
            ]
        ),
        (
            ["compare", "latest", "latest"],
            [["--diff-state", "same"], ["--limit", "-1"], ["--limit", "1.5"], ["--format", "yaml"], ["--path1", "x"]]
        ),
        (
            ["query", "SELECT 1"],
            [
                ["--timeout", "-5s"], ["--timeout=-5s"], ["--timeout", "soon"], ["--timeout", ""], ["--timeout", "5 parsecs"],
                ["--max-rows", "-1"], ["--max-rows", "all"], ["--limit", "-1"], ["--format", "xml"], ["-p", "novalue"],
                ["-p", "=1"], ["--attach", "nothing"], ["--timeout", "999999999999999d"],
            ]
        ),
        (["list"], [["--limit", "-1"], ["--offset", "-1"], ["--order", "up"], ["--format", "xml"], ["--limit", "99999999999999999999"]]),
        (["list-snapshots"], [["--limit", "-1"], ["--offset", "-1"], ["--limit=-1"], ["--order", "up"]]),
        (["ls", "latest"], [["--limit", "-1"], ["--format", "xml"], ["--depth", "1"]]),
        (["cat"], [["--md5", "-1"], ["--md5", ""], ["latest"], ["--md5", "5bbf5a52328e7439ae6e719dfe712200", "latest:a.txt"]]),
        (["catalog", "sync"], [["--format", "xml"], ["--limit", "-1"]]),
        (["catalog", "rebuild"], [["--format", "xml"]]),
        (["schema"], [["--format", "xml"], ["--limit", "-1"], ["nothing"]]),
        (
            ["list"],
            [
                ["--progress", "sometimes"], ["--loglevel", "LOUD"], ["--parallel-listing", "x"],
                ["--file-storage-options", "no json"], ["--snap-storage-options", "[]"], ["--catalog", ""],
            ]
        ),
    ]

    @Test func eachIsOneLineAndItsExitCode() async throws {
        let sandbox = try RestoreSandbox()
        try await sandbox.make()
        let before = try sandbox.folder.files()
        func filled(_ text: String) -> String {
            text.replacing("SRC", with: sandbox.source).replacing("DIR", with: sandbox.folder.path)
        }
        for (command, wrong) in Self.wrong {
            for options in wrong {
                // The options last: one that lacks its value must not take the next option's name.
                let repository = command == ["schema"] ? [] : ["--repo", sandbox.repo]
                let result = try await SnapcatProcess.run((command + repository + options).map(filled))
                #expect(result.status == 64, "\(command) \(options): \(result.status) \(result.stderr)")
                #expect(result.lines("error").count == 1, "\(command) \(options): \(result.stderr)")
                #expect(result.stderr.split(separator: "\n").count == 1, "\(command) \(options): \(result.stderr)")
                #expect(result.stdout.isEmpty, "\(command) \(options): \(result.text)")
            }
        }
        #expect(try sandbox.folder.files() == before)
    }

    @Test func aTemporaryFolderThatDoesNotExistIsToldAndNeverMade() async throws {
        let sandbox = try RestoreSandbox()
        try await sandbox.make()
        let missing = sandbox.folder.path + "/none"
        let needed = ["compare", "latest", "live", "--repo", sandbox.repo, "--file-root", sandbox.source]
        let result = try await SnapcatProcess.run(needed, environment: ["TMPDIR": missing])
        #expect(result.status == 2 && result.lines("error").count == 1, "\(result.stderr)")
        #expect(result.stderr.contains(missing) && result.stderr.contains("TMPDIR"), "\(result.stderr)")
        for arguments in [["make", sandbox.source], ["list"], ["ls"], ["restore", "--file-root", sandbox.target]] {
            let other = try await SnapcatProcess.run(arguments + ["--repo", sandbox.repo], environment: ["TMPDIR": missing])
            #expect(other.status == 0, "\(arguments): \(other.stderr)")
        }
        #expect(!FileManager.default.fileExists(atPath: missing))
    }
}
