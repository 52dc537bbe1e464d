import Foundation
import SnapcatFormat
import SnapcatPlatform
import SnapcatTestSupport
import Testing

/// Somebody works in the target while a restore runs: what is written after the safety snapshot is in no snapshot.
@Suite struct RestoreBesideTests {
    private static let mine = "MY LAST HOUR OF WORK"

    /// When the safety snapshot stands, and before anything is replaced, `names` of the target get new contents.
    private func restore(_ sandbox: RestoreSandbox, writing names: [String], _ arguments: String...) async throws -> SnapcatProcess.Result {
        let (target, done) = (sandbox.target, sandbox.folder.path + "/done")
        let writes = names.map { "rm -f '\(target)/\($0)'; printf '\(Self.mine)' > '\(target)/\($0)';" }.joined(separator: " ")
        let isSaved = "[ $(find '\(sandbox.repo)/snap' -name '*.jsonl.gz' | wc -l) -ge 2 ]"
        return try await MeetingPoint.run(
            ["restore", "oldest", "--repo", sandbox.repo, "--file-root", target] + arguments, before: 0, in: ".jsonl.gz",
            .command("if \(isSaved) && [ ! -e '\(done)' ]; then touch '\(done)'; \(writes) fi"))
    }

    @Test func whatIsWrittenWhileARestoreRunsIsNeitherReplacedNorDeleted() async throws {
        let sandbox = try RestoreSandbox(["replaced": "old", "made": "old", "later/deep": "old", "quiet": "old", "folder/deep": "old"])
        for (name, destination) in [("link", "x"), ("newlink", "x")] {
            try FileManager.default.createSymbolicLink(atPath: "\(sandbox.source)/\(name)", withDestinationPath: destination)
        }
        try await sandbox.make()
        for name in ["replaced", "deleted", "quiet", "folder"] { try sandbox.write("target/" + name, "changed") }
        try FileManager.default.createSymbolicLink(atPath: sandbox.target + "/link", withDestinationPath: "elsewhere")
        let busy = ["replaced", "deleted", "made", "link", "newlink", "folder"]
        let result = try await restore(sandbox, writing: busy)
        #expect(result.status == 3, "\(result.stderr)")
        for name in busy {
            #expect(try sandbox.read("target/" + name) == Self.mine, "\(name)")
            #expect(result.lines("warning").contains { $0.contains("'\(name)'") }, "\(result.stderr)")
        }
        #expect(try sandbox.read("target/quiet") == "old" && sandbox.read("target/later/deep") == "old")
        #expect(try !sandbox.folder.files().contains { TerminalText.lossy($0).contains(".snapcat-tmp-") })
        // The next one knows them, and saves them first.
        #expect(try await sandbox.restore("oldest").status == 0)
        #expect(try sandbox.read("target/replaced") == "old" && !sandbox.exists("target/deleted"))
        #expect(try await sandbox.restore("latest~1").status == 0)
        #expect(try busy.allSatisfy { try sandbox.read("target/" + $0) == Self.mine })
    }

    @Test func hardLinksAndTimesAreNotGivenToWhatIsWrittenMeanwhile() async throws {
        let sandbox = try RestoreSandbox(["a": "twice", "time": "same"])
        try FileManager.default.linkItem(atPath: sandbox.source + "/a", toPath: sandbox.source + "/b")
        try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSince1970: 1e9)], ofItemAtPath: sandbox.source + "/time")
        try await sandbox.make()
        for (name, content) in [("b", "changed"), ("time", "same")] { try sandbox.write("target/" + name, content) }
        let result = try await restore(sandbox, writing: ["b", "time"])
        #expect(result.status == 3, "\(result.stderr)")
        #expect(try sandbox.read("target/a") == "twice" && sandbox.read("target/b") == Self.mine)
        let status = try Descriptor.status(sandbox.folder.path("target/time"))
        #expect(try status.mtimeNanoseconds != 1_000_000_000_000_000_000 && sandbox.read("target/time") == Self.mine)
    }

    @Test func namesOfOneFileAreNoStrangers() async throws {
        let sandbox = try RestoreSandbox(["A": "X"])
        try sandbox.write("source/B", "YY")
        try FileManager.default.linkItem(atPath: sandbox.source + "/A", toPath: sandbox.source + "/C")
        try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSince1970: 1e9)], ofItemAtPath: sandbox.source + "/A")
        try await sandbox.make()
        // Restoring A's time moves that of B, which is to be another file.
        try sandbox.write("target/A", "X")
        try FileManager.default.linkItem(atPath: sandbox.target + "/A", toPath: sandbox.target + "/B")
        let result = try await sandbox.restore("latest")
        #expect(result.status == 0, "\(result.stderr)")
        #expect(try ["A": "X", "B": "YY", "C": "X"].allSatisfy { try sandbox.read("target/" + $0) == $1 })
    }

    @Test func aFileInTheWayOfAFolderGoesWhereItWasThereBefore() async throws {
        let sandbox = try RestoreSandbox(["a/b/f": "x", "c": "c"])
        try await sandbox.make()
        // Of a part of the snapshot, and of one whose companion is lost, the plan has no row for the file.
        try sandbox.write("target/a", "file")
        #expect(try await sandbox.restore("latest:a/b").status == 0)
        #expect(try sandbox.read("target/a/b/f") == "x")
        let companions = try sandbox.folder.files().map { TerminalText.lossy($0) }.filter { $0.hasSuffix(".meta.gz") }.sorted()
        try FileManager.default.removeItem(atPath: sandbox.folder.path + "/" + (try #require(companions.first)))
        try FileManager.default.removeItem(atPath: sandbox.target + "/a")
        try sandbox.write("target/a", "file")
        #expect(try await sandbox.restore("oldest").status == 0)
        #expect(try sandbox.read("target/a/b/f") == "x")
    }

    @Test func whatCannotBeReadGivesWayWhereItIsNotToBeSaved() async throws {
        let sandbox = try RestoreSandbox(["closed": "good", "d/g": "good"])
        try await sandbox.make()
        for name in ["closed", "d/g"] { try sandbox.write("target/" + name, "bad") }
        let result = try await MeetingPoint.run(
            ["restore", "latest", "--repo", sandbox.repo, "--file-root", sandbox.target, "--no-save-snapshot-before"], before: 0,
            in: "closed", .failure(EIO))
        #expect(result.status == 0 && result.stderr.contains("Cannot read 'closed'"), "\(result.stderr)")
        #expect(try sandbox.read("target/closed") == "good" && sandbox.read("target/d/g") == "good")
    }

    @Test func aRestoreThatIsAloneReplacesAllOfIt() async throws {
        let sandbox = try RestoreSandbox(["a": "twice", "file": "old", "other": "old"])
        try FileManager.default.linkItem(atPath: sandbox.source + "/a", toPath: sandbox.source + "/b")
        try await sandbox.make()
        // Hard links of each other, of another time: setting it for one name sets it for the other.
        try sandbox.write("target/a", "twice")
        try FileManager.default.linkItem(atPath: sandbox.target + "/a", toPath: sandbox.target + "/b")
        try FileManager.default.createSymbolicLink(atPath: sandbox.target + "/file", withDestinationPath: "a")
        try FileManager.default.createDirectory(atPath: sandbox.target + "/other/deep", withIntermediateDirectories: true)
        let result = try await restore(sandbox, writing: [])
        #expect(result.status == 0, "\(result.stderr)")
        #expect(try ["a": "twice", "b": "twice", "file": "old", "other": "old"].allSatisfy { try sandbox.read("target/" + $0) == $1 })
    }
}
