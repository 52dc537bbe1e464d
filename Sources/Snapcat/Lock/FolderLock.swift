import Foundation
import SnapcatFormat
import SnapcatPlatform
import SnapcatStorage
import SystemPackage

/// The lock of a local folder: shared by many, or held by one alone (RELIABILITY.md 7).
///
/// Two things make it. The kernel's lock on `.lock` keeps processes of one machine apart, and ends with its process.
/// A file for each holder, `.lock-<mode>-<hex>`, tells who it is, has a lock of the kernel of its own, and is written
/// anew every half minute: that keeps machines apart that share a folder over a network without common locks.
/// Each writes its own file first and looks at the others' then, so that of two at least one sees the other.
final class FolderLock: Sendable {
    enum Mode: String, Sendable { case shared, exclusive }

    private let lock: Descriptor
    /// nil where nothing can be written: then the kernel's lock alone counts.
    private let own: HolderFile?
    /// By the file system's clock.
    let takenNanoseconds: Int64?

    private init(_ lock: Descriptor, _ own: HolderFile?, takenNanoseconds: Int64?) {
        (self.lock, self.own, self.takenNanoseconds) = (lock, own, takenNanoseconds)
    }

    deinit {
        own?.remove()
        lock.unlock()
    }

    /// Without waiting. Throws `.locked`, with the holder named, where another has it; stale locks of others are told
    /// to `note` and removed. nil where there is no lock, and none can be made.
    static func take(
        _ folder: [UInt8], _ mode: Mode, purpose: String, clock: any WallClock, needsWriting: Bool,
        note: (String) -> Void
    ) throws -> FolderLock? {
        let opened = try withSystemError("Cannot lock", folder) { () throws(Errno) in
            try open(folder, needsWriting: needsWriting)
        }
        guard let (lock, access) = opened else { return nil }
        let attempt = lock.lock(exclusive: mode == .exclusive)
        if attempt == .held {
            let others = try HolderFile.all(folder).filter { $0.mode == .exclusive || mode == .exclusive }
            throw locked(folder, others.compactMap(\.holder).first)
        }
        let own: HolderFile
        do throws(Errno) {
            own = try HolderFile.create(folder, mode, purpose: purpose, clock: clock, access: access)
        } catch {
            let alone = FolderLock(lock, nil, takenNanoseconds: nil)
            // Without room for its own file the kernel's lock must do: else nothing could make room. No age can be told
            // then: whoever may be alive, as on a machine without common locks, is.
            let isEnough = error.meansFull ? attempt == .taken : !needsWriting && error.meansUnwritable
            guard isEnough else { throw SnapcatError.system("Cannot lock", folder, error) }
            if error.meansFull {
                for other in try HolderFile.all(folder) where mode == .exclusive || other.mode == .exclusive {
                    if other.state(now: 0, kernelLocks: true) == .alive { throw locked(folder, other.holder) }
                }
            }
            return alone
        }
        let now = try withSystemError("Cannot look at the lock", folder) { () throws(Errno) in
            try own.file.status().mtimeNanoseconds
        }
        let taken = FolderLock(lock, own, takenNanoseconds: now)
        for other in try HolderFile.all(folder, except: own) {
            switch other.state(now: now, kernelLocks: attempt == .taken) {
            case .alive: if mode == .exclusive || other.mode == .exclusive { throw locked(folder, other.holder) }
            case .dead(let reason):
                // A file that is empty yet may be about to be filled: only who is alone can tell.
                guard other.holder != nil || mode == .exclusive else { continue }
                if let holder = other.holder { note("a stale lock is removed: \(holder.description); \(reason)") }
                try other.remove(from: folder)
            }
        }
        own.startBeating(clock)
        return taken
    }

    /// Throws `.locked` where another machine has taken this lock for stale, as after a long sleep.
    func checkIsHeld() throws {
        guard let own else { return }
        let isHeld = try withSystemError("Cannot look at the lock", own.folder) { () throws(Errno) in try own.isInPlace() }
        if isHeld { return }
        throw SnapcatError(
            .locked, "The lock is lost", TerminalText.lossy(own.folder),
            reason: "another process took it for stale", advice: "run it again")
    }

    private static func locked(_ folder: [UInt8], _ holder: LockHolder?) -> SnapcatError {
        SnapcatError(
            .locked, "The repository is locked", TerminalText.lossy(folder),
            reason: holder?.description ?? "another process holds it", advice: "wait until it is done, or give --wait")
    }

    private static func open(_ root: [UInt8], needsWriting: Bool) throws(Errno) -> (Descriptor, access: UInt32)? {
        let path = root + Array("/.lock".utf8)
        do throws(Errno) {
            let access = try FolderOperations.makePrivateRoot(root)
            return (try Descriptor.open(path, [.readWrite, .create, .noFollow, .nonBlocking], mode: access & 0o666), access)
        } catch {
            if needsWriting || !error.meansUnwritable { throw error }
        }
        do throws(Errno) { return (try Descriptor.open(path, [.read, .noFollow, .nonBlocking]), 0) } catch {
            if error == .noSuchFileOrDirectory { return nil }
            throw error
        }
    }
}
