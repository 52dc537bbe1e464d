import Foundation
import SnapcatFormat
import SnapcatTestSupport
import Testing

/// Days on which something was once lost, or nothing worked.
@Suite struct WorstDayTests {
    /// More differences than are held in memory, and no place for the others: the files are read twice instead.
    @Test func aComparisonOfFilesNeedsNoTemporaryFolder() async throws {
        let folder = try TempFolder()
        var places: [String] = []
        for side in 0...1 {
            let lines = (100_000..<130_000).map { number in
                #"{"name": "\#(String(repeating: "folder/", count: 20))\#(number)", "size": 1, "md5": "\#(side)\#(String(repeating: "0", count: 31))"}"#
            }
            let name = "2026-01-0\(side + 1)_00-00-00_000000Z.jsonl.gz"
            try folder.write(name, Gzip.compress(Array((lines.joined(separator: "\n") + "\n").utf8), level: .standard))
            places.append(folder.path + "/" + name)
        }
        for place in [folder.path, folder.path + "/missing"] {
            let result = try await SnapcatProcess.run(["compare", places[0], places[1], "--format", "csv"], environment: ["TMPDIR": place])
            #expect(result.status == 0 && result.lines.count == 30_001 && result.stderr.isEmpty, "\(result.status) \(result.lines.count) \(result.stderr)")
        }
        // What was held back has no name, and is gone.
        #expect(try folder.files().count == 2)
    }

    private struct Sandbox {
        let folder: TempFolder
        var repo: String { folder.path + "/repo" }
        var source: String { folder.path + "/source" }
        let manager = FileManager.default

        init(_ files: [String: String]) throws {
            folder = try TempFolder()
            try manager.createDirectory(atPath: folder.path + "/source", withIntermediateDirectories: true)
            for (name, content) in files { try write(name, content) }
        }

        func write(_ name: String, _ content: String) throws { try folder.write("source/" + name, Array(content.utf8)) }
        func read(_ name: String) throws -> String { String(decoding: try folder.read("source/" + name), as: UTF8.self) }

        func make() async throws -> String {
            try await SnapcatProcess.succeed(["make", source, "--repo", repo]).lines[0]
        }

        func restore(_ reference: String, _ arguments: String...) async throws -> SnapcatProcess.Result {
            try await SnapcatProcess.run(["restore", "--repo", repo, "--file-root", source] + arguments + ["--path", reference])
        }

        func md5s() async throws -> String {
            try await SnapcatProcess.succeed(["query", "SELECT md5, present FROM object", "--repo", repo, "--format", "csv"]).text
        }
    }

    @Test(arguments: [254, 255, 256, 257, 300, 1023, 1024, 4095])
    func `A link of any length is made and restored`(length: Int) async throws {
        let sandbox = try Sandbox(["a": "x"])
        let destination = String(repeating: "x", count: length)
        try sandbox.manager.createSymbolicLink(atPath: sandbox.source + "/link", withDestinationPath: destination)
        let snapshot = try await sandbox.make()
        try sandbox.manager.removeItem(atPath: sandbox.source + "/link")
        #expect(try await sandbox.restore(snapshot).status == 0)
        // Foundation reads long destinations wrong: Python judges.
        let script = "import os, sys; sys.stdout.write(os.readlink(sys.argv[1]))"
        #expect(try Python.run(script, arguments: [sandbox.source + "/link"]) == Array(destination.utf8))
    }

    @Test func whatAnIgnoreFileLeavesOutIsSavedBeforeItIsOverwritten() async throws {
        let sandbox = try Sandbox(["x": "v1"])
        let snapshot = try await sandbox.make()
        try sandbox.write("x", "v2-precious")
        try sandbox.write(".snapcatignore", "x\n")
        #expect(try await sandbox.restore(snapshot, "--overwrite", "never").status == 0)
        #expect(try sandbox.read("x") == "v2-precious")
        try sandbox.write(".snapcatignore", "x\n")
        #expect(try await sandbox.restore(snapshot).status == 0)
        #expect(try sandbox.read("x") == "v1")
        let saved = try await SnapcatProcess.succeed(["query", "SELECT count(*) FROM file_version WHERE name = 'x' AND size = 11", "--repo", sandbox.repo, "--format", "tsv"])
        #expect(saved.lines.last == "1")
    }

