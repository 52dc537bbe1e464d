import Foundation
import SnapcatTestSupport
import Testing

/// What a restore cannot read in its target, where there is no safety snapshot that would be refused for it.
@Suite struct RestoreUnreadTests {
    private func restore(_ sandbox: RestoreSandbox, _ arguments: [String]) async throws -> SnapcatProcess.Result {
        try await MeetingPoint.run(
            ["restore", "latest", "--repo", sandbox.repo, "--file-root", sandbox.target, "--no-save-snapshot-before"] + arguments,
            before: 0, in: "closed", .failure(EIO))
    }

    @Test(arguments: ["never", "if-newer"])
    func `What may be newer is not overwritten unread`(_ policy: String) async throws {
        let sandbox = try RestoreSandbox(["closed": "old", "other": "old"])
        try await sandbox.make()
        try sandbox.write("target/closed", "MY LAST HOUR OF WORK")
        let result = try await restore(sandbox, ["--overwrite", policy])
        #expect(result.status == 3 && result.lines("warning").contains { $0.contains("Left as it is 'closed'") }, "\(result.stderr)")
        #expect(try sandbox.read("target/closed") == "MY LAST HOUR OF WORK" && sandbox.read("target/other") == "old")
    }

    @Test(arguments: ["closed", "closed/f"], [[], ["--dry-run"]])
    func `What the snapshot does not have stays, and the exit code tells it`(_ name: String, _ dry: [String]) async throws {
        let sandbox = try RestoreSandbox(["other": "old"])
        try await sandbox.make()
        for name in [name, "new"] { try sandbox.write("target/" + name, "x") }
        let result = try await restore(sandbox, dry)
        #expect(result.status == 3 && result.lines("warning").contains { $0.contains("Left as it is 'closed'") }, "\(result.stderr)")
        #expect(try sandbox.exists("target/" + name) && sandbox.exists("target/new") == !dry.isEmpty)
        // What make was told to leave out is not missed.
        _ = try await SnapcatProcess.succeed(["make", sandbox.source, "--repo", sandbox.repo, "--exclude", "closed" + (name == "closed" ? "" : "/")])
        #expect(try await restore(sandbox, dry).status == 0)
        // Where nothing is to be deleted nothing is missing.
        let kept = try await restore(sandbox, ["--no-delete"] + dry)
        #expect(kept.status == 0, "\(kept.stderr)")
    }

    @Test func aFolderThatTheSnapshotHasTooIsToldWhereItCannotBeRead() async throws {
        let sandbox = try RestoreSandbox(["closed/f": "old"])
        try await sandbox.make()
        for name in ["closed/f", "closed/own"] { try sandbox.write("target/" + name, "old") }
        let result = try await restore(sandbox, ["--dry-run"])
        #expect(result.status == 3 && result.lines("warning").contains { $0.contains("Left as it is 'closed'") }, "\(result.stderr)")
    }

    @Test func aFileInAFoldersPlaceGivesWayUnread() async throws {
        let sandbox = try RestoreSandbox(["closed/f": "new"])
        try await sandbox.make()
        try sandbox.write("target/closed", "old")
        let result = try await MeetingPoint.run(
            ["restore", "latest", "--repo", sandbox.repo, "--file-root", sandbox.target, "--no-save-snapshot-before"], before: 1,
            in: "closed", .failure(EIO))
        #expect(result.status == 0 && result.stderr.contains("Cannot read 'closed'"), "\(result.stderr)")
        #expect(try sandbox.read("target/closed/f") == "new")
    }

    @Test(arguments: [[], ["--dry-run"]])
    func `An ignore file that the heap has lost costs exit 3 where names are kept for it, however little was to be done`(_ dry: [String]) async throws {
        let sandbox = try RestoreSandbox([".snapcatignore": "*.o\n"])
        try await sandbox.make()
        #expect(try await sandbox.restore("latest").status == 0)
        for name in try FileManager.default.subpathsOfDirectory(atPath: sandbox.repo + "/heap") where name.hasSuffix(".gz") {
            try FileManager.default.removeItem(atPath: sandbox.repo + "/heap/" + name)
        }
        let arguments = ["restore", "latest", "--repo", sandbox.repo, "--file-root", sandbox.target, "--no-save-snapshot-before"]
        #expect(try await SnapcatProcess.run(arguments + dry).status == 0)
        try sandbox.write("target/new", "x")
        #expect(try await SnapcatProcess.run(arguments + ["--no-delete"] + dry).status == 0)
        let result = try await SnapcatProcess.run(arguments + dry)
        #expect(try result.status == 3 && sandbox.exists("target/new"), "\(result.stderr)")
    }
}
