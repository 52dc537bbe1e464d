import Foundation
import SnapcatTestSupport
import Testing

/// `snapcat forget`: what goes, why the rest stays, and how much that frees.
@Suite(.serialized) struct ForgetTests {
    @Test func theRowsTellWhyEachIsKeptAndTheSumIsWhatGCRemoves() async throws {
        let history = try await RetentionSandbox()
        let told = try await history.rows(["forget", "--keep-last", "1", "--keep-tag", "release"])
        #expect(told.status == 0, "\(told.talk)")
        #expect(told.rows.map { $0["action"] } == ["keep", "keep", "forget", "forget"])
        #expect(told.rows.map { $0["reasons"] } == ["last 1", "tag release", "no rule keeps it", "no rule keeps it"])
        #expect(told.rows.map { $0["path"] } == history.snapshots.reversed())
        // `gone`, `brief` and `edit 1` count at the second snapshot, `edit 0` at the first.
        #expect(told.rows.map { $0["freed_objects"] } == ["0", "0", "3", "1"])
        #expect(told.rows.map { $0["freed_bytes"] } == ["0", "0", "18", "7"])
        #expect(try history.left() == [history.name(2), history.name(3)])
        let stored = told.rows.reduce(0) { $0 + (Int($1["stored_bytes"] ?? "") ?? 0) }
        let collected = try await history.rows(["gc", "--grace", "0s"])
        let objects = collected.rows.filter { $0["kind"] == "object" }
        #expect(objects.reduce(0) { $0 + (Int($1["stored_bytes"] ?? "") ?? 0) } == stored, "\(collected)")
        #expect(Set(objects.compactMap { $0["name"] }) == Set(["gone\n", "brief\n", "edit 0\n", "edit 1\n"].map { RetentionSandbox.md5($0) }))
        #expect(try await history.run("check", "--read-data").status == 0)
        #expect(try await history.run("catalog", "verify").status == 0)
    }

    @Test func aDryRunMovesNothingAndTellsTheSame() async throws {
        let history = try await RetentionSandbox()
        let before = try history.files("snap/").filter { !$0.contains(".lock") }
        let planned = try await history.rows(["forget", "--dry-run", "--keep-last", "2"])
        #expect(try history.files("snap/").filter { !$0.contains(".lock") } == before)
        let done = try await history.rows(["forget", "--keep-last", "2"])
        #expect(planned.rows == done.rows && planned.rows.count == 4)
        #expect(try history.left().count == 2)
    }

    @Test func snapshotsAreForgottenByNamePathOrPlace() async throws {
        let history = try await RetentionSandbox()
        #expect(try await history.run("forget", history.snapshots[1]).status == 0)
        #expect(try await history.run("forget", history.name(3)).status == 0)
        #expect(try await history.run("forget", "oldest").status == 0)
        #expect(try history.left() == [history.name(2)])
    }

    @Test func allIsNeverForgotten() async throws {
        let history = try await RetentionSandbox()
        for arguments in [
            ["oldest", "latest", "latest~1", "latest~2"], ["--keep-last", "0"], ["--keep-tag", "none"], [],
        ] {
            let result = try await SnapcatProcess.run(["forget", "--repo", history.repo] + arguments)
            #expect(result.status == 64 && result.lines("error").count == 1, "\(arguments): \(result.stderr)")
            #expect(result.stdout.isEmpty)
            #expect(try history.left().count == 4)
        }
        #expect(try await history.run("forget", "--keep-last", "9").status == 0)
        #expect(try history.left().count == 4)
    }

    @Test func aRescueOfAnotherFolderTakesNoPlaceFromThisOne() async throws {
        let history = try await RetentionSandbox()
        try history.base.write("elsewhere/x", "x")
        _ = try await SnapcatProcess.succeed(["make", history.folder.path + "/elsewhere", "--repo", history.repo])
        let told = try await history.rows(["forget", "--keep-last", "1"])
        #expect(told.rows.map { $0["action"] } == ["keep", "keep", "forget", "forget", "forget"], "\(told)")
    }

    @Test(arguments: ["host,folder", "folder", "host"])
    func snapshotsOfAFolderThatIsNotKnownAreNotForgottenForThoseOfAnother(grouping: String) async throws {
        let history = try await RetentionSandbox()
        // As snapshooter leaves them.
        for index in history.snapshots.indices { try FileManager.default.removeItem(atPath: history.companion(index)) }
        try history.base.write("elsewhere/x", "x")
        let other = try await SnapcatProcess.succeed(["make", history.folder.path + "/elsewhere", "--repo", history.repo]).lines[0]
        let refused = try await history.run("forget", "--keep-tag", "none", "--group-by", grouping)
        #expect(refused.status == 64 && refused.lines("error").count == 1, "\(refused.stderr)")
        let told = try await history.rows(["forget", "--keep-last", "1", "--group-by", grouping])
        #expect(told.status == 0 && told.rows.map { $0["action"] } == ["keep", "keep", "forget", "forget", "forget"], "\(told)")
        #expect(try history.left() == [history.name(3), String(other.suffix(36))])
    }

