import Foundation
import SnapcatFormat
import SnapcatPlatform
import SnapcatTestSupport
import Testing

/// What a restore leaves, sweeps and refuses.
@Suite struct RestoreSafetyTests {
    @Test func whatAKilledRestoreHasLeftIsNeverSnapshottedAndGoesWithTheNextRestore() async throws {
        let sandbox = try RestoreSandbox()
        try await sandbox.make()
        let leftovers = ["target/.snapcat-tmp-0123456789abcdef", "target/gone/.snapcat-tmp-fedcba9876543210"]
        for name in leftovers { try sandbox.write(name, "half") }
        try FileManager.default.createSymbolicLink(
            atPath: sandbox.target + "/.snapcat-tmp-00000000000000aa", withDestinationPath: "x")
        // A user's own: another length, other digits, a folder.
        let own = [
            ".snapcat-tmp-0123456789abcde", ".snapcat-tmp-0123456789abcdeF", ".snapcat-tmp-0123456789abcdef0",
            ".snapcat-tmp-aaaaaaaaaaaaaaaa/file", "x.snapcat-tmp-0123456789abcdef",
        ]
        for name in own { try sandbox.write("target/" + name, "mine") }
        let made = try await SnapcatProcess.run(["make", sandbox.target, "--repo", sandbox.repo])
        #expect(made.status == 0 && made.stderr.contains("3 temporary files"), "\(made.stderr)")
        #expect(try await sandbox.names() == (own + [".snapcat-tmp-aaaaaaaaaaaaaaaa", "gone"]).sorted())

        let plan = try await sandbox.restore("oldest", "--dry-run", "--no-delete", "--format", "tsv")
        #expect(plan.lines.filter { $0.contains("killed restore") }.count == 3, "\(plan.text)")
        let kept = try await sandbox.restore("oldest", "--no-delete", "--no-save-snapshot-before")
        #expect(kept.status == 0, "\(kept.stderr)")
        #expect(try (leftovers + ["target/.snapcat-tmp-00000000000000aa"]).allSatisfy { try !sandbox.exists($0) })
        #expect(try own.allSatisfy { try sandbox.exists("target/" + $0) })

        // With the mirror a folder that holds one can go.
        try sandbox.write(leftovers[1], "half")
        #expect(try await sandbox.restore("oldest").status == 0)
        #expect(try sandbox.folder.files().filter { $0.starts(with: Array("target/".utf8)) }.count == 2)
        #expect(try !sandbox.exists("target/gone"))
    }

    @Test func aReadOnlyTargetIsOneLineAndNoSnapshotIsTaken() async throws {
        guard let disk = try SmallDisk.mount(kilobytes: 1024) else { return }
        let sandbox = try RestoreSandbox()
        try await sandbox.make()
        try Data("mine".utf8).write(to: URL(fileURLWithPath: disk.path + "/own"))
        try disk.makeReadOnly()
        for target in ["", "/new/deep"] {
            let result = try await SnapcatProcess.run(
                ["restore", "latest", "--repo", sandbox.repo, "--file-root", disk.path + target])
            #expect(result.status == 2, "\(result.stderr)")
            #expect(result.lines("error").count == 1 && result.lines("warning").isEmpty, "\(result.stderr)")
        }
        #expect(try sandbox.snapshots().count == 1)
    }

    @Test func aFullDiskEndsTheRestoreAtOnce() async throws {
        guard let disk = try SmallDisk.mount(kilobytes: 1024) else { return }
        let sandbox = try RestoreSandbox([:])
        for index in 0..<300 { try sandbox.folder.write("source/f\(index)", [UInt8](repeating: 1, count: 9000)) }
        try await sandbox.make()
        for isFull in [false, true] {
            if isFull { _ = try disk.fill() }
            let result = try await SnapcatProcess.run(
                ["restore", "latest", "--repo", sandbox.repo, "--file-root", disk.path + "/target"])
            #expect(result.status == 2, "\(result.stderr)")
            #expect(result.lines("error").count == 1 && result.lines("warning").isEmpty, "\(result.stderr)")
            #expect(result.stderr.contains("No space left"), "\(result.stderr)")
            let left = try FileManager.default.subpathsOfDirectory(atPath: disk.path)
            #expect(!left.contains { $0.contains(".snapcat-tmp-") }, "\(left)")
        }
    }

