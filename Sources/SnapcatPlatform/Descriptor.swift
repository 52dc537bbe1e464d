import CPlatform
import SystemPackage

/// The facts of one file, as `lstat` tells them.
public struct FileStatus: Equatable, Sendable {
    public var size: Int64
    public var mtimeNanoseconds: Int64
    public var ctimeNanoseconds: Int64
    public var device: UInt64
    public var inode: UInt64
    public var linkCount: UInt64
    /// The full `st_mode`, type bits included.
    public var mode: UInt32
    public var uid: UInt32
    public var gid: UInt32

    public enum Kind: Sendable { case regular, directory, link, other }

    public var kind: Kind {
        switch mode & 0o170000 {
        case 0o100000: .regular
        case 0o040000: .directory
        case 0o120000: .link
        default: .other
        }
    }

    package init(_ raw: cplatform_stat) {
        size = raw.size
        mtimeNanoseconds = raw.mtime_ns
        ctimeNanoseconds = raw.ctime_ns
        device = raw.device
        inode = raw.inode
        linkCount = raw.link_count
        mode = raw.mode
        uid = raw.uid
        gid = raw.gid
    }
}

/// An open file or folder, closed when the last reference goes.
///
/// Names are bytes; each call takes one component (or a path, where the caller trusts it) relative to the
/// folder, so that no path strings are built per file and no symlink on the way is followed unseen.
public final class Descriptor: Sendable {
    public let raw: Int32

    /// Takes ownership of an open descriptor.
    package init(owning raw: Int32) { self.raw = raw }

    deinit {
        // A failed close of a file that was written is found by fsync before it; nothing is left to do here.
        cplatform_close(raw)
    }

    package var file: FileDescriptor { FileDescriptor(rawValue: raw) }

    /// The current directory: the anchor for paths.
    package static let currentFolder: Int32 = AT_FDCWD_VALUE

    package struct Flags: OptionSet, Sendable {
        package let rawValue: Int32
        package init(rawValue: Int32) { self.rawValue = rawValue }
        package static let read = Flags(rawValue: CPLATFORM_READ)
        package static let write = Flags(rawValue: CPLATFORM_WRITE)
        package static let readWrite = Flags(rawValue: CPLATFORM_READ_WRITE)
        package static let createNew = Flags(rawValue: CPLATFORM_CREATE_NEW)
        package static let create = Flags(rawValue: CPLATFORM_CREATE)
        package static let append = Flags(rawValue: CPLATFORM_APPEND)
        package static let folder = Flags(rawValue: CPLATFORM_FOLDER)
        package static let noFollow = Flags(rawValue: CPLATFORM_NO_FOLLOW)
        package static let nonBlocking = Flags(rawValue: CPLATFORM_NON_BLOCKING)
    }

    /// Opens `name` in `folder`.
    package static func open(
        _ name: [UInt8], in folder: Int32 = currentFolder, _ flags: Flags, mode: UInt32 = 0o666
    ) throws(Errno) -> Descriptor {
        let raw = withName(name) { cplatform_open_at(folder, $0, flags.rawValue, mode) }
        guard raw >= 0 else { throw Errno(rawValue: cplatform_errno()) }
        return Descriptor(owning: raw)
    }

    /// The facts of the open file.
    package func status() throws(Errno) -> FileStatus {
        var raw = cplatform_stat()
        guard cplatform_stat_descriptor(self.raw, &raw) == 0 else { throw Errno(rawValue: cplatform_errno()) }
        return FileStatus(raw)
    }

    /// The facts of `name` in `folder`, a final symlink not followed unless `following`.
    package static func status(
        _ name: [UInt8], in folder: Int32 = currentFolder, following: Bool = false
    ) throws(Errno) -> FileStatus {
        var raw = cplatform_stat()
        let result = withName(name) {
            following ? cplatform_stat_following(folder, $0, &raw) : cplatform_stat_at(folder, $0, &raw)
        }
        guard result == 0 else { throw Errno(rawValue: cplatform_errno()) }
        return FileStatus(raw)
    }