    @Test func whatIsForgottenComesBackWithAllItsFiles() async throws {
        let history = try await RetentionSandbox()
        let before = try history.files("snap/2")
        #expect(try await history.run("forget", "--keep-last", "1").status == 0)
        // Its contents lie in the heap's trash meanwhile.
        #expect(try await history.run("gc", "--grace", "1s", "--dry-run").status == 0)
        let back = try await history.rows(["undelete"])
        #expect(back.status == 0 && back.rows.map { $0["action"] } == ["restore", "restore", "restore"], "\(back)")
        #expect(try history.files("snap/2") == before)
        #expect(try history.files("snap/trash/") == [])
        #expect(try await history.run("check", "--read-data").status == 0)
        #expect(try await history.run("cat", "oldest:gone").text == "gone\n")
        #expect(try await history.run("list", "--format", "jsonl").lines.count == 4)
    }

    @Test func aDamagedOneIsForgottenByItsNameOnly() async throws {
        let history = try await RetentionSandbox()
        try Data("junk".utf8).write(to: URL(fileURLWithPath: history.snapshots[0]))
        let told = try await history.rows(["forget", "--keep-last", "1"])
        #expect(told.rows.last?["reasons"] == "damaged: only its name forgets it", "\(told)")
        #expect(try history.left() == [history.name(0), history.name(3)])
        #expect(try await history.run("forget", history.name(0)).status == 0)
        #expect(try history.left() == [history.name(3)])
        // The good one is the last.
        #expect(try await history.run("forget", "latest").status == 64)
    }

    @Test func aSnapshotWhoseCompanionIsDamagedIsForgottenByItsNameOnly() async throws {
        let history = try await RetentionSandbox()
        try history.base.write("elsewhere/x", "x")
        let elsewhere = try await SnapcatProcess.succeed(["make", history.folder.path + "/elsewhere", "--repo", history.repo]).lines[0]
        // Of the one with the tag, and of the only one of its folder.
        for companion in [history.companion(2), elsewhere.replacing(".jsonl.gz", with: ".meta.gz")] {
            try Data("junk".utf8).write(to: URL(fileURLWithPath: companion))
        }
        let told = try await history.rows(["forget", "--keep-last", "1", "--keep-tag", "release"])
        let damaged = "companion damaged: only its name forgets it"
        #expect(told.status == 0 && told.rows.prefix(3).map { $0["reasons"] } == [damaged, "last 1", damaged], "\(told)")
        #expect(try history.left() == [history.name(2), history.name(3), String(elsewhere.suffix(36))])
        // It may be of any folder: it stands for none.
        #expect(try await history.run("forget", "--keep-tag", "none").status == 64)
        #expect(try await history.run("forget", history.name(2)).status == 0)
        #expect(try history.left() == [history.name(3), String(elsewhere.suffix(36))])
    }

