import Foundation
import SnapcatTestSupport
import Testing

/// Others are at work: nothing that a snapshot needs goes.
@Suite(.serialized) struct RetentionTogetherTests {
    @Test func manyAtOnceAgreeInTheEnd() async throws {
        let history = try await RetentionSandbox()
        let repo = history.repo
        let sources = try (0..<2).map { index in
            for file in 0..<20 { try history.base.write("source\(index)/\(file)", "\(index) \(file)") }
            return history.folder.path + "/source\(index)"
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for source in sources {
                group.addTask {
                    for round in 0..<4 {
                        try Data("\(round)".utf8).write(to: URL(fileURLWithPath: source + "/round"))
                        let made = try await SnapcatProcess.run(["make", source, "--repo", repo, "--wait"])
                        #expect(made.status == 0, "\(made.stderr)")
                    }
                }
            }
            let commands = [["gc", "--grace", "0s"], ["forget", "--keep-last", "2"], ["repair"]]
            // Readers take no lock: a snapshot that is forgotten under their hands is no error.
            for arguments in [["check"], ["list", "--no-sync"], ["catalog", "verify"]] {
                group.addTask {
                    for _ in 0..<3 {
                        let result = try await SnapcatProcess.run(arguments + ["--repo", repo])
                        #expect(result.status == 0 && result.lines("error").isEmpty, "\(arguments): \(result.status) \(result.text) \(result.stderr)")
                    }
                }
            }
            for arguments in commands {
                group.addTask {
                    for _ in 0..<4 {
                        let result = try await SnapcatProcess.run(arguments + ["--repo", repo, "--wait", "10m"])
                        #expect(result.status == 0, "\(arguments): \(result.stderr)")
                    }
                }
            }
            try await group.waitForAll()
        }
        let check = try await history.run("check", "--read-data")
        #expect(check.status == 0, "\(check.text) \(check.stderr)")
        #expect(try history.files("").allSatisfy { !$0.contains(".lock-") })
    }

    @Test func snapshooterMakesSnapshotsBesideGC() async throws {
        let history = try await RetentionSandbox()
        #expect(try await history.run("forget", "--keep-last", "1").status == 0)
        async let python = PythonSnapshooter.run(
            """
            import random
            for round in range(4):
                write(argv[0] + "/round", str(random.random()).encode())
                write(argv[0] + "/back", [b"gone\\n", b"brief\\n"][round % 2])
                snapshooter(argv[0], argv[1]).make_snapshot()
            """, [history.base.source, history.repo])
        for _ in 0..<6 {
            let result = try await history.run("gc", "--grace", "24h")
            // A snapshot that snapshooter is writing just now cannot be read: gc then takes nothing.
            #expect([0, 5].contains(result.status), "\(result.stderr)")
        }
        _ = try await python
        #expect(try await history.run("gc", "--grace", "24h").status == 0)
        let check = try await history.run("check", "--read-data")
        #expect(check.status == 0, "\(check.text)")
        #expect(try await history.run("list", "--format", "jsonl").lines.count == 5)
    }

    @Test func whoIsLockedOutNamesTheHolderAndDoesNothing() async throws {
        let history = try await RetentionSandbox()
        // A holder on another machine: fresh, so that it counts.
        let text = #"{"host": "elsewhere", "pid": 77, "boot_id": "other", "purpose": "gc", "since": "2026-11-21T00:00:00Z", "heartbeat": "x"}"#
        let before = try history.files("").filter { !$0.contains("catalog") }
        for (place, commands) in [
            ("heap", [["make", history.base.source], ["gc"], ["undelete"], ["repair"]]),
            ("snap", [["make", history.base.source], ["forget", "oldest"], ["purge", "gone"], ["undelete"], ["restore", "--file-root", history.base.target]]),
        ] {
            try history.base.write("repo/\(place)/.lock-exclusive-0000000000000000", text)
            for command in commands {
                let result = try await SnapcatProcess.run(command + ["--repo", history.repo])
                #expect(result.status == 11 && result.stderr.contains("process 77 on elsewhere"), "\(command): \(result.status) \(result.stderr)")
            }
            for command in [["gc", "--dry-run"], ["forget", "oldest", "--dry-run"], ["list"], ["check"], ["repair", "--dry-run"], ["purge", "x", "--dry-run"]] {
                let result = try await SnapcatProcess.run(command + ["--repo", history.repo])
                #expect(result.status == 0, "\(command): \(result.stderr)")
            }
            try FileManager.default.removeItem(atPath: "\(history.repo)/\(place)/.lock-exclusive-0000000000000000")
        }
        #expect(try history.files("").filter { !$0.contains("catalog") } == before)
    }
}