    @Test func aRefusedRestoreLeavesNoSafetySnapshot() async throws {
        let sandbox = try RestoreSandbox()
        try await sandbox.make()
        try sandbox.write("target/own", "mine")
        let before = try sandbox.snapshots()
        let refusals: [([String], Int32)] = [(["latest:none"], 2), (["1999"], 10)]
        for (arguments, status) in refusals {
            let result = try await SnapcatProcess.run(["restore", "--repo", sandbox.repo, "--file-root", sandbox.target] + arguments)
            #expect(result.status == status, "\(result.stderr)")
        }
        #expect(try sandbox.snapshots() == before)
        try sandbox.folder.write("repo/snap/2030/01/2030-01-01_00-00-00_000000Z.jsonl.gz", Gzip.compress([], level: .standard))
        for dry in [[], ["--dry-run"]] {
            let result = try await SnapcatProcess.run(["restore", "latest", "--repo", sandbox.repo, "--file-root", sandbox.target] + dry)
            #expect(result.status == 64, "\(result.stderr)")
        }
        #expect(try sandbox.snapshots().count == before.count + 1)
        let forced = try await sandbox.restore("latest", "--dry-run", "--force", "--format", "tsv")
        #expect(forced.status == 0 && forced.text.contains("delete\town"), "\(forced.stderr)")
    }

    @Test func aFileThatCannotBeSavedPublishesNothing() async throws {
        let sandbox = try RestoreSandbox()
        try await sandbox.make()
        try sandbox.write("target/own", "mine")
        let before = try sandbox.snapshots()
        // Root reads everything: the restore runs as nobody, from a copy of the binary that nobody can reach.
        let script = """
            import os, shutil, subprocess, sys
            binary, folder = sys.argv[1:]
            command = [shutil.copy(binary, folder + "/snapcat"), "restore", "latest", "--repo", folder + "/repo",
                "--file-root", folder + "/target"]
            subprocess.run(["chmod", "-R", "a+rwX", folder], check=True)
            os.chmod(folder + "/target/own", 0)
            result = subprocess.run(command, stderr=subprocess.PIPE, user=65534 if os.geteuid() == 0 else None)
            sys.stdout.write(f"{result.returncode} {result.stderr.decode()}")
            """
        let result = try Python.run(script, arguments: [try SnapcatProcess.binary(), sandbox.folder.path])
        let text = String(decoding: result, as: UTF8.self)
        #expect(text.hasPrefix("2 ") && text.contains("could not be saved before"), "\(text)")
        #expect(try sandbox.snapshots() == before)
    }

