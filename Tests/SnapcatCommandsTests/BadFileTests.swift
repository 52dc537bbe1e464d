import Foundation
import SnapcatFormat
import SnapcatHeap
import SnapcatPlatform
import SnapcatTestSupport
import SystemPackage
import Testing

/// Files that cannot be read, change while they are read, or are made to deceive (RELIABILITY.md 2, 3 and 8).
@Suite struct BadFileTests {
    private func list(_ sandbox: RestoreSandbox, _ sql: String) async throws -> [String] {
        Array(try await SnapcatProcess.succeed(["query", "--repo", sandbox.repo, "--format", "csv", sql]).lines.dropFirst())
    }

    @Test(arguments: [Errno.permissionDenied, .ioError])
    func `An unreadable file is named, recorded and left out, and the rest is kept`(error: Errno) async throws {
        let sandbox = try RestoreSandbox(["good": "one\n", "secret": "two\n", "d/also good": "three\n"])
        let made = try await MeetingPoint.run(["make", sandbox.source, "--repo", sandbox.repo], before: 0, in: "secret", .failure(error.rawValue))
        #expect(made.status == 3 && made.stderr.contains("secret") && made.lines.count == 1, "\(made.stderr)")
        #expect(try await list(sandbox, "SELECT name FROM current_file") == ["d/also good", "good"])
        #expect(try await list(sandbox, "SELECT status FROM snapshot") == ["incomplete"])
        #expect(try await list(sandbox, "SELECT kind, name FROM problem") == ["unreadable,secret"])
        #expect(try await SnapcatProcess.run(["check", "--read-data", "--repo", sandbox.repo]).status == 0)
        // Next time it is read as if it were new.
        let next = try await SnapcatProcess.run(["make", sandbox.source, "--repo", sandbox.repo])
        #expect(next.status == 0)
        #expect(try await list(sandbox, "SELECT status FROM snapshot ORDER BY taken_at_us") == ["incomplete", "complete"])
        #expect(try await SnapcatProcess.succeed(["cat", "latest:secret", "--repo", sandbox.repo]).text == "two\n")
    }

    /// Both small, and so large that it is streamed.
    @Test(arguments: [0, 6 << 20])
    func `An object that the disk cannot read is stored anew from a file that has its content`(rest: Int) async throws {
        let content = Array("one\n".utf8) + [UInt8](repeating: 7, count: rest)
        let sandbox = try RestoreSandbox(["other": "two\n"])
        try sandbox.folder.write("source/first", content)
        try await sandbox.make()
        try sandbox.folder.write("source/second", content)
        let md5 = content.withUnsafeBytes { MD5Hasher.digest($0) }.description
        let made = try await MeetingPoint.run(["make", sandbox.source, "--repo", sandbox.repo], before: 0, in: md5, .failure(EIO))
        #expect(made.status == 3 && made.lines("warning").count == 1 && made.stderr.contains(md5) && made.stderr.contains("stored anew"), "\(made.stderr)")
        #expect(try await list(sandbox, "SELECT name FROM current_file") == ["first", "other", "second"])
        #expect(try await SnapcatProcess.run(["check", "--read-data", "--repo", sandbox.repo]).status == 0)
        // Who may not read it is told so, and what is there stays.
        try sandbox.folder.write("source/third", content)
        let refused = try await MeetingPoint.run(["make", sandbox.source, "--repo", sandbox.repo], before: 0, in: md5, .failure(EACCES))
        #expect(refused.status == 2 && refused.lines("error").count == 1 && refused.stderr.contains(md5), "\(refused.stderr)")
        #expect(try sandbox.snapshots().count == 2)
    }

    @Test func `A file that vanishes is as if it had not been there`() async throws {
        let sandbox = try RestoreSandbox(["good": "one\n", "going": "two\n"])
        let made = try await MeetingPoint.run(
            ["make", sandbox.source, "--repo", sandbox.repo], before: 1, in: "going", .command("rm '\(sandbox.source)/going'"))
        #expect(made.status == 0, "\(made.stderr)")
        #expect(try await list(sandbox, "SELECT name FROM current_file") == ["good"])
        #expect(try await list(sandbox, "SELECT status FROM snapshot") == ["complete"])
    }

