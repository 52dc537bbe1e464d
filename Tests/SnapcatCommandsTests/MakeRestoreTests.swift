import Foundation
import SnapcatFormat
import SnapcatPlatform
import SnapcatTestSupport
import Testing

/// make and restore on their worse days, by the binary.
@Suite struct MakeRestoreTests {
    private struct Sandbox {
        let folder: TempFolder
        var repo: String { folder.path + "/repo" }
        var source: String { folder.path + "/source" }
        var target: String { folder.path + "/target" }

        init(_ files: [String: String] = ["a.txt": "one\n", "b/c.txt": "two\n"]) throws {
            folder = try TempFolder()
            for (name, content) in files { try folder.write("source/" + name, Array(content.utf8)) }
        }

        func make(_ arguments: String...) async throws -> SnapcatProcess.Result {
            try await SnapcatProcess.run(["make", source, "--repo", repo] + arguments)
        }

        func restore(_ arguments: String...) async throws -> SnapcatProcess.Result {
            try await SnapcatProcess.run(["restore", "--repo", repo, "--file-root", target] + arguments)
        }

        func names(_ reference: String = "latest") async throws -> [String] {
            let rows = try await SnapcatProcess.succeed(["ls", reference, "--recursive", "--repo", repo, "--format", "tsv"])
            return rows.lines.dropFirst().filter { $0.contains("\tfile\t") }.map { String($0.prefix { $0 != "\t" }) }
        }

        func object(_ md5: String) -> URL { URL(fileURLWithPath: "\(repo)/heap/\(md5.prefix(2))/\(md5).gz") }

        /// Writes a snapshot by hand, as another program or an attacker would.
        func write(_ lines: [String], at name: String = "2030-01-01_00-00-00_000000Z") throws {
            let bytes = try Gzip.compress(Array(lines.joined(separator: "\n").utf8), level: .standard)
            try folder.write("repo/snap/\(name.prefix(4))/\(name.dropFirst(5).prefix(2))/\(name).jsonl.gz", bytes)
        }
    }

    private static let one = "5bbf5a52328e7439ae6e719dfe712200"

