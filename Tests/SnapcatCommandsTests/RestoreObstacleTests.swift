import Foundation
import SnapcatFormat
import SnapcatPlatform
import SnapcatTestSupport
import Testing

/// What stands in the target where a restore needs a folder, or the other way round.
@Suite struct RestoreObstacleTests {
    /// The names of the target's files and links.
    private func left(_ sandbox: RestoreSandbox) throws -> Set<String> {
        Set(try sandbox.folder.files().map { TerminalText.lossy($0) }.filter { $0.hasPrefix("target/") }.map { String($0.dropFirst(7)) })
    }

    @Test func aFileOfAFolderThatIsMovedInMeanwhileStaysWhateverItsTimes() async throws {
        let sandbox = try RestoreSandbox(["early": "x", "z/q/deep/f": "x"])
        try await sandbox.make()
        try sandbox.write("target/own", "own")
        try sandbox.write("moved/q", "MINE, of last year")
        let (target, moved) = (sandbox.target, sandbox.folder.path + "/moved")
        let isSaved = "[ $(find '\(sandbox.repo)/snap' -name '*.jsonl.gz' | wc -l) -ge 2 ]"
        let result = try await MeetingPoint.run(
            ["restore", "oldest", "--repo", sandbox.repo, "--file-root", target], before: 0, in: ".jsonl.gz",
            .command("if \(isSaved) && [ -e '\(moved)' ]; then mv '\(moved)' '\(target)/z'; fi"))
        #expect(result.status == 3 && result.stderr.contains("'z/q"), "\(result.stderr)")
        #expect(try sandbox.read("target/z/q") == "MINE, of last year" && sandbox.read("target/early") == "x")
    }

    /// The bytes behind `a` sort before a slash: names below the last of them come first.
    @Test(arguments: [[], ["--no-save-snapshot-before"]])
    func `A file or link in the way of a folder gives way, where the filter leaves it out too`(_ options: [String]) async throws {
        let folders = ["a", "a!", "a!!", "a!-", "c"]
        let sandbox = try RestoreSandbox(Dictionary(uniqueKeysWithValues: folders.map { ($0 + "/f", "x") }))
        try await sandbox.make()
        for folder in folders.dropLast() + ["b", "a-"] { try sandbox.write("target/" + folder, "file") }
        try FileManager.default.createSymbolicLink(atPath: sandbox.target + "/c", withDestinationPath: "b")
        let arguments = ["restore", "latest", "--repo", sandbox.repo, "--file-root", sandbox.target, "--include", "*/f"] + options
        let plan = try await SnapcatProcess.run(arguments + ["--dry-run", "--format", "tsv"])
        #expect(plan.lines.filter { $0.hasPrefix("make_folder\t") }.count == folders.count, "\(plan.text)")
        let result = try await SnapcatProcess.run(arguments)
        #expect(result.status == 0, "\(result.stderr)")
        #expect(try left(sandbox) == Set(folders.map { $0 + "/f" } + ["b", "a-"]))
    }

    @Test(arguments: [[], ["--include", "a/**"]])
    func `With overwrite never a folder in a file's place keeps what it holds`(_ filter: [String]) async throws {
        let sandbox = try RestoreSandbox(["a": "x"])
        try await sandbox.make()
        try sandbox.write("target/a/mine", "mine")
        let arguments = ["restore", "latest", "--repo", sandbox.repo, "--file-root", sandbox.target, "--overwrite", "never"] + filter
        let result = try await SnapcatProcess.run(arguments)
        #expect(result.status == 0, "\(result.stderr)")
        #expect(try left(sandbox) == ["a/mine"])
    }

    @Test func withoutACompanionAFolderAndItsLinksGiveWayToAFile() async throws {
        let sandbox = try RestoreSandbox(["a": "x", "b": "y"])
        try await sandbox.make()
        // As snapshooter writes it: no companion, and no times in nanoseconds.
        let script = """
            import glob, gzip, json, os, sys
            for path in glob.glob(sys.argv[1] + "/snap/**/*.jsonl.gz", recursive=True):
                lines = [json.loads(line) for line in gzip.open(path)]
                lines = [{key: value for key, value in line.items() if not key.endswith("_ns")} for line in lines]
                gzip.open(path, "wb").write("".join(json.dumps(line) + "\\n" for line in lines).encode())
                os.remove(path.replace(".jsonl.gz", ".meta.gz"))
            """
        _ = try Python.run(script, arguments: [sandbox.repo])
        for name in ["a/f", "a/deep/f"] { try sandbox.write("target/" + name, "file") }
        try FileManager.default.createSymbolicLink(atPath: sandbox.target + "/a/link", withDestinationPath: "f")
        _ = try await sandbox.restore("latest", "--no-delete", "--no-save-snapshot-before")
        #expect(try left(sandbox) == ["a/f", "a/deep/f", "a/link", "b"])
        let result = try await sandbox.restore("oldest")
        #expect(result.status == 0, "\(result.stderr)")
        #expect(try left(sandbox) == ["a", "b"] && sandbox.read("target/a") == "x")
    }

    @Test func aLinkThatComesInAFoldersPlaceIsNoFolderWhoseIgnoreFileIsMissed() async throws {
        let sandbox = try RestoreSandbox(["keep": "x"])
        for (name, destination) in [("self", "self"), ("away", "/root")] {
            try FileManager.default.createSymbolicLink(atPath: "\(sandbox.source)/\(name)", withDestinationPath: destination)
        }
        try await sandbox.make()
        for name in ["self/x", "away/x"] { try sandbox.write("target/" + name, "x") }
        let result = try await sandbox.restore("latest")
        #expect(result.status == 0 && result.lines("warning").isEmpty, "\(result.stderr)")
        #expect(try left(sandbox) == ["away", "keep", "self"])
    }
}
