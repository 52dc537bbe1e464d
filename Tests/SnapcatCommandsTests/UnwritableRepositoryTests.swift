import Foundation
import SnapcatTestSupport
import Testing

/// Reading works where the repository cannot be written: its catalog is derived, and a temporary one serves.
@Suite struct UnwritableRepositoryTests {
    /// A repository on a disk of its own, with two snapshots of which the catalog knows the first only.
    private func repository(_ disk: SmallDisk, hasCatalog: Bool) async throws -> RestoreSandbox {
        let sandbox = try RestoreSandbox()
        let repo = disk.path + "/repo"
        _ = try await SnapcatProcess.succeed(["make", sandbox.source, "--repo", repo])
        let manager = FileManager.default
        try manager.copyItem(atPath: repo + "/catalog.sqlite", toPath: sandbox.folder.path + "/known")
        for index in 0..<3000 { try sandbox.write("source/many/a rather long name of a file \(index)", "x") }
        _ = try await SnapcatProcess.succeed(["make", sandbox.source, "--repo", repo])
        for suffix in ["", "-wal", "-shm"] where manager.fileExists(atPath: repo + "/catalog.sqlite" + suffix) {
            try manager.removeItem(atPath: repo + "/catalog.sqlite" + suffix)
        }
        if hasCatalog { try manager.copyItem(atPath: sandbox.folder.path + "/known", toPath: repo + "/catalog.sqlite") }
        return sandbox
    }

    private func expectReadingWorks(
        _ disk: SmallDisk, _ sandbox: RestoreSandbox, _ what: String, environment: [String: String] = [:]
    ) async throws {
        let target = sandbox.folder.path + "/target-" + what.replacing(" ", with: "-")
        let commands: [([String], String)] = [
            (["list", "--format", "tsv"], "3002"), (["query", "SELECT count(*) AS n FROM current_file", "--format", "tsv"], "3002"),
            (["compare", "--summary", "--format", "tsv"], "only_right"), (["ls", "--format", "tsv"], "many"),
            (["ls", "oldest", "--format", "tsv"], "a.txt"), (["cat", "latest:b/c.txt"], "two"),
            (["query", "SELECT count(*) AS n FROM object WHERE present", "--format", "tsv"], "3"),
            (["compare", "latest", "live", "--file-root", sandbox.source, "--format", "tsv"], "status"),
            (["restore", "latest", "--file-root", target], ""),
        ]
        for (command, text) in commands {
            let result = try await SnapcatProcess.run(command + ["--repo", disk.path + "/repo"], environment: environment)
            #expect(result.status == 0, "\(what) \(command): \(result.stderr)")
            #expect(result.text.contains(text) || text.isEmpty, "\(what) \(command): \(result.text)")
            #expect(result.lines("error").isEmpty, "\(what) \(command): \(result.stderr)")
        }
        #expect(try Data(contentsOf: URL(fileURLWithPath: target + "/b/c.txt")) == Data("two\n".utf8))
    }

    @Test(arguments: [true, false], ["full", "nearly full", "read-only"])
    func `Every reading command works`(hasCatalog: Bool, state: String) async throws {
        guard let disk = try SmallDisk.mount(kilobytes: 8 << 10) else { return }
        let sandbox = try await repository(disk, hasCatalog: hasCatalog)
        switch state {
        case "read-only": try disk.makeReadOnly()
        // So much that the catalog can be opened, and its transaction fails halfway.
        case "nearly full": _ = try disk.fill(leavingKilobytes: 200)
        default: _ = try disk.fill()
        }
        try await expectReadingWorks(disk, sandbox, "\(state) \(hasCatalog)")
    }

    @Test func whereTheTemporaryFolderIsFullTooMemoryServes() async throws {
        guard let disk = try SmallDisk.mount(kilobytes: 8 << 10) else { return }
        let sandbox = try await repository(disk, hasCatalog: true)
        _ = try disk.fill()
        for folder in [disk.path, disk.path + "/none"] {
            for command in [["list"], ["query", "SELECT count(*) FROM snapshot_file"], ["ls"], ["cat", "latest:a.txt"]] {
                let result = try await SnapcatProcess.run(
                    command + ["--repo", disk.path + "/repo"], environment: ["TMPDIR": folder])
                #expect(result.status == 0, "\(command): \(result.stderr)")
            }
            // This one needs a temporary folder.
            let live = try await SnapcatProcess.run(
                ["compare", "latest", "live", "--repo", disk.path + "/repo", "--file-root", sandbox.source],
                environment: ["TMPDIR": folder])
            #expect(live.status == 2 && live.lines("error").count == 1, "\(live.stderr)")
            #expect(live.stderr.contains(folder), "\(live.stderr)")
        }
        #expect(!FileManager.default.fileExists(atPath: disk.path + "/none"))
    }

    @Test func whatWritesTellsItInOneLineAndPublishesNothing() async throws {
        guard let disk = try SmallDisk.mount(kilobytes: 8 << 10) else { return }
        let sandbox = try await repository(disk, hasCatalog: true)
        _ = try disk.fill()
        try sandbox.write("source/new", String(repeating: "new", count: 100_000))
        for command in [["make", sandbox.source], ["catalog", "sync"]] {
            let result = try await SnapcatProcess.run(command + ["--repo", disk.path + "/repo"])
            #expect(result.status == 2 && result.lines("error").count == 1, "\(command): \(result.stderr)")
        }
        let list = try await SnapcatProcess.succeed(["list-snapshots", "--repo", disk.path + "/repo"])
        #expect(list.lines.count == 2)
    }
}
