import Foundation
import SnapcatTestSupport
import Testing

/// Something else stands where a file of the repository must be: a folder, a pipe, a link to nothing.
@Suite struct OccupiedPlacesTests {
    private enum Thing: String, CaseIterable { case folder, pipe, linkToNothing, linkInACircle }

    private func put(_ thing: Thing, _ path: String) throws {
        let manager = FileManager.default
        try manager.removeItem(atPath: path)
        switch thing {
        case .folder: try manager.createDirectory(atPath: path, withIntermediateDirectories: false)
        case .pipe: #expect(mkfifo(path, 0o600) == 0)
        case .linkToNothing: try manager.createSymbolicLink(atPath: path, withDestinationPath: "/nowhere/at/all")
        case .linkInACircle: try manager.createSymbolicLink(atPath: path, withDestinationPath: path)
        }
    }

    private func run(_ sandbox: RestoreSandbox, _ arguments: [String]) async throws -> SnapcatProcess.Result {
        try await SnapcatProcess.run(arguments + ["--repo", sandbox.repo], environment: [:], folder: sandbox.folder.path, through: ["timeout", "-s", "KILL", "120"])
    }

    /// It may stand for a disk that is not there: what its snapshot needs must stay.
    @Test(arguments: [Thing.folder, .pipe, .linkToNothing, .linkInACircle])
    private func `A snapshot's place that is taken is damage, and nothing is collected`(thing: Thing) async throws {
        let sandbox = try RestoreSandbox(["a": "one\n"])
        try await sandbox.make()
        try sandbox.write("source/a", "two\n")
        let newest = try await sandbox.make()
        try put(thing, newest)
        let objects = try sandbox.folder.files().filter { $0.starts(with: "repo/heap/".utf8) && $0.suffix(3).elementsEqual(".gz".utf8) }
        let list = try await run(sandbox, ["list", "--format", "csv"])
        #expect(list.status == 0 && list.lines("warning").count == 1 && list.lines.count == 3, "\(list.stderr)")
        // A make tells damage that is new to it.
        for (command, statuses) in [(["check"], [5]), (["gc", "--grace", "0s"], [5]), (["ls", "latest"], [0]), (["make", "source"], [0, 3])] as [([String], [Int32])] {
            let result = try await run(sandbox, command)
            #expect(statuses.contains(result.status) && result.lines("error").count <= 1, "\(command): \(result.stderr)")
        }
        let after = Set(try sandbox.folder.files())
        #expect(objects.allSatisfy { after.contains($0) })
    }