    @Test func `Where no file can be read no snapshot is made, unless that is meant`() async throws {
        let sandbox = try RestoreSandbox(["bad-1": "one\n", "bad-2": "two\n"])
        let arguments = ["make", sandbox.source, "--repo", sandbox.repo]
        let refused = try await MeetingPoint.run(arguments, before: 0, in: "bad-", .failure(Errno.permissionDenied.rawValue))
        #expect(refused.status == 2 && refused.lines("error").count == 1 && refused.stderr.contains("--allow-empty"), "\(refused.stderr)")
        #expect(try sandbox.snapshots().isEmpty)
        let meant = try await MeetingPoint.run(arguments + ["--allow-empty"], before: 0, in: "bad-", .failure(Errno.permissionDenied.rawValue))
        #expect(meant.status == 3, "\(meant.stderr)")
        #expect(try sandbox.snapshots().count == 1, "\(meant.stderr)")
    }

    @Test func `What changes while it is read is read again, stored as read, and reported`() async throws {
        let sandbox = try RestoreSandbox(["quiet": "one\n"])
        // Larger than what is held in memory, so that reading takes its time.
        let file = sandbox.source + "/busy"
        #expect(FileManager.default.createFile(atPath: file, contents: Data(count: 6 << 20)))
        let writer = Process()
        writer.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        writer.arguments = [
            "python3", "-c",
            "import os, sys, random\nf = os.open(sys.argv[1], os.O_WRONLY)\nwhile True: os.pwrite(f, os.urandom(8), random.randrange((6 << 20) - 8))", file,
        ]
        try writer.run()
        // Signals that this process blocks are blocked there too.
        defer { kill(writer.processIdentifier, SIGKILL) }
        var made = try await SnapcatProcess.run(["make", sandbox.source, "--repo", sandbox.repo])
        // A machine that is busy may not let the writer run at all.
        for _ in 0..<10 where made.status == 0 { made = try await SnapcatProcess.run(["make", sandbox.source, "--repo", sandbox.repo]) }
        #expect(made.status == 3 && made.stderr.contains("busy"), "\(made.status) \(made.stderr)")
        #expect(try await list(sandbox, "SELECT kind, name FROM problem") == ["unstable,busy"])
        #expect(try await list(sandbox, "SELECT name, size FROM current_file ORDER BY name") == ["busy,\(6 << 20)", "quiet,4"])
        // What was stored is what its md5 says, whatever the file is now.
        #expect(try await SnapcatProcess.run(["check", "--read-data", "--repo", sandbox.repo]).status == 0)
    }

    /// Both small, and so large that they are streamed: a common rest leaves their md5s equal.
    @Test(arguments: [0, 6 << 20], [[], ["--paranoid", "--rehash"]])
    func `Another content with the md5 of one in the heap is refused as a collision`(rest: Int, options: [String]) async throws {
        let sandbox = try RestoreSandbox(["quiet": "one\n"])
        let contents = MD5Collision.pair.map { $0 + [UInt8](repeating: 7, count: rest) }
        #expect(contents[0] != contents[1] && contents[0].withUnsafeBytes { MD5Hasher.digest($0) } == contents[1].withUnsafeBytes { MD5Hasher.digest($0) })
        try sandbox.folder.write("source/first", contents[0])
        try await sandbox.make()
        try sandbox.folder.write("source/second", contents[1])
        let refused = try await SnapcatProcess.run(["make", sandbox.source, "--repo", sandbox.repo] + options)
        #expect(refused.status == 5 && refused.lines("error").count == 1 && refused.stderr.contains("Two contents have the md5"), "\(refused.stderr)")
        #expect(try sandbox.snapshots().count == 1)
        // Both new, and read at one moment.
        let both = try await SnapcatProcess.run(["make", sandbox.source, "--repo", sandbox.repo + "-new"] + options)
        #expect(both.status == 5 && both.stderr.contains("Two contents have the md5"), "\(both.stderr)")
        // What is stored stays, and the same content again is none.
        #expect(try await SnapcatProcess.succeed(["cat", "latest:first", "--repo", sandbox.repo]).stdout == contents[0])
        try sandbox.folder.write("source/second", contents[0])
        try await sandbox.make()
        #expect(try await SnapcatProcess.run(["check", "--read-data", "--repo", sandbox.repo]).status == 0)
    }
}