    @Test func aNodeThatLeadsOutOfTheTargetGetsNothingAndIsTold() async throws {
        let sandbox = try RestoreSandbox()
        try await sandbox.make()
        try sandbox.write("victim/keep", "private")
        for folder in ["", "/victim"] {
            try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: sandbox.folder.path + folder)
        }
        let companion = try #require(try sandbox.folder.files().map { TerminalText.lossy($0) }.first { $0.hasSuffix(".meta.gz") })
        let script = """
            import gzip, json, sys
            lines = [json.loads(l) for l in gzip.open(sys.argv[1]).read().splitlines()]
            facts, nodes = lines[0], lines[1:]
            for name in ["..", "../victim", "b/../../victim"]:
                nodes.append({"name": name, "type": "directory", "mode": 0o40777, "uid": 12345, "gid": 12345, "mtime_ns": 10**18})
            nodes.sort(key=lambda n: n["name"])
            facts["nodes"] = len(nodes)
            with open(sys.argv[1], "wb") as f:
                for part in [[facts], nodes]:
                    f.write(gzip.compress("".join(json.dumps(n, sort_keys=True) + "\\n" for n in part).encode()))
            """
        _ = try Python.run(script, arguments: [sandbox.folder.path + "/" + companion])
        let result = try await sandbox.restore("latest")
        #expect(result.status == 5, "\(result.stderr)")
        for folder in ["", "victim"] {
            let status = try Descriptor.status(folder.isEmpty ? Array(sandbox.folder.path.utf8) : sandbox.folder.path(folder))
            #expect(status.mode & 0o777 == 0o700 && status.uid == geteuid() && status.mtimeNanoseconds != 1_000_000_000_000_000_000)
        }
        let check = try await SnapcatProcess.run(["check", "--repo", sandbox.repo])
        #expect(check.status == 5 && check.text.contains("../victim"), "\(check.text) \(check.stderr)")
    }

    @Test func aSnapshotOfTheTargetItselfIsRefusedBeforeItDeletesItsOwnFile() async throws {
        let sandbox = try RestoreSandbox()
        try await sandbox.make()
        let own = try #require(try sandbox.snapshots().first)
        try sandbox.folder.write("target/wanted.jsonl.gz", try sandbox.folder.read(own))
        try sandbox.write("target/mine", "mine")
        try FileManager.default.createSymbolicLink(
            atPath: sandbox.target + "/link.jsonl.gz", withDestinationPath: sandbox.folder.path + "/" + own)
        for name in ["wanted", "link"] {
            let result = try await SnapcatProcess.run(
                ["restore", "--repo", sandbox.repo, "--file-root", sandbox.target, "--path", "\(sandbox.target)/\(name).jsonl.gz"])
            #expect(result.status == 64 && result.stderr.contains("\(name).jsonl.gz"), "\(result.stderr)")
        }
        #expect(try sandbox.read("target/mine") == "mine" && sandbox.exists("target/wanted.jsonl.gz"))
    }

    @Test(arguments: ["never", "if-newer"])
    func `What exists stays where it is to stay, with all that it is`(_ policy: String) async throws {
        let sandbox = try RestoreSandbox(["a/x": "1", "b": "2"])
        try await sandbox.make()
        try sandbox.write("target/a", "MY FILE")
        let future = Date(timeIntervalSince1970: 2e9)
        try FileManager.default.setAttributes([.modificationDate: future], ofItemAtPath: sandbox.target + "/a")
        try FileManager.default.setAttributes([.posixPermissions: 0o711], ofItemAtPath: sandbox.target)
        let result = try await sandbox.restore("latest", "--overwrite", policy, "--no-save-snapshot-before")
        #expect(result.status == 3 && result.stderr.contains("a/x"), "\(result.stderr)")
        #expect(try sandbox.read("target/a") == "MY FILE" && sandbox.read("target/b") == "2")
        if policy == "never" { #expect(try Descriptor.status(Array(sandbox.target.utf8)).mode & 0o777 == 0o711) }
    }

    @Test(arguments: ["never", "if-newer"])
    func `A folder that stays in the place of a file keeps what it holds`(_ policy: String) async throws {
        let sandbox = try RestoreSandbox(["x": "file"])
        try await sandbox.make()
        for name in ["x/k", "x-y", "x/deep/k", "gone"] { try sandbox.write("target/" + name, "mine") }
        #expect(try await sandbox.restore("latest", "--overwrite", policy, "--no-save-snapshot-before").status == 0)
        #expect(try sandbox.read("target/x/k") == "mine" && sandbox.read("target/x/deep/k") == "mine")
        #expect(try !sandbox.exists("target/gone") && !sandbox.exists("target/x-y"))
    }

    @Test func aLinkStaysWhereTheFileForItsPlaceIsDamaged() async throws {
        let sandbox = try RestoreSandbox(["a": "one"])
        try await sandbox.make()
        try sandbox.write("target/b", "b")
        try FileManager.default.createSymbolicLink(atPath: sandbox.target + "/a", withDestinationPath: "b")
        let files = try sandbox.folder.files().map { TerminalText.lossy($0) }
        let object = try #require(files.first { $0.hasPrefix("repo/heap/") && $0.hasSuffix(".gz") })
        try sandbox.write(object, "damaged")
        #expect(try await sandbox.restore("latest", "--no-delete").status == 5)
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: sandbox.target + "/a") == "b")
    }

    @Test func aDryRunHasTheExitCodeOfTheRestore() async throws {
        let sandbox = try RestoreSandbox()
        try await sandbox.make()
        let md5 = "5bbf5a52328e7439ae6e719dfe712200"
        let lines = ["../escaped", "good"].map { #"{"md5": "\#(md5)", "name": "\#($0)", "size": 4}"# }
        try sandbox.folder.write(
            "repo/snap/2030/01/2030-01-01_00-00-00_000000Z.jsonl.gz",
            Gzip.compress(Array(lines.joined(separator: "\n").utf8), level: .standard))
        for dry in [["--dry-run"], []] {
            let result = try await SnapcatProcess.run(["restore", "latest", "--repo", sandbox.repo, "--file-root", sandbox.target] + dry)
            #expect(result.status == 5, "\(result.stderr)")
        }
    }
}
