import CPlatform
import SnapcatFormat
import SnapcatPlatform
import SnapcatStorage
import SystemPackage

/// The folders below a restore's target, each opened from the one above without following a symlink: nothing in
/// the target can lead a write out of it (RELIABILITY.md 6).
///
/// Keeps the folders on the way to the last name open; names come in order, so that most share them. One per thread.
final class TargetTree {
    private let root: Descriptor
    private var path: [[UInt8]] = []
    private var folders: [Descriptor] = []

    init(_ root: Descriptor) { self.root = root }

    struct Place {
        var folder: Descriptor
        var name: [UInt8]
    }

    /// The open folder of a name, and its last component. With `creates` missing folders are made, and what is no
    /// folder is removed from the way where `replaces` allows.
    func place(_ name: [UInt8], creates: Bool, replaces: Bool) throws(Errno) -> Place {
        var components = name.split(separator: UInt8(ascii: "/")).map(Array.init)
        guard let last = components.popLast() else { throw .invalidArgument }
        return Place(folder: try folder(components, creates: creates, replaces: replaces), name: last)
    }

    /// The open folder of this name; the root for none.
    func folder(_ components: [[UInt8]], creates: Bool, replaces: Bool) throws(Errno) -> Descriptor {
        var shared = 0
        while shared < path.count && shared < components.count && path[shared] == components[shared] { shared += 1 }
        path.removeLast(path.count - shared)
        folders.removeLast(folders.count - shared)
        for component in components[shared...] {
            let next = try step(component, in: folders.last ?? root, creates: creates, replaces: replaces)
            path.append(component)
            folders.append(next)
        }
        return folders.last ?? root
    }

    /// Forgets the open folders, before folders are removed.
    func close() {
        path = []
        folders = []
    }

    private func step(
        _ name: [UInt8], in folder: Descriptor, creates: Bool, replaces: Bool
    ) throws(Errno) -> Descriptor {
        do throws(Errno) { return try openFolder(name, in: folder) } catch {
            let isObstacle = error == .notDirectory || error == .tooManySymbolicLinkLevels
            guard creates, error == .noSuchFileOrDirectory || isObstacle && replaces else { throw error }
            if isObstacle { try FolderOperations.removeFile(name, in: folder.raw) }
        }
        do throws(Errno) { try FolderOperations.makeFolder(name, in: folder.raw, mode: 0o700) } catch {
            // Another thread may have been faster.
            if error != .fileExists { throw error }
        }
        return try openFolder(name, in: folder)
    }

    /// A folder that its owner may not write is opened for writing; its mode is set at the end.
    private func openFolder(_ name: [UInt8], in folder: Descriptor) throws(Errno) -> Descriptor {
        let opened = try Descriptor.open(name, in: folder.raw, [.read, .folder, .noFollow])
        if cplatform_is_root() == 0 {
            let status = try opened.status()
            if status.mode & 0o300 != 0o300 { try FolderOperations.setMode(status.mode | 0o700, of: opened) }
        }
        return opened
    }
}

/// What a restored file or folder is to have besides its bytes.
struct TargetMetadata: Sendable {
    var mode: Int64?
    var uid: Int64?
    var gid: Int64?
    var mtimeNanoseconds: Int64?

    init(_ item: SideItem) {
        mode = item.mode
        uid = item.uid
        gid = item.gid
        mtimeNanoseconds = item.mtimeNanoseconds ?? item.mtime.flatMap(PythonNumber.nanoseconds(double:))
    }

    /// nil where the line names none that a file can have: what is out of range is nobody, never somebody else.
    private var owner: (uid: UInt32, gid: UInt32)? {
        guard let uid = uid.flatMap({ UInt32(exactly: $0) }), let gid = gid.flatMap({ UInt32(exactly: $0) }) else { return nil }
        return (uid, gid)
    }

    /// Owner first: changing it clears the set-user bits of the mode. The time last: everything else moves it.
    func apply(to file: Descriptor, setsOwner: Bool) throws(Errno) {
        if setsOwner, let owner, cplatform_is_root() != 0 {
            try FolderOperations.setOwner(uid: owner.uid, gid: owner.gid, of: file)
        }
        if let mode, (0...0o177777).contains(mode) {
            // A file of another owner must not run with the rights of whoever restores it.
            let isOwn = cplatform_is_root() != 0 && setsOwner || uid == Int64(cplatform_user())
            try FolderOperations.setMode(UInt32(mode) & (isOwn ? 0o7777 : 0o1777), of: file)
        }
        if let mtimeNanoseconds { try FolderOperations.setModificationTime(mtimeNanoseconds, of: file) }
    }

    /// The same for a symlink, which has no mode of its own.
    func apply(toLink name: [UInt8], in folder: Descriptor, setsOwner: Bool) throws(Errno) {
        if setsOwner, let owner, cplatform_is_root() != 0 {
            try FolderOperations.setOwner(uid: owner.uid, gid: owner.gid, ofName: name, in: folder.raw)
        }
        if let mtimeNanoseconds {
            try FolderOperations.setModificationTime(mtimeNanoseconds, ofName: name, in: folder.raw)
        }
    }
}
