import Foundation
import SnapcatFormat
import SnapcatPlatform
import SnapcatTestSupport
import Testing

/// What make was told to leave out is no file that the snapshot does not have: a restore leaves it alone.
@Suite struct RestoreExclusionTests {
    private static let cacheTag = "Signature: 8a477f597d28d172789f06886806bc55\n"
    /// What the patterns, the ignore files, the size and the tag leave out.
    private static let excluded = [
        "node_modules/m.js", "app/node_modules/deep/m.js", "photos/raw.tif", "photos/.thumbs/t", "cache/data", "big",
    ]

    private func sandbox() async throws -> RestoreSandbox {
        let sandbox = try RestoreSandbox([:])
        let files = [
            "a.txt": "one\n", "app/main": "m", "photos/x.jpg": "x", "cache/CACHEDIR.TAG": Self.cacheTag,
            "photos/.snapcatignore": "*.tif\n/.thumbs/\n!keep.tif\n",
        ]
        for (name, content) in files { try sandbox.write("target/" + name, content) }
        for name in Self.excluded { try sandbox.write("target/" + name, name == "big" ? String(repeating: "b", count: 9000) : "e") }
        _ = try await SnapcatProcess.succeed([
            "make", sandbox.target, "--repo", sandbox.repo, "--exclude", "node_modules/", "--max-size", "8K", "--exclude-caches",
        ])
        for name in ["new.txt", "photos/new.jpg", "photos/keep.tif", "app/other/new"] { try sandbox.write("target/" + name, "new") }
        return sandbox
    }

    private func left(_ sandbox: RestoreSandbox) throws -> Set<String> {
        Set(try sandbox.folder.files().map { TerminalText.lossy($0) }.filter { $0.hasPrefix("target/") }.map { String($0.dropFirst(7)) })
    }

    private static let kept: Set<String> = ["a.txt", "app/main", "photos/x.jpg", "photos/.snapcatignore", "cache/CACHEDIR.TAG"]

    @Test func aRestoreLeavesItAloneAndTellsIt() async throws {
        let sandbox = try await sandbox()
        let plan = try await sandbox.restore("latest", "--dry-run", "--format", "tsv")
        #expect(plan.text.contains("delete\tnew.txt") && plan.stderr.contains("--delete-excluded"), "\(plan.text) \(plan.stderr)")
        #expect(!Self.excluded.contains { plan.text.contains("delete\t\($0)\t") }, "\(plan.text)")
        let result = try await sandbox.restore("latest")
        #expect(result.status == 0 && result.stderr.contains("--delete-excluded"), "\(result.stderr)")
        #expect(try left(sandbox) == Self.kept.union(Self.excluded))
        #expect(try !sandbox.exists("target/app/other"))
    }

    @Test func withDeleteExcludedItGoes() async throws {
        let sandbox = try await sandbox()
        #expect(try await sandbox.restore("latest", "--delete-excluded").status == 0)
        #expect(try left(sandbox) == Self.kept.subtracting(["cache/CACHEDIR.TAG"]))
        // The safety snapshot has it all: back again.
        #expect(try await sandbox.restore("latest~1", "--no-save-snapshot-before").status == 0)
        #expect(try left(sandbox).isSuperset(of: Self.excluded))
    }

    @Test func anIgnoreFileThatTheHeapHasLostProtectsItsFolder() async throws {
        let sandbox = try await sandbox()
        let md5 = try await SnapcatProcess.succeed([
            "query", "SELECT md5 FROM current_file WHERE basename = '.snapcatignore'", "--repo", sandbox.repo, "--format", "tsv",
        ]).lines[1]
        try FileManager.default.removeItem(atPath: "\(sandbox.repo)/heap/\(md5.prefix(2))/\(md5).gz")
        let result = try await sandbox.restore("latest", "--no-save-snapshot-before")
        #expect(result.lines("warning").contains { $0.contains(md5) }, "\(result.stderr)")
        #expect(try left(sandbox).isSuperset(of: ["photos/new.jpg", "photos/raw.tif"]))
        #expect(try !sandbox.exists("target/new.txt"))
    }

    @Test func whatTheSnapshotCouldNotReadIsLeftAlone() async throws {
        let sandbox = try RestoreSandbox([:])
        for name in ["good", "secret", "album/one", "album/two"] { try sandbox.write("target/" + name, name) }
        let made = try await MeetingPoint.run(["make", sandbox.target, "--repo", sandbox.repo], before: 0, in: "secret", .failure(EIO))
        #expect(made.status == 3, "\(made.stderr)")
        let again = try await MeetingPoint.run(["make", sandbox.target, "--repo", sandbox.repo], before: 0, in: "album", .failure(EIO))
        #expect(again.status == 3, "\(again.stderr)")
        try sandbox.write("target/new", "new")
        // The first could not read a file, the second a whole folder.
        let first = try await sandbox.restore("oldest", "--no-save-snapshot-before", "--no-save-snapshot-after")
        #expect(first.status == 0 && first.stderr.contains("--delete-excluded"), "\(first.stderr)")
        #expect(try left(sandbox) == ["good", "secret", "album/one", "album/two"])
        let second = try await sandbox.restore("latest", "--no-save-snapshot-before", "--no-save-snapshot-after")
        #expect(second.status == 0, "\(second.stderr)")
        #expect(try left(sandbox) == ["good", "secret", "album/one", "album/two"])
        _ = try await sandbox.restore("oldest", "--no-save-snapshot-before", "--delete-excluded")
        #expect(try left(sandbox) == ["good", "album/one", "album/two"])
    }

