import Foundation
import SnapcatFormat
import SnapcatTestSupport
import Testing

/// `snapcat gc`: takes only what no snapshot names, and gives it back as long as it can.
@Suite(.serialized) struct GCTests {
    private static let unused = Set(["gone\n", "brief\n", "edit 0\n", "edit 1\n"].map { RetentionSandbox.md5($0) })

    /// A history of which only the last two snapshots are left.
    private func shortened() async throws -> RetentionSandbox {
        let history = try await RetentionSandbox()
        #expect(try await history.run("forget", "--keep-last", "2").status == 0)
        return history
    }

    @Test func theGraceKeepsWhatIsYoung() async throws {
        let history = try await shortened()
        let before = try history.objects()
        let result = try await history.rows(["gc"])
        #expect(result.status == 0 && result.rows.isEmpty && result.talk.contains("4 unused ones are too young"), "\(result)")
        #expect(try history.objects() == before)
    }

    @Test func withoutGraceAllUnusedObjectsAndForgottenSnapshotsGo_andNothingElse() async throws {
        let history = try await shortened()
        let before = try history.objects()
        let planned = try await history.rows(["gc", "--grace", "0s", "--dry-run"])
        #expect(try history.objects() == before)
        let done = try await history.rows(["gc", "--grace", "0s"])
        func names(_ rows: [[String: String]]) -> Set<String> { Set(rows.compactMap { $0["name"] }) }
        #expect(names(planned.rows) == names(done.rows) && done.rows.count == 6, "\(planned) \(done)")
        #expect(try history.objects() == before.subtracting(Self.unused))
        #expect(try history.files("heap/trash") == [] && history.files("snap/trash") == [])
        #expect(try await history.run("check", "--read-data").status == 0)
        #expect(try await history.rows(["gc", "--grace", "0s"]).rows.isEmpty)
    }

    @Test func whileASnapshotCannotBeReadNothingGoes() async throws {
        let history = try await shortened()
        let before = try history.objects()
        for junk in [Data("junk".utf8), Data(), Data(try Gzip.compress(Array("no json".utf8), level: .standard))] {
            let sound = try Data(contentsOf: URL(fileURLWithPath: history.snapshots[2]))
            try junk.write(to: URL(fileURLWithPath: history.snapshots[2]))
            let result = try await history.run("gc", "--grace", "0s")
            if !junk.isEmpty {
                #expect(result.status == 5 && result.lines("error").count == 1, "\(result.stderr)")
                #expect(result.stderr.contains(history.name(2)))
            }
            #expect(result.status == 5, "\(result.stderr)")
            #expect(try history.objects() == before)
            try sound.write(to: URL(fileURLWithPath: history.snapshots[2]))
        }
        // Nor where its name is no time of a snapshot.
        let odd = history.repo + "/snap/2026/11/copy.jsonl.gz"
        try Data("junk".utf8).write(to: URL(fileURLWithPath: odd))
        #expect(try await history.run("gc", "--grace", "0s").status == 5)
        #expect(try history.objects() == before)
    }

    @Test func theCatalogIsNotAsked() async throws {
        let history = try await shortened()
        _ = try Python.run(
            "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('DELETE FROM version'); c.execute('DELETE FROM heap_object'); c.commit()",
            arguments: [history.repo + "/catalog.sqlite"])
        let before = try history.objects()
        #expect(try await history.run("gc", "--grace", "0s").status == 0)
        #expect(try history.objects() == before.subtracting(Self.unused))
    }