    @Test func aHardLinkIsNeverMadeToAFileOfOtherContent() async throws {
        for arguments in [["--overwrite", "never"], ["--overwrite", "if-newer"], []] {
            let sandbox = try Sandbox(["a": "X"])
            try sandbox.manager.linkItem(atPath: sandbox.source + "/a", toPath: sandbox.source + "/b")
            let snapshot = try await sandbox.make()
            let isDamaged = arguments.isEmpty
            for name in ["a", "b"] { try sandbox.manager.removeItem(atPath: sandbox.source + "/" + name) }
            try sandbox.write("a", "Y")
            try sandbox.write("b", "Z")
            if isDamaged {
                let md5 = "02129bb861061d1a052c592e2dc6b383"
                try sandbox.manager.removeItem(atPath: "\(sandbox.repo)/heap/02/\(md5).gz")
            }
            let result = try await SnapcatProcess.run(
                ["restore", "--repo", sandbox.repo, "--file-root", sandbox.source, "--no-save-snapshot-before", "--path", snapshot] + arguments)
            #expect(result.status == (isDamaged ? 5 : 0), "\(arguments): \(result.stderr)")
            #expect(try sandbox.read("a") == "Y", "\(arguments)")
            #expect(try sandbox.read("b") == "Z", "\(arguments)")
        }
    }

    @Test func aRebuildRefusesADatabaseOfAnotherProgram() async throws {
        let sandbox = try Sandbox(["a": "x"])
        _ = try await sandbox.make()
        let foreign = sandbox.folder.path + "/mine.db"
        _ = try Python.run("import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('create table t (a)'); c.commit()", arguments: [foreign])
        let before = try Data(contentsOf: URL(fileURLWithPath: foreign))
        #expect(try await SnapcatProcess.run(["catalog", "rebuild", "--repo", sandbox.repo, "--catalog", foreign]).status == 64)
        #expect(try Data(contentsOf: URL(fileURLWithPath: foreign)) == before)
        // A file that is no database is moved, never over an earlier one.
        for text in ["precious 1", "precious 2"] {
            try sandbox.folder.write("notes.txt", Array(text.utf8))
            _ = try await SnapcatProcess.succeed(["list", "--repo", sandbox.repo, "--catalog", sandbox.folder.path + "/notes.txt"])
        }
        #expect(try sandbox.folder.read("notes.txt.replaced-1") == Array("precious 1".utf8))
        #expect(try sandbox.folder.read("notes.txt.replaced-2") == Array("precious 2".utf8))
    }