    /// The same for a name that is part of a larger buffer.
    package static func status(_ name: UnsafeRawBufferPointer, in folder: Int32) throws(Errno) -> FileStatus {
        var raw = cplatform_stat()
        guard withName(name, { cplatform_stat_at(folder, $0, &raw) }) == 0 else {
            throw Errno(rawValue: cplatform_errno())
        }
        return FileStatus(raw)
    }

    /// The facts of `name`, nil where there is none.
    package static func statusIfPresent(
        _ name: [UInt8], in folder: Int32 = currentFolder, following: Bool = false
    ) throws(Errno) -> FileStatus? {
        do throws(Errno) { return try status(name, in: folder, following: following) } catch {
            if error == .noSuchFileOrDirectory || error == .notDirectory { return nil }
            throw error
        }
    }

    /// Reads up to `buffer.count` bytes; 0 at the end of the file.
    package func read(into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Int {
        while true {
            let count = cplatform_read(raw, buffer.baseAddress, buffer.count)
            if count >= 0 { return count }
            let error = Errno(rawValue: cplatform_errno())
            if error != .interrupted { throw error }
        }
    }

    /// Reads at an offset; may return less than asked; 0 at the end of the file.
    package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(Errno) -> Int {
        while true {
            let count = cplatform_pread(raw, buffer.baseAddress, buffer.count, offset)
            if count >= 0 { return count }
            let error = Errno(rawValue: cplatform_errno())
            if error != .interrupted { throw error }
        }
    }

    /// Writes all of `bytes`.
    package func writeAll(_ bytes: UnsafeRawBufferPointer) throws(Errno) {
        var rest = bytes
        while rest.count > 0 {
            let count = cplatform_write(raw, rest.baseAddress, rest.count)
            if count < 0 {
                let error = Errno(rawValue: cplatform_errno())
                if error == .interrupted { continue }
                throw error
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    package func writeAll(_ bytes: [UInt8]) throws(Errno) {
        let result = bytes.withUnsafeBytes { bytes -> Result<Void, Errno> in
            do throws(Errno) { return .success(try writeAll(bytes)) } catch { return .failure(error) }
        }
        try result.get()
    }

    /// fsync: the file's bytes and facts are durable when this returns.
    package func sync() throws(Errno) {
        guard cplatform_fsync(raw) == 0 else { throw Errno(rawValue: cplatform_errno()) }
    }

    /// Moves the read and write position to the start and empties the file.
    package func rewindAndTruncate() throws(Errno) {
        guard cplatform_truncate_and_rewind(raw) == 0 else { throw Errno(rawValue: cplatform_errno()) }
    }

    /// Moves the read position to the start.
    package func rewind() throws(Errno) {
        guard cplatform_rewind(raw) == 0 else { throw Errno(rawValue: cplatform_errno()) }
    }
}

/// Calls `body` with a NUL-terminated copy of `name`, on the stack for common lengths.
@inline(__always)
package func withName<R>(_ name: [UInt8], _ body: (UnsafePointer<CChar>) -> R) -> R {
    name.withUnsafeBytes { withName($0, body) }
}

@inline(__always)
package func withName<R>(_ name: UnsafeRawBufferPointer, _ body: (UnsafePointer<CChar>) -> R) -> R {
    withUnsafeTemporaryAllocation(byteCount: name.count + 1, alignment: 1) { buffer in
        buffer.copyMemory(from: name)
        buffer[name.count] = 0
        // The allocation is not empty, so it has an address.
        return body(buffer.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: CChar.self))
    }
}

extension Descriptor {
    /// Gives the lock back now: a process that is being started may have a copy of the descriptor for a moment.
    package func unlock() { cplatform_unlock(raw) }

    package enum LockAttempt: Sendable {
        case taken
        /// Another process has it.
        case held
        /// The file system knows no such locks (some network and FUSE ones).
        case unsupported
    }

    /// Takes the advisory lock of the whole file without waiting; it lasts as long as this object.
    package func lock(exclusive: Bool) -> LockAttempt {
        if cplatform_lock(raw, exclusive ? 1 : 0) == 0 { return .taken }
        return cplatform_lock_is_unsupported() != 0 ? .unsupported : .held
    }
}
