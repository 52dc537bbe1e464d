import Foundation
import SnapcatFormat
import SnapcatPlatform
import SnapcatTestSupport
import Testing

/// Which files of a target are to be one file.
@Suite struct RestoreHardLinkTests {
    private func link(_ first: String, _ second: String) throws {
        try FileManager.default.linkItem(atPath: first, toPath: second)
    }

    @Test func whereTheFirstCannotBePlacedTheNextIsWritten() async throws {
        let sandbox = try RestoreSandbox(["a/f": "twice"])
        try link(sandbox.source + "/a/f", sandbox.source + "/g")
        try await sandbox.make()
        try sandbox.write("target/a", "stays")
        let result = try await sandbox.restore("latest", "--overwrite", "never")
        #expect(result.status == 3 && result.stderr.contains("'a/f'"), "\(result.stderr)")
        #expect(try sandbox.read("target/g") == "twice" && sandbox.read("target/a") == "stays")
    }

    @Test func withoutACompanionNoFileGetsTheModeOfAnother() async throws {
        let sandbox = try RestoreSandbox(["open": "same", "private": "same"])
        for (name, mode) in [("open", 0o644), ("private", 0o600)] {
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: sandbox.source + "/" + name)
        }
        try await sandbox.make()
        let companion = try #require(try sandbox.folder.files().map { TerminalText.lossy($0) }.first { $0.hasSuffix(".meta.gz") })
        try FileManager.default.removeItem(atPath: sandbox.folder.path + "/" + companion)
        try sandbox.write("target/open", "same")
        try link(sandbox.target + "/open", sandbox.target + "/private")
        for _ in 1...2 {
            #expect(try await sandbox.restore("oldest").status == 0)
            let modes = try ["open", "private"].map { try Descriptor.status(sandbox.folder.path("target/" + $0)).mode & 0o777 }
            #expect(modes == [0o644, 0o600])
        }
    }

    @Test func twoGroupsThatHaveBecomeOneFileAreTwoAgain() async throws {
        let sandbox = try RestoreSandbox(["p1": "same", "s1": "same"])
        for (name, mode) in [("p", 0o644), ("s", 0o600)] {
            let path = sandbox.source + "/" + name
            let facts: [FileAttributeKey: Any] = [.posixPermissions: mode, .modificationDate: Date(timeIntervalSince1970: 1e9)]
            try FileManager.default.setAttributes(facts, ofItemAtPath: path + "1")
            try link(path + "1", path + "2")
        }
        try await sandbox.make()
        #expect(try await sandbox.restore("latest").status == 0)
        for name in ["p1", "p2"] {
            try FileManager.default.removeItem(atPath: sandbox.target + "/" + name)
            try link(sandbox.target + "/s1", sandbox.target + "/" + name)
        }
        // The second finds nothing to do.
        for written in [true, false] {
            let result = try await sandbox.restore("oldest")
            #expect(result.status == 0 && result.stderr.contains("0 files written") == !written, "\(result.stderr)")
            let facts = try ["p1", "p2", "s1", "s2"].map { try Descriptor.status(sandbox.folder.path("target/" + $0)) }
            #expect(facts.map { $0.mode & 0o777 } == [0o644, 0o644, 0o600, 0o600])
            #expect(facts[0].inode == facts[1].inode && facts[2].inode == facts[3].inode && facts[0].inode != facts[2].inode)
        }
    }
}