    /// It alone tells what make was told to leave out.
    @Test(arguments: ["cut", "cut between its members", "lost"])
    func `Without its companion a snapshot costs no name of the target`(_ damage: String) async throws {
        let sandbox = try await sandbox()
        let companion = try #require(try sandbox.folder.files().map { TerminalText.lossy($0) }.first { $0.hasSuffix(".meta.gz") })
        let whole = try sandbox.folder.read(companion)
        // Each member of a gzip begins like this.
        let second = try #require(whole.indices.dropFirst().last { whole[$0...].starts(with: [0x1f, 0x8b, 8]) })
        switch damage {
        case "cut": try sandbox.folder.write(companion, Array(whole.dropLast(12)))
        case "lost": try FileManager.default.removeItem(atPath: sandbox.folder.path + "/" + companion)
        default: try sandbox.folder.write(companion, Array(whole[..<second]))
        }
        let before = try left(sandbox)
        let result = try await sandbox.restore("latest", "--no-save-snapshot-before")
        #expect(result.status == (damage == "lost" ? 0 : 5) && result.stderr.contains("--delete-excluded"), "\(result.stderr)")
        #expect(try left(sandbox) == before)
    }

    @Test func aFileStaysThatStandsInThePlaceOfAPipe() async throws {
        let sandbox = try RestoreSandbox([:])
        try sandbox.write("target/good", "good")
        #expect(mkfifo(sandbox.target + "/pipe", 0o600) == 0)
        _ = try await SnapcatProcess.succeed(["make", sandbox.target, "--repo", sandbox.repo])
        try FileManager.default.removeItem(atPath: sandbox.target + "/pipe")
        try sandbox.write("target/pipe", "mine")
        let result = try await sandbox.restore("latest", "--no-save-snapshot-before")
        #expect(result.status == 0, "\(result.stderr)")
        #expect(try left(sandbox) == ["good", "pipe"])
    }

    @Test func bytesThatHaveChangedBehindTheStampsAreFoundByReadingAll() async throws {
        let sandbox = try RestoreSandbox([:])
        try sandbox.write("target/photo", "sound bytes")
        _ = try await SnapcatProcess.succeed(["make", sandbox.target, "--repo", sandbox.repo])
        // A bad disk changes no stamp: here the line of the snapshot before is what does not change.
        try sandbox.write("target/photo", "other bytes")
        _ = try await SnapcatProcess.succeed(["make", sandbox.target, "--repo", sandbox.repo])
        try await forgeTheNewest(sandbox)
        let quick = try await sandbox.restore("oldest", "--no-save-snapshot-before", "--no-save-snapshot-after")
        #expect(quick.status == 0, "\(quick.stderr)")
        #expect(try sandbox.folder.read("target/photo") == Array("other bytes".utf8))
        let whole = try await sandbox.restore("oldest", "--rehash", "--no-save-snapshot-before", "--no-save-snapshot-after")
        #expect(whole.status == 0, "\(whole.stderr)")
        #expect(try sandbox.folder.read("target/photo") == Array("sound bytes".utf8))
    }

    /// Gives the newest snapshot's line the md5 of the oldest one's, as if the bytes had changed later.
    private func forgeTheNewest(_ sandbox: RestoreSandbox) async throws {
        let names = try sandbox.folder.files().map { TerminalText.lossy($0) }.filter { $0.hasSuffix(".jsonl.gz") }.sorted()
        let md5s = ["sound bytes", "other bytes"].map { RetentionSandbox.md5($0) }
        let last = try #require(names.last)
        let text = String(decoding: try Gzip.decompress(try sandbox.folder.read(last), limit: 1 << 20), as: UTF8.self)
        let forged = Array(text.replacingOccurrences(of: md5s[1], with: md5s[0]).utf8)
        try sandbox.folder.write(last, try Gzip.compress(forged, level: .standard))
    }

    @Test func anotherFileSystemThatWasNotEnteredIsLeftAlone() async throws {
        guard let disk = try SmallDisk.mount(kilobytes: 1024) else { return }
        let manager = FileManager.default
        for folder in ["tree/mine", "disk"] { try manager.createDirectory(atPath: disk.path + "/" + folder, withIntermediateDirectories: true) }
        let other = try TempFolder()
        try other.write("photo", [1])
        try Data("a".utf8).write(to: URL(fileURLWithPath: disk.path + "/tree/mine/a"))
        guard try disk.bind(other.path, at: "tree/disk") else { return }
        let repo = disk.path + "/repo"
        _ = try await SnapcatProcess.succeed(["make", disk.path + "/tree", "--repo", repo, "--one-file-system"])
        try Data("b".utf8).write(to: URL(fileURLWithPath: disk.path + "/tree/mine/b"))
        let result = try await SnapcatProcess.run(["restore", "latest", "--repo", repo, "--file-root", disk.path + "/tree"])
        #expect(result.status == 0, "\(result.stderr)")
        #expect(!manager.fileExists(atPath: disk.path + "/tree/mine/b"))
        #expect(try other.read("photo") == [1])
    }
}
