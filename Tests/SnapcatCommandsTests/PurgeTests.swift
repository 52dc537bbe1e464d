import Foundation
import SnapcatFormat
import SnapcatPlatform
import SnapcatTestSupport
import Testing

/// `snapcat purge`: names are taken out of the history, and nothing else changes.
@Suite(.serialized) struct PurgeTests {
    private func lines(_ path: String) throws -> [String] {
        let bytes = try Array(Data(contentsOf: URL(fileURLWithPath: path)))
        let text = try GzipReader(ArraySource(bytes), name: path).readAll(limit: 1 << 20)
        return String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// A history with a link and a folder to be purged too.
    private func history() async throws -> RetentionSandbox {
        let history = try await RetentionSandbox()
        try history.base.write("source/secret/key", "secret\n")
        try history.base.write("source/secrets", "not meant\n")
        try FileManager.default.createSymbolicLink(atPath: history.base.source + "/secret/link", withDestinationPath: "key")
        try await history.base.make()
        return history
    }

    @Test func aFolderGoesWithAllBelowIt_andEveryOtherLineStaysAsItIs() async throws {
        let history = try await history()
        let snapshot = history.repo + "/" + (try history.base.snapshots().last ?? "").dropFirst(5)
        let companion = snapshot.replacing(".jsonl.gz", with: ".meta.gz")
        let (before, nodes) = (try lines(snapshot), try lines(companion))
        let untouched = try Data(contentsOf: URL(fileURLWithPath: history.snapshots[0]))
        let planned = try await history.rows(["purge", "secret/", "--dry-run"])
        #expect(try lines(snapshot) == before && planned.rows.count == 1)
        let done = try await history.rows(["purge", "secret/"])
        #expect(done.status == 0 && done.rows == planned.rows, "\(done)")
        #expect(done.rows.first.map { [$0["files"], $0["bytes"], $0["nodes"]] } == ["1", "7", "2"])
        #expect(try lines(snapshot) == before.filter { !$0.contains("secret/") })
        let left = try lines(companion)
        #expect(Array(left.dropFirst()) == nodes.dropFirst().filter { !$0.contains("\"secret") })
        #expect(left.count == nodes.count - 2 && !left[0].contains("secret"))
        #expect(try Data(contentsOf: URL(fileURLWithPath: history.snapshots[0])) == untouched)
        for command in [["check", "--read-data"], ["catalog", "verify"]] {
            let result = try await SnapcatProcess.run(command + ["--repo", history.repo])
            #expect(result.status == 0, "\(result.text)")
        }
        #expect(try await history.run("find", "secret/*", "--format", "json").text == "[]\n")
        // Its content goes with the old snapshot.
        #expect(try await history.run("gc", "--grace", "0s").status == 0)
        #expect(try !history.objects().contains(RetentionSandbox.md5("secret\n")))
        #expect(try history.objects().contains(RetentionSandbox.md5("not meant\n")))
    }

    @Test func severalNamesGoFromEverySnapshotThatHasThem() async throws {
        let history = try await history()
        let done = try await history.rows(["purge", "always", "gone"])
        #expect(done.status == 0 && done.rows.map { $0["files"] } == ["2", "2", "1", "1", "1"], "\(done)")
        #expect(try await history.run("cat", "oldest:always").status != 0)
        #expect(try await history.run("cat", "oldest:edited").text == "edit 0\n")
        #expect(try await history.rows(["purge", "always", "gone"]).rows.isEmpty)
    }

    @Test func aNameThatNoSnapshotHasIsToldBesideOneThatWasFound() async throws {
        let history = try await history()
        // A second one below the first, and one that only a companion has, are found; those of another case or form are not.
        let names = ["secret", "secret/link", "d", "d/none", "Gone", "cafe\u{301}"]
        try history.base.write("source/caf\u{e9}", "x")
        try await history.base.make()
        for further in [["--dry-run"], []] {
            let result = try await SnapcatProcess.run(["purge", "--repo", history.repo] + names + further)
            let warnings = result.lines("warning")
            #expect(result.status == 3 && warnings.count == 3, "\(further): \(result.status) \(result.stderr)")
            for (warning, name) in zip(warnings, ["Gone", "cafe\u{301}", "d/none"]) {
                #expect(warning.contains("'\(name)'") && warning.contains("no snapshot has it"), "\(warning)")
            }
        }
        // Purged before it is no mistake; alone it is none of the run's others.
        for names in [["secret", "gone"], ["Gone"]] {
            let result = try await SnapcatProcess.run(["purge", "--repo", history.repo] + names)
            #expect(result.status == 0 && result.lines("warning").isEmpty, "\(names): \(result.status) \(result.stderr)")
        }
    }

    @Test func snapshotsOfTheTrashThatHaveTheNameAreTold_asTheyAreNotPurged() async throws {
        let history = try await RetentionSandbox()
        func told(_ arguments: String...) async throws -> [Substring] {
            let result = try await SnapcatProcess.run(["purge", "--repo", history.repo] + arguments)
            #expect(result.status == 0, "\(result.stderr)")
            return result.stderr.split(separator: "\n").filter { $0.contains("of the trash") }
        }
        #expect(try await told("gone", "--dry-run") == [])
        for reference in ["oldest", "latest"] { #expect(try await history.run("forget", reference).status == 0) }
        #expect(try await told("brief", "--dry-run") == [])
        for further in [["--dry-run"], []] {
            let lines = try await told("gone", further.first ?? "d")
            #expect(lines.count == 1 && lines[0].contains("not purged: \(further.isEmpty ? 2 : 1) snapshots"), "\(lines)")
        }
        #expect(try await history.run("gc", "--grace", "0s").status == 0)
        #expect(try await told("gone") == [])
    }

    @Test(arguments: [["purge", "gone"], ["forget", "oldest"], ["undelete"]])
    func whatAKilledWriterHasLeftGoesWithTheNextThatWrites(command: [String]) async throws {
        let history = try await RetentionSandbox()
        let leftover = "repo/snap/" + history.name(0).prefix(4) + "/" + history.name(0).dropFirst(5).prefix(2) + "/.snapcat-tmp-0123456789abcdef"
        try history.base.write(leftover, "half")
        let result = try await SnapcatProcess.run(command + ["--repo", history.repo])
        #expect(result.status == 0, "\(result.stderr)")
        #expect(try !history.base.exists(leftover))
    }

    @Test func theOldSnapshotComesBackByItsName() async throws {
        let history = try await RetentionSandbox()
        let before = try Data(contentsOf: URL(fileURLWithPath: history.snapshots[1]))
        #expect(try await history.run("purge", "gone").status == 0)
        #expect(try await history.rows(["undelete"]).rows.allSatisfy { $0["action"] == "skip" })
        let stem = String(history.name(1).dropLast(9))
        let back = try await history.rows(["undelete", stem])
        #expect(back.rows.map { $0["action"] } == ["restore"], "\(back)")
        #expect(try Data(contentsOf: URL(fileURLWithPath: history.snapshots[1])) == before)
        #expect(try await history.run("cat", "latest~2:gone").text == "gone\n")
        #expect(try await history.run("check").status == 0)
    }

    @Test func aProblemThatACompanionTellsOfTheNameGoesToo() async throws {
        let history = try await RetentionSandbox()
        let companion = history.snapshots[3].replacing(".jsonl.gz", with: ".meta.gz")
        var first = try lines(companion)
        first[0] = first[0].replacing("\"errors\": []", with: #""errors": [{"message": "x", "name": "private/a"}, {"message": "x", "name": "b"}], "unknown": {"kept": 1.50}"#)
        try Data(Gzip.compress(Array(first.joined(separator: "\n").utf8), level: .standard)).write(to: URL(fileURLWithPath: companion))
        #expect(try await history.rows(["purge", "private"]).rows.count == 1)
        let left = try lines(companion)[0]
        #expect(!left.contains("private") && left.contains("\"name\": \"b\"") && left.contains("\"unknown\": {\"kept\": 1.50}"), "\(left)")
    }

    @Test func aDamagedSnapshotIsNamedAndTheOthersArePurged() async throws {
        let history = try await RetentionSandbox()
        try Data("junk".utf8).write(to: URL(fileURLWithPath: history.snapshots[0]))
        let done = try await history.rows(["purge", "gone"])
        #expect(done.status == 5 && done.rows.count == 1 && done.talk.contains(history.name(0)), "\(done)")
    }

    @Test func aFileThatIsNoSnapshotByItsNameOrPlaceIsNamed_asItMayHaveTheNames() async throws {
        let history = try await RetentionSandbox()
        let manager = FileManager.default
        let copies = [history.snapshots[0].replacing(".jsonl.gz", with: " (copy).jsonl.gz"), "\(history.repo)/snap/1999/01/\(history.name(1))"]
        try manager.createDirectory(atPath: history.repo + "/snap/1999/01", withIntermediateDirectories: true)
        for (index, copy) in copies.enumerated() { try manager.copyItem(atPath: history.snapshots[index], toPath: copy) }
        for further in [["--dry-run"], [], []] {
            let result = try await SnapcatProcess.run(["purge", "gone", "--repo", history.repo] + further)
            #expect(result.status == 3 && result.lines("warning").count == 2 && !result.stderr.contains("none has it"), "\(further): \(result.stderr)")
            #expect(copies.allSatisfy { result.stderr.contains("'\($0)'") }, "\(result.stderr)")
        }
        #expect(try await history.run("cat", "oldest:gone").status != 0)
        for copy in copies { try manager.removeItem(atPath: copy) }
        let clean = try await history.run("purge", "gone")
        #expect(clean.status == 0 && clean.stderr.contains("none has it"), "\(clean.stderr)")
    }

    @Test func aYearThatIsNotMountedIsNamedOnce_andIsDamage() async throws {
        let history = try await RetentionSandbox()
        let years = ["1998", "1999"].map { history.repo + "/snap/" + $0 }
        for year in years { try FileManager.default.createSymbolicLink(atPath: year, withDestinationPath: "/nowhere/at/all") }
        for (name, count) in [("none", 0), ("gone", 2)] {
            let done = try await history.rows(["purge", name])
            let warnings = done.talk.split(separator: "\n").filter { $0.hasPrefix("snapcat: warning: ") }
            #expect(done.status == 5 && done.rows.count == count && !done.talk.contains("none has it"), "\(name): \(done)")
            #expect(warnings.count == 2 && zip(warnings, years).allSatisfy { $0.contains("'\($1)'") }, "\(name): \(done.talk)")
        }
    }

    @Test(arguments: ["file", "dead link"])
    func aTrashThatIsNoFolderEndsIt(thing: String) async throws {
        let history = try await RetentionSandbox()
        let trash = history.repo + "/snap/trash"
        if thing == "file" {
            try history.base.write("repo/snap/trash", "x")
        } else {
            try FileManager.default.createSymbolicLink(atPath: trash, withDestinationPath: "/nowhere/at/all")
        }
        for command in [["purge", "gone"], ["forget", "oldest"]] {
            let result = try await SnapcatProcess.run(command + ["--repo", history.repo])
            #expect(result.status == 2 && result.lines("error").count == 1 && result.stderr.contains("'\(trash)'"), "\(command): \(result.status) \(result.stderr)")
        }
        #expect(try await history.run("cat", "oldest:gone").text == "gone\n")
    }

    @Test func aNameThatIsNotFromTheFileRootIsRefused() async throws {
        let history = try await RetentionSandbox()
        for names in [["./gone"], [history.base.source + "/gone"], ["d/../gone"], ["d//inner"], ["gone", "./late"], ["d/./inner"], [".."]] {
            for further in [[], ["--dry-run"]] {
                let result = try await SnapcatProcess.run(["purge", "--repo", history.repo] + names + further)
                #expect(result.status == 64 && result.lines("error").count == 1 && result.stdout.isEmpty, "\(names): \(result.status) \(result.stderr)")
            }
        }
        #expect(try await history.run("cat", "oldest:gone").text == "gone\n")
    }

    @Test func aCompanionThatIsCutBehindItsFirstLineStaysDamaged() async throws {
        let history = try await history()
        let path = history.folder.path + "/" + (try history.base.snapshots().last ?? "").replacing(".jsonl.gz", with: ".meta.gz")
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        let second = try #require(bytes.range(of: Data([0x1f, 0x8b, 8]), in: 10..<bytes.count))
        try bytes[..<second.lowerBound].write(to: URL(fileURLWithPath: path))
        for command in [["check"], ["purge", "always"], ["check"], ["purge", "none"], ["check"]] {
            let result = try await SnapcatProcess.run(command + ["--repo", history.repo])
            #expect(result.status == 5 && (result.text + result.stderr).contains("nodes and has 0"), "\(command): \(result.status) \(result.stderr)")
        }
    }

    @Test func aCountOfFilesThatIsWrongStaysSo() async throws {
        let history = try await RetentionSandbox()
        try history.changeFacts(1) { $0.replacing("\"files\": 5", with: "\"files\": 9") }
        for command in [["check"], ["purge", "always"], ["check"]] {
            let result = try await SnapcatProcess.run(command + ["--repo", history.repo])
            #expect(result.status == 5 && (result.text + result.stderr).contains("tells of 9 files"), "\(command): \(result.status) \(result.text) \(result.stderr)")
        }
    }

    @Test(arguments: [true, false])
    func aCompanionThatCouldNotBeReadIsPurgedByTheNextOfTheSameName(isTrashKept: Bool) async throws {
        let history = try await RetentionSandbox()
        let companion = history.snapshots[1].replacing(".jsonl.gz", with: ".meta.gz")
        let aside = history.folder.path + "/aside"
        let manager = FileManager.default
        try manager.moveItem(atPath: companion, toPath: aside)
        try manager.createDirectory(atPath: companion, withIntermediateDirectories: false)
        let first = try await history.run("purge", "d")
        #expect(first.status == 5 && first.stderr.contains(".meta.gz"), "\(first.stderr)")
        try manager.removeItem(atPath: companion)
        try manager.moveItem(atPath: aside, toPath: companion)
        if !isTrashKept { try manager.removeItem(atPath: history.repo + "/snap/trash") }
        // Of another name nothing is known.
        #expect(try await history.run("purge", "late").status == 5)
        let again = try await history.run("purge", "d")
        #expect(again.status == (isTrashKept ? 0 : 5), "\(again.stderr)")
        let check = try await history.run("check", "--format", "jsonl")
        #expect(check.status == (isTrashKept ? 0 : 5), "\(check.text)")
    }

    /// As a purge leaves it that is killed between companion and snapshot.
    private func interrupt(_ history: RetentionSandbox, _ index: Int, purging name: String) async throws {
        let old = history.folder.path + "/old"
        try FileManager.default.linkItem(atPath: history.snapshots[index], toPath: old)
        #expect(try await history.run("purge", name).status == 0)
        try FileManager.default.removeItem(atPath: history.snapshots[index])
        try FileManager.default.moveItem(atPath: old, toPath: history.snapshots[index])
    }

    @Test(arguments: [true, false])
    func aPurgeThatWasInterruptedIsFinished_andTheRightPairComesBack(isTrashKept: Bool) async throws {
        let history = try await RetentionSandbox()
        let before = try history.pair(1)
        try await interrupt(history, 1, purging: "d")
        // Another name, that it has not: nothing changes, and the note stays.
        #expect(try await history.run("purge", "late").status == 0)
        #expect(try await history.run("check").text.contains("was interrupted"))
        if !isTrashKept { try FileManager.default.removeItem(atPath: history.repo + "/snap/trash") }
        let again = try await history.rows(["purge", "d"])
        #expect(again.status == 0 && again.rows.map { $0["files"] } == ["1"], "\(again)")
        let check = try await history.run("check", "--format", "jsonl")
        #expect(check.status == 0 && !check.text.contains("companion"), "\(check.text)")
        #expect(try await history.run("undelete", history.stem(1)).status == 0)
        // Without the trash its companion is the purged one: nothing else is left.
        #expect(try history.pair(1)[0] == before[0] && (try history.pair(1) == before) == isTrashKept)
    }

    @Test func anyCopyInTheTrashComesBackByItsOwnName() async throws {
        let history = try await RetentionSandbox()
        let before = try history.pair(0)
        for name in ["d", "gone"] { #expect(try await history.run("purge", name).status == 0) }
        for _ in 0..<3 { #expect(try await history.run("undelete", history.stem(0)).status == 0) }
        #expect(try history.pair(0) != before)
        let told = try await history.rows(["undelete", "--dry-run"]).rows.compactMap { $0["reason"] }
        let copies = try history.files("snap/trash/").map { String($0.dropFirst("repo/snap/trash/".count)) }
            .filter { $0.hasSuffix(history.name(0)) }.sorted().map { String($0.dropLast(9)) }
        #expect(copies.count == 2 && copies.allSatisfy { copy in told.contains { $0.contains("'\(copy)'") } }, "\(told)")
        for (name, status) in [(copies[0] + "x", 10), (copies[0] + "--", 10), (copies[0], 0)] as [(String, Int32)] {
            let result = try await history.run("undelete", name)
            #expect(result.status == status, "\(name): \(result.stderr)")
        }
        #expect(try history.pair(0) == before)
        #expect(try await history.run("check").status == 0)
        // Two copies cannot both be there.
        let both = try await SnapcatProcess.run(["undelete", "--repo", history.repo, copies[1], history.stem(0)])
        #expect(both.status == 64 && both.lines("error").count == 1, "\(both.stderr)")
        #expect(try history.pair(0) == before)
    }

    @Test func whatAKilledUndeleteHasLeftIsFinished_andNeverMixed() async throws {
        let history = try await RetentionSandbox()
        let before = try history.pair(1)
        #expect(try await history.run("purge", "d").status == 0)
        let purged = try history.pair(1)
        let trash = history.repo + "/snap/trash/"
        let first = try #require(try history.files("snap/trash/").first { $0.hasSuffix(history.name(1)) }).dropLast(9)
        // Killed behind the first of the two that come back: the others are in the trash.
        let manager = FileManager.default
        for (from, suffix) in [(history.snapshots[1], ".jsonl.gz"), (history.companion(1), ".meta.gz")] {
            try manager.moveItem(atPath: from, toPath: "\(trash)2199-01-01_00-00-00_000000Z--\(history.stem(1))\(suffix)")
        }
        try manager.moveItem(atPath: history.folder.path + "/\(first).meta.gz", toPath: history.companion(1))
        #expect(try await history.run("undelete", history.stem(1)).status == 0)
        #expect(try history.pair(1) == before)
        #expect(try await history.run("undelete", history.stem(1)).status == 0)
        #expect(try history.pair(1) == purged)
        #expect(try await history.run("check").status == 0)
    }

    @Test func hostileNamesAreTakenAsTheyAre_andAllIsNoName() async throws {
        let history = try await RetentionSandbox()
        let names = ["../x", "/etc/passwd", "a\\nb", "\\udcff", "*", "a'b\\\"c"]
        let lines = names.map { #"{"md5": "\#(RetentionSandbox.md5($0))", "name": "\#($0)", "size": 7}"# }
        let snapshot = "repo/snap/2020/01/2020-01-01_00-00-00_000000Z.jsonl.gz"
        try history.folder.write(snapshot, try Gzip.compress(Array(lines.joined(separator: "\n").utf8), level: .standard))
        let done = try await history.rows(["purge", "../x", "/etc", "a\nb", "a'b\"c"])
        #expect(done.rows.map { $0["files"] } == ["4"], "\(done)")
        #expect(try self.lines(history.folder.path + "/" + snapshot) == [lines[3], lines[4]])
        for wrong in [[], [""], ["."], ["/"], ["//"], ["./"], ["x", ""]] {
            let result = try await SnapcatProcess.run(["purge", "--repo", history.repo] + wrong)
            #expect(result.status == 64 && result.stderr.split(separator: "\n").count == 1, "\(wrong): \(result.status) \(result.stderr)")
        }
    }
}