    @Test func aRestoreNeverWritesIntoItsRepository() async throws {
        let sandbox = try Sandbox(["a": "x"])
        let inner = sandbox.source + "/r"
        _ = try await SnapcatProcess.succeed(["make", sandbox.source, "--repo", inner])
        let object = try #require(try sandbox.folder.files().map { String(decoding: $0, as: UTF8.self) }.first { $0.hasPrefix("source/r/heap/") && $0.hasSuffix(".gz") })
        let before = try sandbox.folder.read(object)
        let md5 = String(object.split(separator: "/")[4].prefix(32))
        let lines = ["r/heap/\(md5.prefix(2))/\(md5).gz", "r/catalog.sqlite", "z"].map { #"{"md5": "\#(md5)", "name": "\#($0)", "size": 1}"# }
        try sandbox.folder.write("evil.jsonl.gz", Gzip.compress(Array(lines.joined(separator: "\n").utf8), level: .standard))
        let result = try await SnapcatProcess.run(["restore", "--repo", inner, "--file-root", sandbox.source, "--path", sandbox.folder.path + "/evil.jsonl.gz"])
        #expect(result.status == 5, "\(result.stderr)")
        #expect(try sandbox.folder.read(object) == before)
        #expect(try sandbox.read("z") == "x")
        for target in ["\(inner)/snap/new", "\(inner)/heap"] {
            #expect(try await SnapcatProcess.run(["restore", "--repo", inner, "--file-root", target, "latest"]).status == 64, "\(target)")
        }
    }

    @Test func aSnapshotOfTheLastMicrosecondIsAnErrorAndNoCrash() async throws {
        let sandbox = try Sandbox(["a": "x"])
        let snapshot = try await sandbox.make()
        try sandbox.folder.write("repo/snap/9999/12/9999-12-31_23-59-59_999999Z.jsonl.gz", Array(Data(contentsOf: URL(fileURLWithPath: snapshot))))
        let result = try await SnapcatProcess.run(["make", sandbox.source, "--repo", sandbox.repo])
        #expect(result.status == 2 && result.stderr.contains("9999-12-31"), "\(result.stderr)")
    }

    @Test func aDamagedCompanionCostsNoFile() async throws {
        let sandbox = try Sandbox(["a": "x", "d/b": "y"])
        let snapshot = try await sandbox.make()
        let companion = snapshot.replacing(".jsonl.gz", with: ".meta.gz")
        try Data("junk".utf8).write(to: URL(fileURLWithPath: companion))
        let target = sandbox.folder.path + "/out"
        let result = try await SnapcatProcess.run(["restore", "--repo", sandbox.repo, "--file-root", target, "latest"])
        #expect(result.status == 5, "\(result.stderr)")
        #expect(try sandbox.folder.read("out/d/b") == Array("y".utf8))
    }

    @Test func anObjectOfTheSameLengthThatIsDamagedIsStoredAnew() async throws {
        let sandbox = try Sandbox(["a": "good"])
        _ = try await sandbox.make()
        let object = try #require(try sandbox.folder.files().map { String(decoding: $0, as: UTF8.self) }.first { $0.contains("/heap/") && $0.hasSuffix(".gz") })
        try sandbox.folder.write(object, Gzip.compress(Array("evil".utf8), level: .standard))
        try sandbox.write("copy", "good")
        let result = try await SnapcatProcess.run(["make", sandbox.source, "--repo", sandbox.repo])
        #expect(result.status == 3 && result.stderr.contains("Damaged object"), "\(result.stderr)")
        #expect(try await SnapcatProcess.succeed(["cat", "latest:copy", "--repo", sandbox.repo]).text == "good")
    }

    @Test func aPipeInPlaceOfASnapshotIsRefusedAtOnce() async throws {
        let sandbox = try Sandbox(["a": "x"])
        let snapshot = try await sandbox.make()
        let pipe = sandbox.folder.path + "/pipe.jsonl.gz"
        _ = try Python.run("import os, sys; os.mkfifo(sys.argv[1])", arguments: [pipe])
        #expect(try await SnapcatProcess.run(["compare", pipe, snapshot]).status == 2)
    }

    @Test func aFolderThatTheSnapshotDoesNotHaveIsAnErrorAndMakesNothing() async throws {
        let sandbox = try Sandbox(["a": "x"])
        _ = try await sandbox.make()
        let target = sandbox.folder.path + "/out"
        let result = try await SnapcatProcess.run(["restore", "--repo", sandbox.repo, "--file-root", target, "latest:none"])
        #expect(result.status == 2, "\(result.stderr)")
        #expect(!sandbox.manager.fileExists(atPath: target))
    }

    @Test func aCatalogDamagedInsideIsBuiltAnewByWhateverMeetsIt() async throws {
        var files: [String: String] = [:]
        for index in 0..<200 { files["folder \(index % 7)/file \(index)"] = "\(index)" }
        let sandbox = try Sandbox(files)
        for round in 0..<2 {
            try sandbox.write("round", "\(round)")
            _ = try await sandbox.make()
        }
        let file = URL(fileURLWithPath: sandbox.repo + "/catalog.sqlite")
        let sound = try Data(contentsOf: file)
        for page in stride(from: 1, to: sound.count / 4096, by: 3) {
            var damaged = sound
            damaged.replaceSubrange(page * 4096..<(page + 1) * 4096, with: Data(count: 4096))
            for suffix in ["-wal", "-shm"] { if sandbox.manager.fileExists(atPath: file.path + suffix) { try sandbox.manager.removeItem(atPath: file.path + suffix) } }
            try damaged.write(to: file)
            try sandbox.write("round", "page \(page)")
            let result = try await SnapcatProcess.run(["make", sandbox.source, "--repo", sandbox.repo])
            #expect([0, 3].contains(result.status), "page \(page): \(result.stderr)")
        }
    }

    @Test func anArgumentThatIsNotUTF8IsRefused() async throws {
        let sandbox = try Sandbox(["a": "x"])
        let script = "import subprocess, sys; print(subprocess.run([sys.argv[1].encode(), b'make', sys.argv[2].encode() + b'\\xff', b'--repo', sys.argv[3].encode()], stderr=subprocess.DEVNULL).returncode)"
        let output = try Python.run(script, arguments: [try SnapcatProcess.binary(), sandbox.source, sandbox.repo])
        #expect(String(decoding: output, as: UTF8.self) == "64\n")
    }
}
