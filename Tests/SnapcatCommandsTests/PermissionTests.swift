import Foundation
import SnapcatPlatform
import SnapcatTestSupport
import Testing

/// A repository holds the contents of private files: what snapcat makes is for its owner, unless the root is shared.
@Suite struct PermissionTests {
    /// The permissions of everything in the repository, by its name.
    private func modes(_ sandbox: RestoreSandbox) throws -> [String: UInt32] {
        var result: [String: UInt32] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: sandbox.repo) + [""] {
            result[name] = try Descriptor.status(sandbox.folder.path("repo/" + name)).mode & 0o777
        }
        return result
    }

    @Test func aNewRepositoryIsForItsOwnerAlone() async throws {
        let sandbox = try RestoreSandbox()
        try await sandbox.make()
        for (name, mode) in try modes(sandbox) { #expect(mode & 0o077 == 0, "\(name): \(String(mode, radix: 8))") }
    }

    @Test func whatIsMadeInARootThatIsSharedIsShared() async throws {
        let sandbox = try RestoreSandbox()
        let manager = FileManager.default
        for folder in ["/heap", "/snap"] {
            try manager.createDirectory(atPath: sandbox.repo + folder, withIntermediateDirectories: true)
            try manager.setAttributes([.posixPermissions: 0o755], ofItemAtPath: sandbox.repo + folder)
        }
        _ = try await SnapcatProcess.run(
            ["make", sandbox.source, "--repo", sandbox.repo], environment: [:], folder: sandbox.source, through: ["sh", "-c", #"umask 022; exec "$0" "$@""#])
        let modes = try modes(sandbox)
        for (name, mode) in modes where name.hasSuffix(".gz") { #expect(mode & 0o444 == 0o444, "\(name): \(String(mode, radix: 8))") }
        #expect(modes["heap"] == 0o755 && modes["snap/\(modes.keys.filter { $0.hasPrefix("snap/2") }.map { $0.dropFirst(5).prefix(4) }.first ?? "")"] == 0o755)
        // The catalog names every file: it is its owner's in any case.
        #expect(modes["catalog.sqlite"] == 0o600)
        // And an existing root is left as it is.
        try manager.setAttributes([.posixPermissions: 0o700], ofItemAtPath: sandbox.repo + "/snap")
        try sandbox.write("source/new", "new")
        try await sandbox.make()
        #expect(try self.modes(sandbox)["snap"] == 0o700 && self.modes(sandbox)["heap"] == 0o755)
    }
}
