import Foundation
import SnapcatFormat
import SnapcatHeap
import SnapcatPlatform
import SnapcatTestSupport
import Testing

/// One object that the disk cannot read stops no command, and is mended where its content is still to be had
/// (RELIABILITY.md).
@Suite struct BadSectorTests {
    /// EIO, EBADMSG, and EUCLEAN on Linux.
    #if os(Linux)
        private static let errors: [Int32] = [EIO, EBADMSG, 117]
    #else
        private static let errors: [Int32] = [EIO, EBADMSG]
    #endif

    private static let md5 = Array("one\n".utf8).withUnsafeBytes { MD5Hasher.digest($0) }.description
    private static let object = "repo/heap/\(md5.prefix(2))/\(md5).gz"

    private func inode(_ sandbox: RestoreSandbox) throws -> UInt64 { try Descriptor.status(sandbox.folder.path(Self.object)).inode }

    /// Runs snapcat on the sandbox's repository while no file with this md5 in its name can be opened.
    private func run(_ arguments: [String], _ sandbox: RestoreSandbox, _ error: Int32 = EIO) async throws -> SnapcatProcess.Result {
        try await MeetingPoint.run(arguments + ["--repo", sandbox.repo], before: 0, in: Self.md5, .failure(error))
    }

    @Test(arguments: errors)
    func `After a crash an object that cannot be read is told, and the others are verified and a snapshot is made`(error: Int32) async throws {
        let sandbox = try RestoreSandbox()
        try await sandbox.make()
        let other = Array("two\n".utf8).withUnsafeBytes { MD5Hasher.digest($0) }.description
        try sandbox.write("repo/heap/\(other.prefix(2))/\(other).gz", "junk")
        let mark = "repo/heap/.unfinished-run-0123456789abcdef"
        try sandbox.write(mark, "")
        let date = Date(timeIntervalSince1970: 1_577_836_800)
        try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: sandbox.folder.path + "/" + mark)
        let made = try await run(["make", sandbox.source, "--rehash"], sandbox, error)
        #expect(made.status == 3 && made.stderr.contains(Self.md5) && made.stderr.contains(other), "\(made.status) \(made.stderr)")
        #expect(made.stderr.contains("snapcat repair"), "\(made.stderr)")
        #expect(try sandbox.snapshots().count == 2)
        // A later run looks again, and only that ends it.
        #expect(try sandbox.exists(mark))
        try await sandbox.make()
        #expect(try !sandbox.exists(mark))
        #expect(try await SnapcatProcess.run(["check", "--read-data", "--repo", sandbox.repo]).status == 0)
    }

    @Test(arguments: errors)
    func `A repair stores an object that cannot be read anew from a file that has its content`(error: Int32) async throws {
        let sandbox = try RestoreSandbox()
        try await sandbox.make()
        let before = try inode(sandbox)
        let planned = try await run(["repair", "--dry-run", "--format", "tsv"], sandbox, error)
        #expect(planned.status == 0 && planned.lines.count == 2, "\(planned.status) \(planned.text) \(planned.stderr)")
        #expect(try inode(sandbox) == before)
        let done = try await run(["repair", "--format", "tsv"], sandbox, error)
        #expect(done.status == 0 && done.lines.count == 2, "\(done.status) \(done.text) \(done.stderr)")
        #expect(done.text.contains("restore\t\(Self.md5)\t\(sandbox.source)/a.txt") && done.text.contains("could not read"), "\(done.text)")
        #expect(try inode(sandbox) != before)
        #expect(try sandbox.folder.files().allSatisfy { !TerminalText.lossy($0).contains("heap/damaged") })
        #expect(try await SnapcatProcess.run(["check", "--read-data", "--repo", sandbox.repo]).status == 0)
    }

    @Test func `What cannot be read stays where no file has its content, or where the permissions are at fault`() async throws {
        let sandbox = try RestoreSandbox()
        try await sandbox.make()
        let before = try inode(sandbox)
        let refused = try await run(["repair", "--format", "tsv"], sandbox, EACCES)
        #expect(refused.status == 5 && refused.lines.count == 1 && refused.stderr.contains(Self.md5), "\(refused.status) \(refused.stderr)")
        try sandbox.write("source/a.txt", "new\n")
        let left = try await run(["repair", "--format", "tsv"], sandbox)
        #expect(left.status == 5 && left.lines.count == 1 && left.stderr.contains(Self.md5), "\(left.status) \(left.stderr)")
        // It is as it was: another day the disk may give it.
        #expect(try inode(sandbox) == before)
        let check = try await SnapcatProcess.run(["check", "--read-data", "--repo", sandbox.repo])
        #expect(check.status == 0, "\(check.text) \(check.stderr)")
    }

    @Test func `A bounded check tells what could not be read each time, were there no room to read it`() async throws {
        let sandbox = try RestoreSandbox()
        try await sandbox.make()
        let check = ["check", "--read-data", "--format", "tsv"]
        let found = try await run(check + ["--budget", "1M"], sandbox)
        #expect(found.status == 5 && found.text.contains(Self.md5), "\(found.status) \(found.text) \(found.stderr)")
        for bound in [["--budget", "1"], ["--time-budget", "0s"]] {
            let next = try await SnapcatProcess.run(check + bound + ["--repo", sandbox.repo])
            #expect(next.status == 5 && next.text.contains(Self.md5) && next.text.contains("last read"), "\(next.status) \(next.text) \(next.stderr)")
        }
        // Read again, and good.
        for bound in [["--budget", "1M"], ["--budget", "1"]] {
            let next = try await SnapcatProcess.run(check + bound + ["--repo", sandbox.repo])
            #expect(next.status == 0, "\(next.status) \(next.text) \(next.stderr)")
        }
        // What a repair has stored anew is no known damage any more.
        #expect(try await run(check + ["--budget", "1M"], sandbox).status == 5)
        #expect(try await run(["repair"], sandbox).status == 0)
        #expect(try await SnapcatProcess.run(check + ["--time-budget", "0s", "--repo", sandbox.repo]).status == 0)
    }
}
