import Foundation
import SnapcatFormat
import SnapcatPlatform
import SnapcatStorage
import SystemPackage

/// The lock of a snap root (RELIABILITY.md 7): held by make and restore, never by readers.
///
/// The kernel's lock on `<snap root>/.lock` is what counts: it ends with its process, so that none is ever stale.
/// The file's text only tells who holds it.
package final class RepositoryLock {
    private let file: Descriptor

    private init(_ file: Descriptor) { self.file = file }

    /// nil for a snap root that is not local: there creating a snapshot exclusively is all the safety there is.
    ///
    /// `needsWriting`: false for who only reads the repository. On a place that cannot be written the lock is then taken
    /// on the file that is there; where there is none, nobody else can take it either, and nil is returned.
    package static func take(
        _ storage: BlockingStorage, purpose: String, clock: any WallClock, needsWriting: Bool = true
    ) throws -> RepositoryLock? {
        guard let local = storage.base.local else { return nil }
        let root = local.root
        let opened = try withSystemError("Cannot lock the snap root", root) { () throws(Errno) in
            try open(root, needsWriting: needsWriting)
        }
        guard let file = opened else { return nil }
        guard file.tryLock(exclusive: true) else {
            throw SnapcatError(
                .locked, "The repository is locked", TerminalText.lossy(root), reason: holder(file),
                advice: "wait until it is done")
        }
        let text = JSONValue.object([
            ("host", .text(ProcessInfo.processInfo.hostName)),
            ("pid", .integer(Int64(ProcessInfo.processInfo.processIdentifier))), ("purpose", .text(purpose)),
            ("since", .text(SnapshotTime(microseconds: clock.nowNanoseconds / 1000).iso8601)),
        ]).bytes
        do throws(Errno) {
            try file.rewindAndTruncate()
            try file.writeAll(text)
        } catch {
            // The text only tells who holds the lock.
            if needsWriting { throw SnapcatError.system("Cannot lock the snap root", root, error) }
        }
        return RepositoryLock(file)
    }

    private static func open(_ root: [UInt8], needsWriting: Bool) throws(Errno) -> Descriptor? {
        let path = root + Array("/.lock".utf8)
        do throws(Errno) {
            let access = try FolderOperations.makePrivateRoot(root)
            return try Descriptor.open(path, [.readWrite, .create], mode: access & 0o666)
        } catch {
            if needsWriting || !error.meansUnwritable { throw error }
        }
        do throws(Errno) { return try Descriptor.open(path, .read) } catch {
            if error == .noSuchFileOrDirectory { return nil }
            throw error
        }
    }

    private static func holder(_ file: Descriptor) -> String {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count: Int
        do { count = try bytes.withUnsafeMutableBytes { try file.read(into: $0, at: 0) } } catch { count = 0 }
        do throws(JSONScanner.Failure) {
            let value = try JSONValue(parsing: Array(bytes[..<count]))
            let host = value["host"]?.stringText ?? "?"
            let pid = value["pid"]?.integerValue ?? 0
            return "'snapcat \(value["purpose"]?.stringText ?? "?")' runs as process \(pid) on \(host) since \(value["since"]?.stringText ?? "?")"
        } catch { return "another process holds it" }
    }
}
