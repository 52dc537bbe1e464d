import Foundation
import SnapcatFormat
import SnapcatTestSupport
import Testing

/// A reader that closes the pipe, as `head` does, ends no work: the rows only tell of it.
@Suite(.serialized) struct ClosedPipeTests {
    /// More rows than a pipe and the command itself hold back.
    private static let count = 3_000

    /// Runs a command whose reader goes at once; the exit code is the command's own.
    private func unread(_ arguments: [String], _ folder: TempFolder) async throws -> (status: String, talk: String) {
        let script = #"{ "$0" "$@"; echo $? > status; } | true"#
        let result = try await SnapcatProcess.run(
            arguments + ["--format", "csv"], environment: [:], folder: folder.path, through: ["sh", "-c", script])
        return (String(decoding: try folder.read("status"), as: UTF8.self), result.stderr)
    }

    /// Objects that no snapshot names, each at its place.
    private func fill(_ history: RetentionSandbox, _ place: (_ md5: String) -> String) throws {
        let object = try Gzip.compress(Array("unused\n".utf8), level: .standard)
        for index in 0..<Self.count { try history.folder.write(place(RetentionSandbox.md5("unused \(index)")), object) }
    }

    @Test func gcRemovesAllTheSame() async throws {
        let history = try await RetentionSandbox()
        let before = try history.objects()
        try fill(history) { "repo/heap/\($0.prefix(2))/\($0).gz" }
        #expect(try history.objects().count == before.count + Self.count)
        let done = try await unread(["gc", "--grace", "0s", "--repo", history.repo], history.folder)
        #expect(done.status == "0\n" && done.talk.contains("3,000 removed"), "\(done)")
        #expect(try history.objects() == before && history.trashed().isEmpty)
        #expect(try await history.rows(["gc", "--grace", "0s"]).rows.isEmpty)
    }

    @Test func undeleteBringsAllBackTheSame() async throws {
        let history = try await RetentionSandbox()
        let before = try history.objects()
        try fill(history) { "repo/heap/trash/2020-01-01_00-00-00_000000Z/unused-\($0).gz" }
        let done = try await unread(["undelete", "--repo", history.repo], history.folder)
        #expect(done.status == "0\n" && done.talk.contains("3,000 brought back"), "\(done)")
        #expect(try history.objects().count == before.count + Self.count && history.trashed().isEmpty)
    }

    /// 150 snapshots in a place of so long a path that their rows are more than a pipe holds; options that lead there.
    private func longPlace(_ sandbox: RestoreSandbox) async throws -> [String] {
        try await sandbox.make()
        let place = [String](repeating: String(repeating: "x", count: 240), count: 3).joined(separator: "/")
        let lines = ["gone", "kept"].map { #"{"md5": "\#(RetentionSandbox.md5($0))", "name": "\#($0)", "size": 4}"# + "\n" }
        let snapshot = try Gzip.compress(Array(lines.joined().utf8), level: .standard)
        for minute in 10..<60 {
            for second in [10, 20, 30] {
                try sandbox.folder.write("\(place)/2020/01/2020-01-01_00-\(minute)-\(second)_000000Z.jsonl.gz", snapshot)
            }
        }
        return [
            "--snap-root", "\(sandbox.folder.path)/\(place)", "--heap-root", sandbox.repo + "/heap",
            "--catalog", sandbox.folder.path + "/catalog.sqlite",
        ]
    }

    @Test func purgeTakesTheNameOutOfEverySnapshotAllTheSame() async throws {
        let sandbox = try RestoreSandbox()
        let roots = try await longPlace(sandbox)
        let done = try await unread(["purge", "gone"] + roots, sandbox.folder)
        #expect(done.status == "0\n" && done.talk.contains("150 written without 150 files"), "\(done)")
        let again = try await SnapcatProcess.run(["purge", "gone", "--dry-run"] + roots)
        #expect(again.status == 0 && again.stderr.contains("150 snapshots: none has it"), "\(again.stderr)")
    }

    @Test func forgetForgetsAllTheSame() async throws {
        let sandbox = try RestoreSandbox()
        let roots = try await longPlace(sandbox)
        let done = try await unread(["forget", "--keep-last", "2"] + roots, sandbox.folder)
        #expect(done.status == "0\n" && done.talk.contains("148 forgotten"), "\(done)")
        let left = try await SnapcatProcess.succeed(["list", "--format", "csv"] + roots)
        #expect(left.lines.count == 3, "\(left.text)")
    }

    @Test func aQueryEndsQuietly() async throws {
        let sandbox = try RestoreSandbox()
        try await sandbox.make()
        let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"
        let done = try await unread(["query", "--repo", sandbox.repo, "--timeout", "120s", endless], sandbox.folder)
        #expect(done.status == "0\n" && done.talk.isEmpty, "\(done)")
    }

    @Test func whatWasDoneBeforeAnErrorIsTold() async throws {
        let sandbox = try RestoreSandbox()
        try await sandbox.make()
        let md5s = ["00", "ff"].map { $0 + String(repeating: "0", count: 30) }
        for md5 in md5s { try sandbox.write("repo/heap/trash/2020-01-01_00-00-00_000000Z/unused-\(md5).gz", "x") }
        // In the place of the second one's folder.
        try sandbox.write("repo/heap/ff", "x")
        let result = try await SnapcatProcess.run(["undelete", "--repo", sandbox.repo, "--format", "json"])
        #expect(result.status == 2 && result.lines("error").count == 1, "\(result.stderr)")
        let rows = try JSONSerialization.jsonObject(with: Data(result.stdout)) as? [[String: Any]]
        #expect(rows?.map { $0["name"] as? String } == [md5s[0]], "\(result.text)")
    }
}
