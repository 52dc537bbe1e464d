import Foundation
import SnapcatPlatform
import SnapcatStorage
import SystemPackage

/// The file of one holder of a folder's lock: who it is, and by its stamp when it was last alive.
final class HolderFile: Sendable {
    let folder: [UInt8]
    let name: [UInt8]
    let file: Descriptor
    private let initial: LockHolder
    private let released = Heart()

    /// Then the mode, the boot's tag (so that a file that was not filled tells it too) and some random digits.
    private static let prefix = ".lock-"

    private init(_ folder: [UInt8], _ name: [UInt8], _ file: Descriptor, _ holder: LockHolder) {
        (self.folder, self.name, self.file, initial) = (folder, name, file, holder)
    }

    /// Locked before it is filled: who finds it filled and unlocked knows that its process has ended.
    static func create(
        _ folder: [UInt8], _ mode: FolderLock.Mode, purpose: String, clock: any WallClock, access: UInt32
    ) throws(Errno) -> HolderFile {
        let digits = LocalSink.temporaryName().suffix(8)
        let name = Array("\(prefix)\(mode.rawValue)-\(LockHolder.bootTag)".utf8) + digits
        let holder = LockHolder(purpose: purpose, clock: clock)
        let file = try Descriptor.open(
            folder + [UInt8(ascii: "/")] + name, [.readWrite, .createNew], mode: access & 0o666)
        let created = HolderFile(folder, name, file, holder)
        // Only who looks at it just now has it, for a moment.
        var tries = 0
        while file.lock(exclusive: true) == .held && tries < 1000 {
            tries += 1
            Thread.sleep(forTimeInterval: 0.001)
        }
        do throws(Errno) { try file.writeAll(holder.text) } catch {
            created.remove()
            throw error
        }
        return created
    }

    /// Beats until the file is removed. A beat that fails is not the end: the lock may look older than it is.
    func startBeating(_ clock: any WallClock) {
        let (file, heart, holder) = (file, released, initial)
        WorkerThread.detach("snapcat-lock", stackBytes: 256 << 10) {
            while heart.waitForBeat(seconds: LockHolder.beatSeconds) {
                var beat = holder
                beat.heartbeat = LockHolder.time(clock)
                do throws(Errno) {
                    try file.rewindAndTruncate()
                    try file.writeAll(beat.text)
                } catch { continue }
            }
        }
    }

    /// Whether the name still is this file.
    func isInPlace() throws(Errno) -> Bool {
        try Descriptor.statusIfPresent(folder + [UInt8(ascii: "/")] + name)?.inode == file.status().inode
    }

    func remove() {
        released.stop()
        do throws(Errno) { try FolderOperations.removeFile(folder + [UInt8(ascii: "/")] + name) } catch {
            // What is left is recognised as stale.
        }
        // Now, not with this object: the thread that beats may have the file for a moment longer.
        file.unlock()
    }

    // MARK: Of others

    struct Other {
        var name: [UInt8]
        var mode: FolderLock.Mode
        var holder: LockHolder?
        /// nil where it is gone meanwhile.
        fileprivate var file: Descriptor?

        func state(now: Int64, kernelLocks: Bool) -> LockHolder.State {
            guard let file else { return .dead("it is gone") }
            let attempt = file.lock(exclusive: true)
            if attempt == .held { return .alive }
            let kernelLocks = kernelLocks && attempt == .taken
            let beat: Int64
            do throws(Errno) { beat = try file.status().mtimeNanoseconds } catch { return .alive }
            if holder == nil && kernelLocks && isOfThisBoot { return .dead("its process ended before it was filled") }
            return LockHolder.state(holder, silenceNanoseconds: now - beat, kernelLocks: kernelLocks)
        }

        private var isOfThisBoot: Bool {
            name.starts(with: "\(prefix)\(mode.rawValue)-\(LockHolder.bootTag)".utf8) && !LockHolder.thisBoot.isEmpty
        }

        func remove(from folder: [UInt8]) throws {
            let path = folder + [UInt8(ascii: "/")] + name
            try withSystemError("Cannot remove the stale lock", path) { () throws(Errno) in
                do throws(Errno) { try FolderOperations.removeFile(path) } catch {
                    if error != .noSuchFileOrDirectory { throw error }
                }
            }
        }
    }

    /// All but `own`, which is not even opened: with a lock on it SMB lets only its own descriptor at it.
    static func all(_ folder: [UInt8], except own: HolderFile? = nil) throws -> [Other] {
        try withListingError(folder) {
            try FolderListing.items(in: try Descriptor.open(folder, [.read, .folder])).compactMap { item in
                guard let mode = mode(item.name), item.name != own?.name else { return nil }
                return try other(folder, item.name, mode)
            }
        }
    }

    private static func mode(_ name: [UInt8]) -> FolderLock.Mode? {
        [.shared, .exclusive].first { name.starts(with: "\(prefix)\($0.rawValue)-".utf8) }
    }

    private static func other(_ folder: [UInt8], _ name: [UInt8], _ mode: FolderLock.Mode) throws(Errno) -> Other {
        let nobody = Other(name: name, mode: mode, holder: nil, file: nil)
        guard let file = try open(folder + [UInt8(ascii: "/")] + name), try file.status().kind == .regular else { return nobody }
        let holder: LockHolder?
        // SMB lets nobody else read what is locked.
        do throws(Errno) { holder = LockHolder(try text(file)) } catch {
            if error != .permissionDenied { throw error }
            holder = nil
        }
        return Other(name: name, mode: mode, holder: holder, file: file)
    }

    /// nil where it is gone, or nobody's.
    private static func open(_ path: [UInt8]) throws(Errno) -> Descriptor? {
        // For writing, where that may be: NFS gives no exclusive lock otherwise.
        for access in [.readWrite, .read] as [Descriptor.Flags] {
            do throws(Errno) { return try Descriptor.open(path, access.union([.noFollow, .nonBlocking])) } catch {
                switch error {
                // A symlink is nobody's; nor is a folder, or a pipe without a reader.
                case .noSuchFileOrDirectory, .tooManySymbolicLinkLevels, .isDirectory, .noSuchAddressOrDevice: return nil
                case _ where access == .readWrite && error.meansUnwritable: continue
                default: throw error
                }
            }
        }
        return nil
    }

    private static func text(_ file: Descriptor) throws(Errno) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = bytes.withUnsafeMutableBytes { buffer -> Result<Int, Errno> in
            do throws(Errno) { return .success(try file.read(into: buffer, at: 0)) } catch { return .failure(error) }
        }
        return Array(bytes[..<(try count.get())])
    }
}

/// Lets a thread wait for the next beat, or for the end.
private final class Heart: @unchecked Sendable {
    // Unchecked: `isStopped` is only touched with `condition` locked.
    private let condition = NSCondition()
    private var isStopped = false

    /// False once stopped.
    func waitForBeat(seconds: Double) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        if !isStopped { _ = condition.wait(until: Date(timeIntervalSinceNow: seconds)) }
        return !isStopped
    }

    func stop() {
        condition.lock()
        isStopped = true
        condition.broadcast()
        condition.unlock()
    }
}
