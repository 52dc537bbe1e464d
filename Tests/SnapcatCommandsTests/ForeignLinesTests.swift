import Foundation
import SnapcatFormat
import SnapcatPlatform
import SnapcatTestSupport
import Testing

/// Lines that no file system of ours would give: numbers out of range, an md5 in capitals.
@Suite struct ForeignLinesTests {
    private static let one = "5bbf5a52328e7439ae6e719dfe712200"

    private func sandbox(_ lines: [String]) async throws -> RestoreSandbox {
        let sandbox = try RestoreSandbox()
        try await sandbox.make()
        let bytes = try Gzip.compress(Array(lines.joined(separator: "\n").utf8), level: .standard)
        try sandbox.folder.write("repo/snap/2030/01/2030-01-01_00-00-00_000000Z.jsonl.gz", bytes)
        return sandbox
    }

    @Test(arguments: [
        #""mtime_ns": 9223372036854775807"#, #""mtime_ns": -9223372036854775808"#, #""mtime_ns": 1e30"#, #""mtime_ns": "soon""#,
        #""mtime_ns": 99999999999999999999999"#, #""mtime": 1e300"#, #""mtime": -1e300"#, #""mtime": NaN"#, #""mtime": 1e18"#,
        #""size": -1"#, #""size": 1e300"#, #""mode": -1"#, #""mode": 9223372036854775807"#, #""nlink": -5, "ino": -7"#,
        #""uid": -1, "gid": -1"#, #""uid": 4294967296, "gid": 4294967296"#, #""ctime_ns": -1, "created": 1e400"#,
    ])
    func `A value out of range costs no more than itself`(member: String) async throws {
        let sandbox = try await sandbox([#"{"md5": "\#(Self.one)", "name": "x", \#(member)}"#])
        let result = try await sandbox.restore("latest")
        #expect([0, 3].contains(result.status), "\(member): \(result.status) \(result.stderr)")
        #expect(try sandbox.read("target/x") == "one\n", "\(member)")
        for command in [["compare", "oldest", "latest", "--metadata"], ["ls", "--format", "json"], ["list"]] {
            let read = try await SnapcatProcess.run(command + ["--repo", sandbox.repo])
            #expect(read.status == 0, "\(member) \(command): \(read.status) \(read.stderr)")
        }
    }

    @Test func sizesThatDoNotFitInOneSumStopNoCompareAndNoRestore() async throws {
        let lines = ["x", "y", "z"].map { #"{"md5": "\#(Self.one)", "name": "\#($0)", "size": 9223372036854775807}"# }
        let sandbox = try await sandbox(lines)
        let all = try sandbox.snapshots().map { sandbox.folder.path + "/" + $0 }.sorted()
        let compared = try await SnapcatProcess.run(["compare", all[0], all[1], "--summary", "--format", "tsv"])
        #expect(compared.status == 0 && compared.text.contains("only_right\t3\t9223372036854775807"), "\(compared.stderr) \(compared.text)")
        for command in [["list"], ["catalog", "verify"], ["query", "SELECT bytes FROM folder_size WHERE snapshot_id = 2"]] {
            let read = try await SnapcatProcess.run(command + ["--repo", sandbox.repo])
            #expect(read.status == 0, "\(command): \(read.stderr)")
        }
        let restored = try await SnapcatProcess.run([
            "restore", "--path", all[1], "--repo", sandbox.repo, "--file-root", sandbox.target, "--format", "json",
        ])
        #expect(restored.status == 0 && restored.text.contains(#""written_bytes": 12"#), "\(restored.stderr) \(restored.text)")
    }

    /// The largest size, alone and with others, between snapshots without it.
    @Test func sizesThatFitInNoSumStopNoForgetAndNoStats_andHideNoBytesOfOthers() async throws {
        let huge = ["x", "y"].map { #"{"md5": "\#(RetentionSandbox.md5($0))", "name": "\#($0)", "size": 9223372036854775807}"# }
        let sandbox = try await sandbox(huge)
        let small = #"{"md5": "\#(Self.one)", "name": "z", "size": 1}"#
        for (day, lines) in [("02", [small]), ("03", huge + [small]), ("04", [small])] {
            let bytes = try Gzip.compress(Array(lines.joined(separator: "\n").utf8), level: .standard)
            try sandbox.folder.write(Array("repo/snap/2030/01/2030-01-\(day)_00-00-00_000000Z.jsonl.gz".utf8), bytes)
        }
        for md5 in ["x", "y"].map({ RetentionSandbox.md5($0) }) { try sandbox.write("repo/heap/\(md5.prefix(2))/\(md5).gz", "x") }
        for command in [["catalog", "sync"], ["catalog", "rebuild"]] {
            _ = try await SnapcatProcess.succeed(command + ["--repo", sandbox.repo])
            let check = try await SnapcatProcess.run(["check", "--repo", sandbox.repo, "--format", "csv"])
            #expect(!check.text.contains("instead of"), "\(command): \(check.text)")
            let sums = ["query", "SELECT bytes FROM snapshot ORDER BY taken_at", "--repo", sandbox.repo, "--format", "tsv"]
            let list = try await SnapcatProcess.succeed(sums)
            #expect(list.lines.suffix(4) == ["9223372036854775807", "1", "9223372036854775807", "1"], "\(command): \(list.text)")
        }
        let stats = try await SnapcatProcess.run(["stats", "--repo", sandbox.repo, "--format", "json"])
        #expect(stats.status == 0 && stats.text.contains(#""content_bytes": 9223372036854775807"#), "\(stats.stderr) \(stats.text)")
        let forgotten = try await SnapcatProcess.run(["forget", "2030-01-01_", "2030-01-03_", "--repo", sandbox.repo, "--format", "tsv"])
        #expect(forgotten.status == 0 && forgotten.text.contains("2\t9223372036854775807"), "\(forgotten.stderr) \(forgotten.text)")
    }

    @Test func anOwnerOutOfRangeIsNobody() async throws {
        guard getuid() == 0 else { return }
        let sandbox = try await sandbox([#"{"gid": 4294967299, "md5": "\#(Self.one)", "mode": 35309, "name": "x", "uid": 4294967299}"#])
        #expect(try await sandbox.restore("latest").status == 0)
        let status = try Descriptor.status(sandbox.folder.path("target/x"))
        #expect(status.uid == 0 && status.gid == 0, "\(status)")
    }

    @Test func anMD5InCapitalsIsTheSameContentInALineThatStays() async throws {
        let line = #"{"md5": "\#(Self.one.uppercased())", "name": "a.txt", "size": 4}"#
        let sandbox = try await sandbox([line, #"{"md5": "\#(Self.one.uppercased())", "name": "b/c.txt", "size": 4}"#])
        let all = try sandbox.snapshots().map { sandbox.folder.path + "/" + $0 }.sorted()
        for sides in [["oldest", "latest", "--repo", sandbox.repo], [all[0], all[1]]] {
            let rows = try await SnapcatProcess.succeed(["compare"] + sides + ["--diff-state", "different", "--diff-state", "equal", "--format", "tsv"])
            #expect(rows.lines.dropFirst().map { $0.prefix(17) }.map { String($0) }.count == 2, "\(rows.text)")
            #expect(rows.text.contains("equal\ta.txt") && rows.text.contains("different\tb/c.txt"), "\(rows.text)")
        }
        #expect(try await sandbox.restore("latest").status == 0)
        #expect(try sandbox.read("target/a.txt") == "one\n")
        #expect(try await SnapcatProcess.succeed(["cat", "latest:b/c.txt", "--repo", sandbox.repo]).text == "one\n")
        #expect(try await SnapcatProcess.succeed(["query", "SELECT * FROM missing_object", "--repo", sandbox.repo, "--format", "json"]).text == "[]\n")
    }

    @Test func aPatternOfFoldersFitsTheFolderItself() async throws {
        let sandbox = try RestoreSandbox(["docs/a": "a", "docs/sub/b": "b", "other/docs": "a file", "x": "x"])
        try await sandbox.make()
        try FileManager.default.setAttributes([.posixPermissions: 0o750], ofItemAtPath: sandbox.source + "/docs")
        try await sandbox.make()
        for (option, isShown) in [("--include", true), ("--exclude", false)] {
            let rows = try await SnapcatProcess.succeed(
                ["compare", "oldest", "latest", "--metadata", option, "docs/", "--repo", sandbox.repo, "--format", "tsv"])
            #expect(rows.text.contains("metadata\tdocs\t") == isShown, "\(option): \(rows.text)")
            let all = try sandbox.snapshots().map { sandbox.folder.path + "/" + $0 }.sorted()
            let merged = try await SnapcatProcess.succeed(["compare", all[0], all[1], "--metadata", option, "docs/", "--format", "tsv"])
            #expect(merged.text == rows.text)
        }
        #expect(try await sandbox.restore("latest", "--include", "docs/").status == 0)
        let mode = try Descriptor.status(sandbox.folder.path("target/docs")).mode
        #expect(mode & 0o777 == 0o750)
        #expect(try !sandbox.exists("target/other") && !sandbox.exists("target/x"))
    }
}
