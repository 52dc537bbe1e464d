import Foundation
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
}
