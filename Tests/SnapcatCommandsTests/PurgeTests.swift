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
