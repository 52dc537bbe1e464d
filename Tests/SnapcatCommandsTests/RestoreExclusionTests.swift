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

    @Test func aFolderThatCouldBeOpenedAndNotListedIsLeftAlone() async throws {
        let (sandbox, tree) = (try RestoreSandbox([:]), try TempFolder())
        let names = ["good", "album/one", "album/deep/two"]
        for name in names { try tree.write(name, Array(name.utf8)) }
        // One of the first calls is about the album.
        for number in 1...6 {
            let made = try await CallFault([.list], number: number, .fail(EIO, forever: false))
                .run(["make", tree.path, "--repo", sandbox.repo], below: tree).process
            guard made.stderr.contains("'album") else { continue }
            #expect(made.status == 3 && !made.stderr.contains("/'"), "\(made.stderr)")
            let restore = ["restore", "latest", "--repo", sandbox.repo, "--file-root", tree.path, "--no-save-snapshot-before"]
            let result = try await SnapcatProcess.run(restore)
            #expect(result.status == 0, "\(result.stderr)")
            #expect(Set(try tree.files().map { TerminalText.lossy($0) }).isSuperset(of: names), "\(result.stderr)")
            return
        }
        Issue.record("no call was about the album")
    }

    @Test(arguments: [["--exclude", ".*"], ["--max-size", "10"], []])
    func `An ignore file that is left out itself counts`(_ options: [String]) async throws {
        let sandbox = try RestoreSandbox([:])
        try sandbox.write("target/.snapcatignore", options.isEmpty ? "*.tmp\n.snapcatignore\n" : "*.tmp\n# longer than ten bytes\n")
        try sandbox.write("target/deep/.snapcatignore", "/.snapcatignore\n/raw/\n")
        for name in ["keep", "x.tmp", "deep/x.tmp", "deep/raw/photo"] { try sandbox.write("target/" + name, "precious") }
        _ = try await SnapcatProcess.succeed(["make", sandbox.target, "--repo", sandbox.repo] + options)
        try sandbox.write("target/deep/new", "new")
        let result = try await sandbox.restore("latest", "--no-save-snapshot-before")
        #expect(result.status == 0, "\(result.stderr)")
        #expect(try left(sandbox) == [".snapcatignore", "deep/.snapcatignore", "keep", "x.tmp", "deep/x.tmp", "deep/raw/photo"])
    }

    @Test(arguments: [[], ["--dry-run"]])
    func `Where an ignore file of the target cannot be read its folder is kept, and the exit code tells it`(_ dry: [String]) async throws {
        let sandbox = try RestoreSandbox([:])
        for name in ["f", "closed/f"] { try sandbox.write("target/" + name, "x") }
        _ = try await SnapcatProcess.succeed(["make", sandbox.target, "--repo", sandbox.repo])
        for name in ["closed/.snapcatignore", "closed/new", "new"] { try sandbox.write("target/" + name, "*.o\n") }
        _ = try await SnapcatProcess.succeed(["make", sandbox.target, "--repo", sandbox.repo])
        // One of the first ignore files that are opened is that of 'closed'.
        for number in 1...4 {
            let result = try await MeetingPoint.run(
                ["restore", "oldest", "--repo", sandbox.repo, "--file-root", sandbox.target, "--no-save-snapshot-after"] + dry,
                before: number, in: ".snapcatignore", .failure(EIO))
            let told = result.lines("warning").filter { $0.contains("Cannot read the ignore file of 'closed'") }
            if told.isEmpty { continue }
            #expect(result.status == 3 && told.count == 1, "\(result.stderr)")
            #expect(try sandbox.exists("target/closed/new") && (dry.isEmpty ? !sandbox.exists("target/new") : true))
            return
        }
        Issue.record("no ignore file of 'closed' was opened")
    }

    @Test func anIgnoreFileThatHasComeLaterCountsForNothing() async throws {
        let sandbox = try RestoreSandbox([:])
        try sandbox.write("target/f", "x")
        _ = try await SnapcatProcess.succeed(["make", sandbox.target, "--repo", sandbox.repo])
        for (name, text) in [(".snapcatignore", "*.log\n"), ("x.log", "l")] { try sandbox.write("target/" + name, text) }
        #expect(try await sandbox.restore("latest", "--no-save-snapshot-before").status == 0)
        #expect(try left(sandbox) == ["f"])
    }

    @Test func theRootsRulesHoldInAFolderThatHasItsOwn() async throws {
        let sandbox = try RestoreSandbox([:])
        let files = [".snapcatignore": "/.snapcatignore\n*.log\n", "sub/.snapcatignore": "*.o\n", "sub/f": "f", "sub/x.log": "k", "x.log": "k"]
        for (name, text) in files { try sandbox.write("target/" + name, text) }
        _ = try await SnapcatProcess.succeed(["make", sandbox.target, "--repo", sandbox.repo])
        #expect(try await sandbox.restore("latest", "--no-save-snapshot-before").status == 0)
        #expect(try left(sandbox) == Set(files.keys))
    }

    /// By root alone, who can mount.
    @Test func whatWasMountedIsLeftAloneByAFilterToo() async throws {
        guard let disk = try SmallDisk.mount(kilobytes: 1024) else { return }
        let sandbox = try RestoreSandbox(["data.txt": "precious"])
        try Data("one".utf8).write(to: URL(fileURLWithPath: disk.path + "/a.txt"))
        guard try disk.bind(sandbox.source, at: "mnt") else { return }
        _ = try await SnapcatProcess.succeed(["make", disk.path, "--repo", sandbox.repo, "--one-file-system"])
        let mounted = try await SnapcatProcess.run([
            "restore", "latest", "--repo", sandbox.repo, "--file-root", disk.path, "--no-save-snapshot-before", "--include", "*.txt",
        ])
        #expect(mounted.status == 0, "\(mounted.stderr)")
        #expect(try sandbox.exists("source/data.txt"))
        // A plain folder elsewhere, with what was copied from there.
        for name in ["mnt/data.txt", "gone"] { try sandbox.write("target/" + name, "precious") }
        let plain = try await sandbox.restore("latest", "--no-save-snapshot-before")
        #expect(plain.status == 0, "\(plain.stderr)")
        #expect(try left(sandbox) == ["a.txt", "mnt/data.txt"])
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