    @Test func eachHostIsJudgedApart() async throws {
        let history = try await RetentionSandbox()
        for index in [0, 1] { try history.changeFacts(index) { $0.replacing(/"host": "[^"]*"/, with: #""host": "other""#) } }
        let refused = try await history.run("forget", "--keep-tag", "release")
        #expect(refused.status == 64 && refused.stderr.contains("host 'other'"), "\(refused.stderr)")
        for grouping in ["folder", "folder,host", "host"] {
            let told = try await history.rows(["forget", "--dry-run", "--keep-last", "1", "--group-by", grouping])
            #expect(told.rows.map { $0["action"] } == ["keep", "forget", grouping == "folder" ? "forget" : "keep", "forget"], "\(grouping): \(told)")
        }
        #expect(try await history.run("forget", "--keep-last", "1").status == 0)
        #expect(try history.left() == [history.name(1), history.name(3)])
    }

    @Test(arguments: ["missing", "damaged"])
    func whatIsWrongWithAnotherSnapRootOnlyHidesWhatIsFreed(wrong: String) async throws {
        let history = try await RetentionSandbox()
        let other = history.folder.path + "/other-snap"
        let made = try await SnapcatProcess.succeed(["make", history.base.source, "--snap-root", other, "--heap-root", history.repo + "/heap"])
        if wrong == "missing" {
            try FileManager.default.moveItem(atPath: other, toPath: other + "-away")
        } else {
            try Data("junk".utf8).write(to: URL(fileURLWithPath: made.lines[0]))
        }
        let told = try await history.rows(["forget", "--keep-last", "1"])
        #expect(told.status == 0 && told.rows.map { $0["freed_bytes"] } == ["0", "<null>", "<null>", "<null>"], "\(told)")
        #expect(told.talk.split(separator: "\n").filter { $0.contains("is not known") && $0.contains(other) }.count == 1, "\(told.talk)")
        #expect(try history.left() == [history.name(3)])
        #expect(try await history.run("gc", "--grace", "0s").status != 0)
    }

    @Test func whatIsFreedIsNotKnownWithoutAHeap_norWhereWhatStaysMayNameAnything() async throws {
        let history = try await RetentionSandbox()
        func freed(_ arguments: [String] = [], _ roots: [String]? = nil) async throws -> (values: Set<String>, notes: Int) {
            let result = try await SnapcatProcess.run(
                ["forget", "oldest", "--dry-run", "--format", "tsv"] + arguments + (roots ?? ["--repo", history.repo]))
            #expect(result.status == 0 && result.stdout.isEmpty == false, "\(result.stderr)")
            let rows = result.lines.filter { $0.hasPrefix("forget") }.map { $0.split(separator: "\t", omittingEmptySubsequences: false) }
            let notes = result.stderr.split(separator: "\n").filter { $0.contains("how much that frees is not known: ") }
            return (Set(rows.map { $0.suffix(3).joined(separator: " ") }), notes.count)
        }
        let known = try await freed()
        #expect(known.notes == 0 && known.values.allSatisfy { $0.hasPrefix("1 7 ") }, "\(known)")
        let bare = try await freed([], ["--snap-root", history.repo + "/snap"])
        #expect(bare == (["  "], 1))
        let copy = history.snapshots[3].replacing(".jsonl.gz", with: " (copy).jsonl.gz")
        try FileManager.default.copyItem(atPath: history.snapshots[3], toPath: copy)
        let beside = try await freed()
        #expect(beside == (["  "], 1))
        try FileManager.default.removeItem(atPath: copy)
        try Data("junk".utf8).write(to: URL(fileURLWithPath: history.snapshots[1]))
        let damaged = try await freed()
        #expect(damaged == (["  "], 1))
        // Forgotten too it hides nothing of the others.
        let both = try await freed([history.name(1)])
        #expect(both.notes == 0, "\(both)")
    }

    @Test func contentsThatAnotherSnapRootOfTheHeapNamesAreNotFreed() async throws {
        let history = try await RetentionSandbox()
        try history.base.write("other/gone", "gone\n")
        let other = ["--snap-root", history.folder.path + "/other-snap", "--heap-root", history.repo + "/heap"]
        _ = try await SnapcatProcess.succeed(["make", history.folder.path + "/other"] + other)
        let told = try await history.rows(["forget", "--dry-run", "--keep-last", "1", "--keep-tag", "release"])
        #expect(told.rows.map { $0["freed_objects"] } == ["0", "0", "2", "1"])
    }

    @Test func badOptionsAreOneLineAndForgetNothing() async throws {
        let history = try await RetentionSandbox()
        for arguments in [
            ["--keep-last", "-1"], ["--keep-last=-1"], ["--keep-daily", "two"], ["--keep-within", "soon"], ["--keep-within", "99999999999999999999d"],
            ["latest", "--keep-last", "1"], ["--keep-within"], ["live"], ["../x"], ["--format", "xml", "latest"], ["--keep-last", "1", "--wait", "5 parsecs"],
            ["--keep-last", "1", "--sql"], ["--keep-last", "1", "--group-by", "tags"], ["--keep-last", "1", "--group-by", ""],
            ["--keep-last", "1", "--group-by", "host,"], ["latest", "--group-by", "host"],
        ] {
            let result = try await SnapcatProcess.run(["forget", "--repo", history.repo] + arguments)
            #expect(result.status == 64 && result.stderr.split(separator: "\n").count == 1, "\(arguments): \(result.status) \(result.stderr)")
        }
        for missing in ["1999-01-01", "2026-01-01_00-00-00", history.folder.path + "/none.jsonl.gz"] {
            let result = try await SnapcatProcess.run(["forget", "--repo", history.repo, missing])
            #expect([10, 64].contains(result.status) && result.lines("error").count == 1, "\(missing): \(result.stderr)")
        }
        #expect(try history.left().count == 4)
        #expect(try await SnapcatProcess.run(["forget", "latest", "--repo", history.folder.path + "/none"]).status == 10)
    }
}