    @Test(arguments: [Thing.folder, .pipe, .linkToNothing, .linkInACircle])
    private func `What stands in a snapshot's place is forgotten by its name`(thing: Thing) async throws {
        let sandbox = try RestoreSandbox(["a": "one\n"])
        try await sandbox.make()
        let newest = try await sandbox.make()
        try put(thing, newest)
        try put(thing, newest.replacing(".jsonl.gz", with: ".meta.gz"))
        let forgotten = try await run(sandbox, ["forget", String(newest.suffix(36))])
        #expect(forgotten.status == 0, "\(forgotten.stderr)")
        let left = try FileManager.default.contentsOfDirectory(atPath: (newest as NSString).deletingLastPathComponent)
        #expect(left.filter { newest.contains($0.prefix(26)) } == [])
        #expect(try FileManager.default.contentsOfDirectory(atPath: sandbox.repo + "/snap/trash").count == 2)
        for command in [["gc"], ["check"]] { #expect(try await run(sandbox, command).status == 0, "\(command)") }
    }

    /// An old year is moved to another disk, with a link in its place, and that disk is away.
    @Test(arguments: [Thing.pipe, .linkToNothing, .linkInACircle], ["2025", "2025/01"])
    private func `What stands in the place of a year or a month is damage, and nothing is collected`(thing: Thing, place: String) async throws {
        let sandbox = try RestoreSandbox(["a": "one\n"])
        let old = try await sandbox.make()
        try sandbox.write("source/a", "two\n")
        try await sandbox.make()
        let (manager, snap) = (FileManager.default, sandbox.repo + "/snap")
        try manager.createDirectory(atPath: snap + "/2025/01", withIntermediateDirectories: true)
        try manager.moveItem(atPath: old, toPath: snap + "/2025/01/2025-01-01_00-00-00_000000Z.jsonl.gz")
        let archive = sandbox.folder.path + "/archive"
        try manager.moveItem(atPath: "\(snap)/\(place)", toPath: archive)
        try manager.createSymbolicLink(atPath: "\(snap)/\(place)", withDestinationPath: archive)
        // There it is a folder like others.
        #expect(try await run(sandbox, ["gc", "--grace", "0s"]).status == 0)
        #expect(try await run(sandbox, ["cat", "oldest:a"]).text == "one\n")
        try put(thing, "\(snap)/\(place)")
        for command in [["check"], ["gc", "--grace", "0s"], ["repair"]] {
            let result = try await run(sandbox, command)
            #expect(result.status == 5 && (result.text + result.stderr).contains("snap/\(place)"), "\(command): \(result.stderr)")
        }
        let list = try await run(sandbox, ["list"])
        #expect(list.stderr.contains("snap/\(place)'") && list.lines.count == 3, "\(list.stderr)\n\(list.text)")
        try put(.folder, "\(snap)/\(place)")
        try manager.removeItem(atPath: "\(snap)/\(place)")
        try manager.moveItem(atPath: archive, toPath: "\(snap)/\(place)")
        #expect(try await run(sandbox, ["cat", "oldest:a"]).text == "one\n")
    }

    @Test(arguments: [Thing.folder, .pipe, .linkInACircle])
    private func `A companion's place that is taken costs folders and links only`(thing: Thing) async throws {
        let sandbox = try RestoreSandbox(["a": "one\n"])
        let newest = try await sandbox.make()
        try put(thing, newest.replacing(".jsonl.gz", with: ".meta.gz"))
        #expect(try await run(sandbox, ["ls", "latest"]).status == 0)
        #expect(try await run(sandbox, ["check"]).status == 5)
        #expect(try await sandbox.restore("latest").status == 5)
        #expect(try sandbox.read("target/a") == "one\n")
    }

    @Test(arguments: [Thing.folder, .pipe, .linkInACircle])
    private func `The same holds for a companion of files that are named`(thing: Thing) async throws {
        let sandbox = try RestoreSandbox(["a": "one\n"])
        let first = try await sandbox.make()
        try sandbox.write("source/b", "two\n")
        let second = try await sandbox.make()
        try put(thing, second.replacing(".jsonl.gz", with: ".meta.gz"))
        for command in [["ls", second], ["compare", first, second]] {
            let result = try await SnapcatProcess.run(command)
            #expect(result.status == 0 && result.text.contains("b") && result.lines("warning").count == 1, "\(command): \(result.stderr)")
        }
        let purged = try await run(sandbox, ["purge", "b"])
        #expect(purged.status != 2 && purged.lines("error").isEmpty, "\(purged.stderr)")
        #expect(try await !sandbox.names().contains("b"))
    }

    /// What lists the heap takes it for an object; what reads must not pass over it.
    @Test(arguments: Thing.allCases)
    private func `An object's place that is taken is damage, and the file that it costs is named`(thing: Thing) async throws {
        let sandbox = try RestoreSandbox(["a": "one\n", "b": "two\n"])
        try await sandbox.make()
        try put(thing, sandbox.repo + "/heap/5b/5bbf5a52328e7439ae6e719dfe712200.gz")
        let check = try await run(sandbox, ["check", "--read-data"])
        #expect(check.status == 5 && check.text.contains("5bbf5a52328e7439ae6e719dfe712200"), "\(check.stderr)")
        #expect(try await run(sandbox, ["cat", "latest:a"]).status == 5)
        let restored = try await sandbox.restore("latest")
        #expect(restored.status == 5 && restored.stderr.contains("'a' is not restored"), "\(restored.stderr)")
        #expect(try sandbox.read("target/b") == "two\n")
        #expect(try await run(sandbox, ["make", "source"]).status != 2)
    }

    /// A pipe there once kept make waiting for ever.
    @Test(arguments: [Thing.folder, .pipe])
    private func `An object's place that is taken is freed by make and repair`(thing: Thing) async throws {
        for command in [["make", "source"], ["repair"]] {
            let sandbox = try RestoreSandbox(["a": "one\n"])
            try await sandbox.make()
            let object = "repo/heap/5b/5bbf5a52328e7439ae6e719dfe712200.gz"
            try put(thing, sandbox.folder.path + "/" + object)
            #expect(try await sandbox.restore("latest").status == 5)
            #expect(try await run(sandbox, ["cat", "latest:a"]).status == 5)
            // The same content, which has to be looked up.
            try sandbox.write("source/b", "one\n")
            let result = try await run(sandbox, command)
            #expect(result.status == (command == ["repair"] ? 0 : 3), "\(command): \(result.stderr)")
            #expect(try await run(sandbox, ["cat", "latest:a"]).text == "one\n", "\(command)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: sandbox.repo + "/heap/damaged").count == 1)
        }
    }

    @Test func anObjectThatIsALinkInACircleIsAMissingOne() async throws {
        let sandbox = try RestoreSandbox(["a": "one\n"])
        try await sandbox.make()
        try sandbox.write("source/a", "two\n")
        try await sandbox.make()
        try put(.linkInACircle, sandbox.folder.path + "/repo/heap/5b/5bbf5a52328e7439ae6e719dfe712200.gz")
        let result = try await run(sandbox, ["forget", "--keep-last", "1"])
        #expect(result.status == 0, "\(result.stderr)")
    }

    @Test(arguments: Thing.allCases)
    private func `What has the name of an unused object and is none stays, and stops no collecting`(thing: Thing) async throws {
        let sandbox = try RestoreSandbox(["a": "one\n", "b": "two\n", "c": "three\n"])
        try await sandbox.make()
        for name in ["a", "b"] { try FileManager.default.removeItem(atPath: sandbox.source + "/" + name) }
        try await sandbox.make()
        let place = "/heap/5b/5bbf5a52328e7439ae6e719dfe712200.gz"
        try put(thing, sandbox.repo + place)
        #expect(try await run(sandbox, ["forget", "--keep-last", "1"]).status == 0)
        // The snapshot, and the object of 'two'; then nothing more.
        for (options, count) in [(["--dry-run"], 2), ([], 2), ([], 0)] {
            let result = try await run(sandbox, ["gc", "--grace", "0s", "--format", "tsv"] + options)
            #expect(result.status == 3 && result.stderr.contains(place), "\(options): \(result.status) \(result.stderr)")
            #expect(result.lines("warning").count == 1, "\(options): \(result.stderr)")
            #expect(result.lines.filter { $0.hasPrefix("remove\t") }.count == count, "\(options): \(result.text)")
        }
        #expect(try await run(sandbox, ["repair"]).status == 0)
        #expect(try FileManager.default.contentsOfDirectory(atPath: sandbox.repo + "/heap/damaged").count == 1)
        #expect(try await run(sandbox, ["gc", "--grace", "0s"]).status == 0)
    }

    @Test func aFolderInTheTrashIsNamed_andTheRestOfItGoesAndComesBack() async throws {
        let sandbox = try RestoreSandbox(["a": "one\n"])
        try await sandbox.make()
        let folder = "repo/heap/trash/2020-01-01_00-00-00_000000Z/unused-"
        let md5 = RetentionSandbox.md5("one\n")
        for name in [RetentionSandbox.md5("two\n"), md5] { try sandbox.write("\(folder)\(name).gz/x", "x") }
        try sandbox.write("\(folder)\(RetentionSandbox.md5("old")).gz", "old")
        try FileManager.default.removeItem(atPath: "\(sandbox.repo)/heap/\(md5.prefix(2))/\(md5).gz")
        #expect(try await run(sandbox, ["undelete", md5]).status == 10)
        for options in [["--dry-run"], []] {
            let result = try await run(sandbox, ["gc", "--grace", "0s", "--format", "tsv"] + options)
            #expect(result.status == 3 && result.lines("warning").count == 2, "\(options): \(result.status) \(result.stderr)")
            #expect(result.lines.count == 2 && result.text.contains("remove\tobject\t\(RetentionSandbox.md5("old"))"), "\(result.text)")
        }
        #expect(try sandbox.exists("\(folder)\(md5).gz/x"))
    }

    @Test func aCatalogWhoseMarkIsDamagedIsBuiltAnew_andAFolderIsRefusedAsWhatItIs() async throws {
        let sandbox = try RestoreSandbox(["a": "one\n"])
        try await sandbox.make()
        let good = try await run(sandbox, ["find", "*", "--format", "csv"]).text
        // The application's id, and the number of the schema's format (SQLite's file format, 1.3).
        for byte in [69, 47] {
            var catalog = try sandbox.folder.read("repo/catalog.sqlite")
            catalog[byte] ^= 0x80
            try sandbox.folder.write("repo/catalog.sqlite", catalog)
            #expect(try await run(sandbox, ["find", "*", "--format", "csv"]).text == good, "\(byte)")
        }
        try put(.folder, sandbox.repo + "/catalog.sqlite")
        let result = try await run(sandbox, ["list"])
        #expect(result.status == 64 && result.stderr.contains("no regular file"), "\(result.stderr)")
    }

    @Test func aTemporaryCatalogIsGoneWithTheProcess() async throws {
        let sandbox = try RestoreSandbox(["a": "one\n"])
        try await sandbox.make()
        try await sandbox.make()
        // Of a later snapcat: it is left alone, and a temporary one serves.
        _ = try Python.run("import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('pragma user_version = 999'); c.commit()", arguments: [sandbox.repo + "/catalog.sqlite"])
        let temporary = sandbox.folder.path + "/tmp"
        try FileManager.default.createDirectory(atPath: temporary, withIntermediateDirectories: false)
        for command in [["list"], ["forget", "oldest"], ["undelete"], ["repair"], ["check"], ["catalog", "sync"]] {
            let result = try await SnapcatProcess.run(command + ["--repo", sandbox.repo], environment: ["TMPDIR": temporary])
            // The last one is asked to write the catalog itself.
            #expect(result.status == (command == ["catalog", "sync"] ? 2 : 0), "\(command): \(result.stderr)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: temporary) == [], "\(command)")
        }
    }
}
