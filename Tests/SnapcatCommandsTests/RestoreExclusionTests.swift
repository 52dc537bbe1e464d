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
