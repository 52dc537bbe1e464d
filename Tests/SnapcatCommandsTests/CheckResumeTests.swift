import Foundation
import SnapcatTestSupport
import Testing

/// `snapcat check --read-data` in parts: killed at any time, it goes on where it ended.
@Suite struct CheckResumeTests {
    private func history() async throws -> RestoreSandbox {
        let sandbox = try RestoreSandbox([:])
        for number in 0..<400 { try sandbox.write("source/\(number)", String(repeating: "\(number)\n", count: 200)) }
        _ = try await sandbox.make()
        return sandbox
    }

    @Test func killedInTheMiddleAgainAndAgainItComesToItsEnd() async throws {
        let sandbox = try await history()
        let arguments = ["check", "--read-data", "--max-age", "30d", "--repo", sandbox.repo]
        _ = try await SnapcatProcess.succeed(["check", "--repo", sandbox.repo])
        var killed = 0
        while true {
            // Each time before half of the objects could be read: without notes no run would ever get further.
            let result = try await MeetingPoint.run(arguments, before: 200, in: ".gz", .kill)
            if result.status != -9 {
                #expect(result.status == 0 && result.stderr.contains("nothing left to be read"), "\(result.stderr)")
                break
            }
            killed += 1
            try #require(killed < 200)
            let damaged = try await SnapcatProcess.succeed([
                "query", "--repo", sandbox.repo, "--format", "csv",
                "SELECT count(*) AS n FROM object WHERE verify_result <> 'ok' OR (verified_at IS NULL) <> (verify_result IS NULL)",
            ])
            #expect(damaged.lines == ["n", "0"])
        }
        #expect(killed >= 1)
        let left = try await SnapcatProcess.succeed([
            "query", "--repo", sandbox.repo, "--format", "csv", "SELECT count(*) AS n FROM object WHERE verified_at IS NULL",
        ])
        #expect(left.lines == ["n", "0"])
    }

    @Test func whatIsLeftIsTold_andDamageInItsPartEndsWith5() async throws {
        let sandbox = try await history()
        let part = try await SnapcatProcess.succeed(["check", "--read-data", "--oldest-first", "--budget", "4K", "--repo", sandbox.repo])
        #expect(part.stderr.contains("left to be read: ") && part.stderr.contains("never verified"), "\(part.stderr)")
        #expect(part.lines.count == 1)
        let object = try #require(
            try sandbox.folder.files().map { String(decoding: $0, as: UTF8.self) }.last { $0.hasPrefix("repo/heap/") && $0.hasSuffix(".gz") })
        try sandbox.folder.write(object, [0x1f, 0x8b, 0])
        var status: Int32 = 0
        var runs = 0
        while status == 0, runs < 100 {
            runs += 1
            let next = try await SnapcatProcess.run(["check", "--read-data", "--max-age", "1d", "--budget", "8K", "--repo", sandbox.repo])
            status = next.status
        }
        #expect(status == 5)
        // From then on it is read first.
        let again = try await SnapcatProcess.run(["check", "--read-data", "--max-age", "1d", "--budget", "1K", "--repo", sandbox.repo])
        #expect(again.status == 5, "\(again.stderr)")
    }

    @Test func wrongBoundsAreRefused() async throws {
        for wrong in [["--budget", "1G"], ["--read-data", "--budget", "x"], ["--read-data", "--budget", "-1"], ["--read-data", "--max-age", "30"], ["--read-data", "--time-budget", "1x"], ["--oldest-first"]] {
            let result = try await SnapcatProcess.run(["check", "--repo", "/nonexistent"] + wrong)
            #expect(result.status == 64 && result.stderr.split(separator: "\n").count == 1, "\(wrong): \(result.status) \(result.stderr)")
        }
    }
}