    @Test func everySnapRootOfTheHeapCounts() async throws {
        let history = try await shortened()
        try history.base.write("other/gone", "gone\n")
        try history.base.write("python/brief", "brief\n")
        let heap = ["--heap-root", history.repo + "/heap"]
        let (second, third) = (history.folder.path + "/second", history.folder.path + "/third")
        for (source, snap) in [("other", second), ("python", third)] {
            _ = try await SnapcatProcess.succeed(["make", "\(history.folder.path)/\(source)", "--snap-root", snap] + heap)
        }
        // As if snapshooter had made it, which leaves no word in the heap.
        for name in try history.files("heap/.snap-root-") where try String(decoding: history.folder.read(name), as: UTF8.self).contains("third") {
            try FileManager.default.removeItem(atPath: history.folder.path + "/" + name)
        }
        let kept = Self.unused.subtracting(["gone\n", "brief\n"].map { RetentionSandbox.md5($0) })
        let before = try history.objects()
        let result = try await SnapcatProcess.run(["gc", "--grace", "0s", "--snap-root", third, "--snap-root", history.repo + "/snap"] + heap)
        #expect(result.status == 0, "\(result.stderr)")
        #expect(try history.objects() == before.subtracting(kept))
        // It is remembered from now on.
        #expect(try await history.run("gc", "--grace", "0s").status == 0)
        #expect(try history.objects() == before.subtracting(kept))
        // One that is missing, or empty as where nothing is mounted, ends it.
        try FileManager.default.moveItem(atPath: second, toPath: second + "-away")
        let missing = try await history.run("gc", "--grace", "0s")
        #expect(missing.status == 2 && missing.stderr.contains(second), "\(missing.stderr)")
        try FileManager.default.createDirectory(atPath: second, withIntermediateDirectories: false)
        let empty = try await history.run("gc", "--grace", "0s")
        #expect(empty.status == 2 && empty.stderr.contains("mounted"), "\(empty.stderr)")
        try FileManager.default.removeItem(atPath: second)
        #expect(try history.objects() == before.subtracting(kept))
        #expect(try await history.run("gc", "--grace", "0s", "--drop-snap-root", second).status == 0)
        #expect(try !history.objects().contains(RetentionSandbox.md5("gone\n")))
        #expect(try await history.run("gc", "--drop-snap-root", second).status == 64)
    }

    @Test func theSnapRootOfTheRepositoryCountsBesideOneThatIsGiven() async throws {
        let history = try await shortened()
        try history.base.write("other/brief", "brief\n")
        let second = history.folder.path + "/second"
        _ = try await SnapcatProcess.succeed(
            ["make", history.folder.path + "/other", "--snap-root", second, "--heap-root", history.repo + "/heap"])
        // As if snapshooter had made them.
        for name in try history.files("heap/.snap-root-") { try FileManager.default.removeItem(atPath: history.folder.path + "/" + name) }
        let before = try history.objects()
        #expect(try await history.run("gc", "--grace", "0s", "--snap-root", second).status == 0)
        #expect(try history.objects() == before.subtracting(Self.unused).union([RetentionSandbox.md5("brief\n")]))
    }

    @Test func onlyASnapRootThatIsGoneCanBeDropped_andOnlyWhereSomethingIsCollected() async throws {
        let history = try await shortened()
        try history.base.write("other/gone", "gone\n")
        let second = history.folder.path + "/second"
        _ = try await SnapcatProcess.succeed(
            ["make", history.folder.path + "/other", "--snap-root", second, "--heap-root", history.repo + "/heap"])
        let before = try history.objects()
        for options in [[], ["--dry-run"]] {
            let result = try await SnapcatProcess.run(["gc", "--repo", history.repo, "--grace", "0s", "--drop-snap-root", second] + options)
            #expect(result.status == 2 && result.stderr.contains("'\(second)'") && result.lines("error").count == 1, "\(result.stderr)")
        }
        #expect(try history.objects() == before)
        // It is gone, but nothing is collected: it is remembered still.
        try FileManager.default.moveItem(atPath: second, toPath: second + "-away")
        let sound = try Data(contentsOf: URL(fileURLWithPath: history.snapshots[2]))
        try Data("junk".utf8).write(to: URL(fileURLWithPath: history.snapshots[2]))
        #expect(try await history.run("gc", "--grace", "0s", "--drop-snap-root", second).status == 5)
        try sound.write(to: URL(fileURLWithPath: history.snapshots[2]))
        #expect(try await history.run("gc", "--grace", "0s").status == 2)
        try FileManager.default.moveItem(atPath: second + "-away", toPath: second)
        #expect(try await history.run("gc", "--grace", "0s").status == 0)
        #expect(try history.objects().contains(RetentionSandbox.md5("gone\n")))
    }

    @Test func aRepositoryThatIsMovedStillKnowsItsSnapRoot() async throws {
        let history = try await shortened()
        let moved = history.folder.path + "/moved"
        try FileManager.default.moveItem(atPath: history.repo, toPath: moved)
        let result = try await SnapcatProcess.run(["gc", "--repo", moved])
        #expect(result.status == 0, "\(result.stderr)")
    }

