import Foundation
import SnapcatFormat
import SnapcatTestSupport
import Testing

/// `snapcat repair`: what is damaged moves aside, and what is still to be had comes back.
@Suite(.serialized) struct RepairTests {
    private func object(_ history: RetentionSandbox, _ text: String) -> String {
        let md5 = RetentionSandbox.md5(text)
        return "\(history.repo)/heap/\(md5.prefix(2))/\(md5).gz"
    }

    private func damage(_ path: String, _ bytes: [UInt8] = Array("junk".utf8)) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: path))
    }

    @Test func aDamagedObjectIsFetchedAgainFromAFileWithItsContent() async throws {
        let history = try await RetentionSandbox()
        for path in ["always\n", "late\n"].map({ object(history, $0) }) { try damage(path) }
        let planned = try await history.rows(["repair", "--dry-run"])
        #expect(planned.rows.map { $0["action"] }.sorted { $0 ?? "" < $1 ?? "" } == ["quarantine", "quarantine", "restore", "restore"], "\(planned)")
        #expect(try Data(contentsOf: URL(fileURLWithPath: object(history, "late\n"))) == Data("junk".utf8))
        let done = try await history.rows(["repair"])
        #expect(done.status == 0 && Set(done.rows.compactMap { $0["md5"] }).count == 2, "\(done)")
        #expect(done.rows.contains { $0["place"] == history.base.source + "/late" }, "\(done)")
        #expect(try history.files("heap/damaged/").count == 2)
        #expect(try await history.run("check", "--read-data").status == 0)
        #expect(try await history.rows(["repair"]).rows.isEmpty)
    }

    @Test func whatNoFileHasAnyMoreIsNamedAsLostAndNothingIsGuessed() async throws {
        let history = try await RetentionSandbox()
        try FileManager.default.removeItem(atPath: object(history, "edit 1\n"))
        try damage(object(history, "gone\n"))
        let done = try await history.rows(["repair"])
        #expect(done.status == 5, "\(done)")
        #expect(Set(done.rows.filter { $0["action"] == "lost" }.compactMap { $0["md5"] }) == Set(["edit 1\n", "gone\n"].map { RetentionSandbox.md5($0) }))
        #expect(Set(done.rows.filter { $0["action"] == "lost" }.compactMap { $0["place"] }) == ["edited", "gone"])
        // A folder elsewhere has one of them.
        try history.base.write("rescue/gone", "gone\n")
        try history.base.write("rescue/edited", "edit X\n")
        let again = try await history.rows(["repair", "--file-root", history.folder.path + "/rescue"])
        #expect(again.status == 5 && again.rows.filter { $0["action"] == "restore" }.map { $0["md5"] } == [RetentionSandbox.md5("gone\n")], "\(again)")
        #expect(try await history.run("cat", "oldest:gone").text == "gone\n")
    }

    @Test func whatOnlyAnotherSnapRootOfTheHeapNamesIsLookedForToo() async throws {
        let history = try await RetentionSandbox()
        try history.base.write("other/theirs", "theirs\n")
        let second = history.folder.path + "/second"
        _ = try await SnapcatProcess.succeed(
            ["make", history.folder.path + "/other", "--snap-root", second, "--heap-root", history.repo + "/heap"])
        try damage(object(history, "theirs\n"))
        let done = try await history.rows(["repair"])
        #expect(done.status == 0 && done.rows.map { $0["action"] } == ["quarantine", "restore"], "\(done)")
        #expect(done.rows.last?["place"] == history.folder.path + "/other/theirs", "\(done)")
        try damage(object(history, "theirs\n"))
        try FileManager.default.removeItem(atPath: history.folder.path + "/other/theirs")
        // One that is away is told, and costs nothing else.
        try FileManager.default.moveItem(atPath: second, toPath: second + "-away")
        let away = try await history.rows(["repair", "--dry-run"])
        #expect(away.status == 0 && away.talk.contains("'\(second)'"), "\(away)")
        try FileManager.default.moveItem(atPath: second + "-away", toPath: second)
        let lost = try await history.rows(["repair"])
        #expect(lost.status == 5 && lost.rows.map { $0["action"] } == ["quarantine", "lost"], "\(lost)")
    }

    @Test func theTrashIsLookedIntoFirst() async throws {
        let history = try await RetentionSandbox()
        let run = history.repo + "/heap/trash/2020-01-01_00-00-00_000000Z"
        try FileManager.default.createDirectory(atPath: run, withIntermediateDirectories: true)
        for text in ["gone\n", "brief\n"] {
            try FileManager.default.moveItem(atPath: object(history, text), toPath: "\(run)/unused-\(RetentionSandbox.md5(text)).gz")
        }
        try damage("\(run)/unused-\(RetentionSandbox.md5("brief\n")).gz")
        let done = try await history.rows(["repair"])
        #expect(done.status == 5 && Set(done.rows.compactMap { $0["action"] }) == ["restore", "lost"], "\(done)")
        #expect(try await history.run("cat", "oldest:gone").text == "gone\n")
    }

    @Test func theCatalogsWordMovesNothing() async throws {
        let history = try await RetentionSandbox()
        _ = try Python.run(
            "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute(\"UPDATE heap_object SET verify_result = 'bad', verified_at = 1\"); c.execute('DELETE FROM version'); c.commit()",
            arguments: [history.repo + "/catalog.sqlite"])
        let before = try history.objects()
        #expect(try await history.rows(["repair"]).rows.isEmpty)
        #expect(try history.objects() == before)
    }

    @Test func namesThatLeadOutOfTheRootAndLinksAreNotFollowed() async throws {
        let history = try await RetentionSandbox()
        let secret = "secret\n"
        try history.base.write("outside/secret", secret)
        let source = history.base.source
        try FileManager.default.createSymbolicLink(atPath: source + "/link", withDestinationPath: history.folder.path + "/outside")
        try FileManager.default.createSymbolicLink(atPath: source + "/direct", withDestinationPath: history.folder.path + "/outside/secret")
        let names = ["../outside/secret", "link/secret", "direct", "/etc/passwd", "a//b", "\\u0000"]
        let lines = names.map { #"{"md5": "\#(RetentionSandbox.md5(secret))", "name": "\#($0)", "size": 7}"# }
        let bytes = try Gzip.compress(Array(lines.joined(separator: "\n").utf8), level: .standard)
        try history.folder.write("repo/snap/2020/01/2020-01-01_00-00-00_000000Z.jsonl.gz", bytes)
        let done = try await history.rows(["repair", "--file-root", source])
        #expect(done.status == 5 && done.rows.map { $0["action"] } == ["lost"], "\(done)")
        #expect(try !history.objects().contains(RetentionSandbox.md5(secret)))
    }

    @Test(arguments: [["--dry-run"], []])
    func `Looking for a content changes nothing of the folders of the file root`(_ dry: [String]) throws {
        let folder = try TempFolder()
        try folder.write("src/closed/a", Array("one".utf8))
        // As nobody: root needs no mode.
        let script = """
            import os, shutil, subprocess, sys
            binary, folder, *dry = sys.argv[1:]
            binary = shutil.copy(binary, folder + "/snapcat")
            subprocess.run(["chmod", "-R", "a+rwX", folder], check=True)
            if os.geteuid() == 0: subprocess.run(["chown", "-R", "65534", folder], check=True)
            os.chmod(folder + "/src/closed", 0o500)
            def run(*words):
                user = 65534 if os.geteuid() == 0 else None
                return subprocess.run([binary, *words, "--repo", folder + "/repo"], capture_output=True, user=user)
            run("make", folder + "/src")
            for path, _, files in os.walk(folder + "/repo/heap"):
                for name in files:
                    if name.endswith(".gz"): os.remove(path + "/" + name)
            result = run("repair", *dry)
            sys.stdout.write(f"{result.returncode} {oct(os.stat(folder + '/src/closed').st_mode)} {result.stdout.decode()}")
            """
        let text = String(decoding: try Python.run(script, arguments: [try SnapcatProcess.binary(), folder.path] + dry), as: UTF8.self)
        #expect(text.hasPrefix("0 0o40500 ") && text.contains("restore"), "\(text)")
    }

    @Test func aDamagedSnapshotEndsNoRepair() async throws {
        let history = try await RetentionSandbox()
        try damage(history.snapshots[0])
        try damage(object(history, "late\n"))
        let done = try await history.rows(["repair"])
        #expect(done.status == 5 && done.rows.map { $0["action"] } == ["quarantine", "restore"], "\(done)")
        #expect(done.talk.contains(history.name(0)))
    }

    @Test func onAFullDiskItIsOneLineAndNothingGoesThatCannotComeBack() async throws {
        guard let disk = try SmallDisk.mount(kilobytes: 4 << 10) else { return }
        let history = try await RetentionSandbox()
        let repo = disk.path + "/repo"
        try FileManager.default.copyItem(atPath: history.repo, toPath: repo)
        let md5 = RetentionSandbox.md5("late\n")
        try damage("\(repo)/heap/\(md5.prefix(2))/\(md5).gz")
        let filler = try disk.fill()
        for arguments in [["repair"], ["gc"], ["forget", "--keep-last", "1"], ["undelete"]] {
            let result = try await SnapcatProcess.run(arguments + ["--repo", repo])
            #expect([0, 2, 5].contains(result.status) && result.lines("error").count <= 1, "\(arguments): \(result.status) \(result.stderr)")
        }
        try FileManager.default.removeItem(atPath: filler)
        _ = try await SnapcatProcess.run(["undelete", "--repo", repo])
        #expect(try await SnapcatProcess.run(["repair", "--repo", repo]).status == 0)
        let check = try await SnapcatProcess.run(["check", "--read-data", "--repo", repo])
        #expect(check.status == 0, "\(check.text) \(check.stderr)")
        #expect(try await SnapcatProcess.run(["list", "--format", "jsonl", "--repo", repo]).lines.count == 4)
    }
}