    @Test func hostileNamesInASnapshotNeverLeaveTheTarget() async throws {
        let sandbox = try Sandbox()
        _ = try await sandbox.make()
        let hostile = ["../escaped", "/escaped", "a/../../escaped", "./x", "x//y", "", "nul\\u0000x", "ok/.."]
        let lines = (hostile + ["good/file"]).map { #"{"md5": "\#(Self.one)", "name": "\#($0)", "size": 4}"# }
        try sandbox.write(lines)
        let result = try await sandbox.restore("latest")
        #expect(result.status == 5, "\(result.stderr)")
        #expect(try sandbox.folder.read("target/good/file") == Array("one\n".utf8))
        let escaped = try sandbox.folder.files().filter { TerminalText.lossy($0).contains("escaped") }
        #expect(escaped.isEmpty)
        #expect(result.stderr.split(separator: "\n").filter { $0.contains("Not restored") }.count == hostile.count, "\(result.stderr)")
    }

    @Test func aSymlinkPlantedInTheTargetIsReplacedAndNeverFollowed() async throws {
        let sandbox = try Sandbox()
        _ = try await sandbox.make()
        try sandbox.folder.write("outside/c.txt", Array("precious\n".utf8))
        let manager = FileManager.default
        try manager.createDirectory(atPath: sandbox.target, withIntermediateDirectories: true)
        try manager.createSymbolicLink(atPath: sandbox.target + "/b", withDestinationPath: sandbox.folder.path + "/outside")
        try manager.createSymbolicLink(atPath: sandbox.target + "/a.txt", withDestinationPath: sandbox.folder.path + "/outside/c.txt")
        let result = try await sandbox.restore("latest")
        #expect(result.status == 0, "\(result.stderr)")
        #expect(try sandbox.folder.read("outside/c.txt") == Array("precious\n".utf8))
        #expect(try sandbox.folder.read("target/b/c.txt") == Array("two\n".utf8))
        #expect(try manager.attributesOfItem(atPath: sandbox.target + "/b")[.type] as? FileAttributeType == .typeDirectory)
    }

    @Test func aMissingOrDamagedObjectCostsOnlyItsFile() async throws {
        for damage in ["missing", "truncated", "other content"] {
            let sandbox = try Sandbox()
            _ = try await sandbox.make()
            switch damage {
            case "missing": try FileManager.default.removeItem(at: sandbox.object(Self.one))
            case "truncated": try Data([0x1f, 0x8b, 8]).write(to: sandbox.object(Self.one))
            default: try Data(Gzip.compress(Array("evil".utf8), level: .standard)).write(to: sandbox.object(Self.one))
            }
            #expect(try await SnapcatProcess.run(["cat", "latest:a.txt", "--repo", sandbox.repo]).status == 5, "\(damage)")
            let result = try await sandbox.restore("latest")
            #expect(result.status == 5, "\(damage): \(result.stderr)")
            #expect(result.stderr.contains("a.txt"), "\(damage): \(result.stderr)")
            #expect(try sandbox.folder.read("target/b/c.txt") == Array("two\n".utf8))
            #expect(!FileManager.default.fileExists(atPath: sandbox.target + "/a.txt"), "\(damage)")
        }
    }

    @Test func makeStoresAnObjectThatTheHeapHasLostThoughItsFileIsUnchanged() async throws {
        let sandbox = try Sandbox()
        _ = try await sandbox.make()
        try FileManager.default.removeItem(at: sandbox.object(Self.one))
        #expect(try await sandbox.make().status == 0)
        #expect(FileManager.default.fileExists(atPath: sandbox.object(Self.one).path))
        let missing = try await SnapcatProcess.succeed(["query", "SELECT * FROM missing_object", "--repo", sandbox.repo, "--format", "json"])
        #expect(missing.text == "[]\n")
    }

    @Test func excludesLeaveOutWhatTheyName() async throws {
        let big = String(repeating: "x", count: 5000)
        let sandbox = try Sandbox([
            "a.txt": "one\n", "a.log": "l", "build/x": "b", "keep/a.log": "k", "big": big, "cache/data": "c",
            "cache/CACHEDIR.TAG": "Signature: 8a477f597d28d172789f06886806bc55\n", "sub/.snapcatignore": "*.tmp\n!keep.tmp\n",
            "sub/x.tmp": "t", "sub/keep.tmp": "t", "x.tmp": "t",
        ])
        let patterns = try TempFolder()
        try patterns.write("patterns", Array("# comment\n/build/\n".utf8))
        let result = try await sandbox.make(
            "--exclude", "*.log", "--exclude", "!keep/a.log", "--exclude-from", patterns.path + "/patterns",
            "--exclude-caches", "--max-size", "4K")
        #expect(result.status == 0, "\(result.stderr)")
        #expect(try await sandbox.names() == ["a.txt", "keep/a.log", "sub/.snapcatignore", "sub/keep.tmp", "x.tmp"])
    }

    @Test func skipIfUnchangedWritesASnapshotOnlyForAChange() async throws {
        let sandbox = try Sandbox()
        #expect(try await sandbox.make("--skip-if-unchanged").lines.count == 1)
        #expect(try await sandbox.make("--skip-if-unchanged").stdout.isEmpty)
        try FileManager.default.createDirectory(atPath: sandbox.source + "/empty", withIntermediateDirectories: false)
        #expect(try await sandbox.make("--skip-if-unchanged").lines.count == 1)
        #expect(try await sandbox.make("--skip-if-unchanged").stdout.isEmpty)
    }

    @Test func anEmptyRootIsRefusedWhereTheOneBeforeHadFiles() async throws {
        let sandbox = try Sandbox()
        _ = try await sandbox.make()
        try FileManager.default.removeItem(atPath: sandbox.source)
        try FileManager.default.createDirectory(atPath: sandbox.source, withIntermediateDirectories: false)
        #expect(try await sandbox.make().status == 2)
        #expect(try await sandbox.make("--allow-empty").status == 0)
        try sandbox.folder.write("target/own.txt", Array("mine".utf8))
        #expect(try await sandbox.restore("latest").status == 64)
        #expect(try sandbox.folder.read("target/own.txt") == Array("mine".utf8))
    }

    @Test func aHeapWhoseDiskIsNotMountedIsNotBegunAnew() async throws {
        let sandbox = try Sandbox()
        _ = try await sandbox.make()
        let heap = sandbox.repo + "/heap"
        for isFolder in [false, true] {
            try FileManager.default.removeItem(atPath: heap)
            if isFolder { try FileManager.default.createDirectory(atPath: heap, withIntermediateDirectories: false) }
            let refused = try await sandbox.make()
            #expect(refused.status == 2 && refused.lines("error").count == 1 && refused.stderr.contains("mounted"), "\(refused.stderr)")
            let isBegun = try FileManager.default.contentsOfDirectory(atPath: heap).contains { !$0.hasPrefix(".") && $0 != "trash" }
            #expect(!isBegun)
            try sandbox.folder.write("target/own.txt", Array("mine".utf8))
            #expect(try await sandbox.restore("latest").status == 2)
            #expect(try sandbox.folder.read("target/own.txt") == Array("mine".utf8))
        }
        #expect(try await sandbox.make("--allow-empty").status == 0)
        #expect(try await SnapcatProcess.run(["check", "--read-data", "--repo", sandbox.repo]).status == 0)
    }

    @Test func aRestoreIntoUseSavesWhatWasThereFirst() async throws {
        let sandbox = try Sandbox()
        _ = try await sandbox.make()
        try sandbox.folder.write("target/own.txt", Array("mine\n".utf8))
        try sandbox.folder.write("target/a.txt", Array("other\n".utf8))
        let result = try await sandbox.restore("latest", "--format", "json")
        #expect(result.status == 0, "\(result.stderr)")
        #expect(!FileManager.default.fileExists(atPath: sandbox.target + "/own.txt"))
        #expect(try sandbox.folder.read("target/a.txt") == Array("one\n".utf8))
        let saved = try await SnapcatProcess.succeed(["cat", "latest:own.txt", "--repo", sandbox.repo])
        #expect(saved.text == "mine\n")
        // And back.
        #expect(try await sandbox.restore("latest", "--no-save-snapshot-before").status == 0)
        #expect(try sandbox.folder.read("target/own.txt") == Array("mine\n".utf8))
    }

    @Test func partsAndPoliciesTouchNothingElse() async throws {
        let sandbox = try Sandbox()
        _ = try await sandbox.make()
        try sandbox.folder.write("target/a.txt", Array("newer\n".utf8))
        try sandbox.folder.write("target/b/own.txt", Array("mine\n".utf8))
        #expect(try await sandbox.restore("oldest:b", "--no-save-snapshot-before").status == 0)
        #expect(try sandbox.folder.read("target/a.txt") == Array("newer\n".utf8))
        #expect(try sandbox.folder.read("target/b/c.txt") == Array("two\n".utf8))
        #expect(!FileManager.default.fileExists(atPath: sandbox.target + "/b/own.txt"))
        for policy in ["never", "if-newer"] {
            #expect(try await sandbox.restore("oldest", "--overwrite", policy, "--no-save-snapshot-before").status == 0)
            #expect(try sandbox.folder.read("target/a.txt") == Array("newer\n".utf8), "\(policy)")
        }
        try sandbox.folder.write("target/extra.txt", Array("x".utf8))
        #expect(try await sandbox.restore("oldest", "--no-delete", "--exclude", "b", "--no-save-snapshot-before").status == 0)
        #expect(try sandbox.folder.read("target/extra.txt") == Array("x".utf8))
        #expect(try sandbox.folder.read("target/a.txt") == Array("one\n".utf8))
    }

    @Test func aFileInTheSourceTurnedFolderAndBackIsRestoredOverTheOther() async throws {
        let sandbox = try Sandbox(["x": "file\n", "y/z": "deep\n"])
        _ = try await sandbox.make()
        let manager = FileManager.default
        try manager.removeItem(atPath: sandbox.source + "/x")
        try manager.removeItem(atPath: sandbox.source + "/y")
        try sandbox.folder.write("source/x/inner", Array("i\n".utf8))
        try sandbox.folder.write("source/y", Array("flat\n".utf8))
        _ = try await sandbox.make()
        for (reference, files) in [("oldest", ["x", "y/z"]), ("latest~1", []), ("2030", [])] where !files.isEmpty {
            let result = try await SnapcatProcess.run(["restore", reference, "--repo", sandbox.repo, "--file-root", sandbox.source])
            #expect(result.status == 0, "\(result.stderr)")
            for file in files { #expect(manager.fileExists(atPath: sandbox.source + "/" + file), "\(file)") }
        }
        let differences = try await SnapcatProcess.succeed(
            ["compare", "oldest", "live", "--repo", sandbox.repo, "--file-root", sandbox.source, "--metadata", "--format", "json"])
        #expect(differences.text == "[]\n")
    }

    @Test func theRepositoryInsideTheFileRootIsLeftOut() async throws {
        let sandbox = try Sandbox()
        for _ in 0..<2 {
            let result = try await SnapcatProcess.run(["make", sandbox.source, "--repo", sandbox.source + "/.backup"])
            #expect(result.status == 0, "\(result.stderr)")
        }
        let rows = try await SnapcatProcess.succeed(["ls", "-r", "--repo", sandbox.source + "/.backup", "--format", "csv"])
        #expect(!rows.text.contains(".gz") && !rows.text.contains("sqlite"), "\(rows.text)")
    }

    /// The other's run may not have made it durable yet, and the snapshot that names it is.
    @Test func aContentThatWasThereAlreadyIsMadeDurableToo() async throws {
        let sandbox = try Sandbox(["a": "one\n"])
        _ = try await sandbox.make()
        var syncs: [Int] = []
        for name in ["b", "c"] {
            let counted = try await CallFault([.sync]).run(["make", sandbox.source, "--repo", sandbox.repo], below: sandbox.folder)
            #expect(counted.process.status == 0, "\(counted.process.stderr)")
            syncs.append(counted.calls)
            try sandbox.folder.write("source/" + name, Array("one\n".utf8))
        }
        let found = try await CallFault([.sync]).run(["make", sandbox.source, "--repo", sandbox.repo], below: sandbox.folder)
        #expect(syncs[1] == found.calls && found.calls == syncs[0] + 1, "\(syncs) \(found.calls)")
    }

    @Test(arguments: [".backup/index", "index"])
    func whatOnlyBeginsLikeTheCatalogIsTheUsers(_ catalog: String) async throws {
        let sandbox = try Sandbox()
        let manager = FileManager.default
        let folder = catalog.hasPrefix(".") ? "source/.backup/" : "source/"
        let own = ["index.html", "index-photos/one", "index.replaced-", "index.replaced-old", "index.rebuilding.txt", "indexes", "linked/kept"]
        for name in own { try sandbox.folder.write(folder + name, [1]) }
        // A symlink under such a name makes nothing of what it leads to snapcat's.
        try manager.createSymbolicLink(atPath: sandbox.folder.path + "/" + folder + "index.replaced-2", withDestinationPath: "linked")
        try sandbox.folder.write(folder + "index.replaced-1", [2])
        // The command's folder is the source: the catalog's name has no slash.
        for _ in 0..<2 {
            let result = try await SnapcatProcess.run(
                ["make", ".", "--repo", sandbox.repo, "--catalog", catalog], folder: sandbox.source)
            #expect(result.status == 0, "\(result.stderr)")
        }
        let names = Set(try await sandbox.names())
        let prefix = folder.dropFirst("source/".count)
        for name in own { #expect(names.contains(prefix + name), "\(name): \(names)") }
        #expect(manager.fileExists(atPath: sandbox.source + "/" + catalog))
        for name in ["index", "index-shm", "index.replaced-1"] { #expect(!names.contains(prefix + name), "\(name)") }
    }

    @Test func anInterruptedMakePublishesNothingAndTheNextOneIsWhole() async throws {
        let sandbox = try Sandbox()
        for index in 0..<400 { try sandbox.folder.write("source/f\(index)", [UInt8](repeating: UInt8(index % 251), count: 60_000 + index)) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try SnapcatProcess.binary())
        process.arguments = ["make", sandbox.source, "--repo", sandbox.repo]
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        // As soon as anything is in the heap.
        while try process.isRunning && (FileManager.default.subpathsOfDirectory(atPath: sandbox.folder.path).count < 420) {}
        process.interrupt()
        process.waitUntilExit()
        if process.terminationStatus != 0 {
            #expect(process.terminationStatus == 130)
            let left = try sandbox.folder.files().map { TerminalText.lossy($0) }
            #expect(!left.contains { $0.hasSuffix(".jsonl.gz") || $0.contains(".snapcat-tmp-") || $0.contains("heap/temp/") })
        }
        #expect(try await sandbox.make().status == 0)
        #expect(try await sandbox.names().count == 402)
    }
}