    @Test func withoutARepositoryItIsOneLine() async throws {
        let folder = try TempFolder()
        for arguments in [["gc"], ["undelete"], ["gc", "--dry-run"]] {
            let result = try await SnapcatProcess.run(arguments + ["--repo", folder.path + "/none"])
            #expect(result.status == 10 && result.lines("error").count == 1, "\(arguments): \(result.stderr)")
        }
        #expect(try folder.files() == [])
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/none"))
        for wrong in [["--grace", "soon"], ["--grace", "-1s"], ["--grace"], ["--wait", "x", "y"]] {
            #expect(try await SnapcatProcess.run(["gc", "--repo", folder.path + "/none"] + wrong).status == 64, "\(wrong)")
        }
    }

    @Test func undeleteMakesNoHeapWhereItsOwnIsNotMounted() async throws {
        let history = try await shortened()
        try FileManager.default.moveItem(atPath: history.repo + "/heap", toPath: history.repo + "/away")
        for arguments in [["undelete"], ["undelete", "--dry-run"], ["undelete", history.stem(0)]] {
            let result = try await SnapcatProcess.run(arguments + ["--repo", history.repo])
            #expect(result.status == 10 && result.lines("error").count == 1, "\(arguments): \(result.stderr)")
        }
        #expect(!FileManager.default.fileExists(atPath: history.repo + "/heap"))
        #expect(try history.left().count == 2)
        try FileManager.default.moveItem(atPath: history.repo + "/away", toPath: history.repo + "/heap")
        #expect(try await history.run("undelete").status == 0)
    }

    @Test func snapshooterDoesNotTakeTheTrashForObjects() async throws {
        let history = try await shortened()
        try FileManager.default.createDirectory(atPath: history.repo + "/heap/trash/2020-01-01_00-00-00_000000Z", withIntermediateDirectories: true)
        let md5 = RetentionSandbox.md5("gone\n")
        try FileManager.default.moveItem(
            atPath: "\(history.repo)/heap/\(md5.prefix(2))/\(md5).gz", toPath: "\(history.repo)/heap/trash/2020-01-01_00-00-00_000000Z/unused-\(md5).gz")
        let lines = try await PythonSnapshooter.run(
            "s = snapshooter(argv[0], argv[1])\nprint(s.heap.contains(argv[2]), len(s.get_snapshot_paths()))",
            [history.base.source, history.repo, md5])
        // Nor forgotten snapshots for snapshots.
        #expect(lines == ["False 2"])
        // A make that meets the content again takes it from there.
        try history.base.write("source/again", "gone\n")
        try await history.base.make()
        #expect(try history.objects().contains(md5) && history.trashed().isEmpty)
        #expect(try await history.run("cat", "latest:again").text == "gone\n")
    }

    @Test func aDryUndeleteTellsNothingOfAnObjectThatTheHeapHasToo() async throws {
        let history = try await RetentionSandbox()
        let run = history.repo + "/heap/trash/2020-01-01_00-00-00_000000Z"
        try FileManager.default.createDirectory(atPath: run, withIntermediateDirectories: true)
        let md5s = ["always\n", "late\n"].map { RetentionSandbox.md5($0) }
        let objects = md5s.map { "\(history.repo)/heap/\($0.prefix(2))/\($0).gz" }
        for (md5, object) in zip(md5s, objects) { try FileManager.default.copyItem(atPath: object, toPath: "\(run)/unused-\(md5).gz") }
        try FileManager.default.removeItem(atPath: objects[1])
        let planned = try await history.rows(["undelete", "--dry-run"])
        let done = try await history.rows(["undelete"])
        #expect(planned.rows == done.rows && done.rows.map { $0["name"] } == [md5s[1]], "\(planned) \(done)")
    }

    @Test func aDryRunTellsOnceWhatComesBack() async throws {
        let history = try await RetentionSandbox()
        let md5 = RetentionSandbox.md5("always\n")
        let run = history.repo + "/heap/trash/2020-01-01_00-00-00_000000Z"
        try FileManager.default.createDirectory(atPath: run, withIntermediateDirectories: true)
        try FileManager.default.moveItem(atPath: "\(history.repo)/heap/\(md5.prefix(2))/\(md5).gz", toPath: "\(run)/unused-\(md5).gz")
        let planned = try await history.rows(["gc", "--dry-run"])
        #expect(planned.rows.map { $0["action"] } == ["restore"] && planned.talk.contains("1 brought back"), "\(planned)")
    }
}
