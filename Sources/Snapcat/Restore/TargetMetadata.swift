import CPlatform
import SnapcatFormat
import SnapcatPlatform
import SystemPackage

/// Who restores, and may therefore set what: asked once, not per file.
struct RestoreUser: Sendable {
    let uid: UInt32
    let gid: UInt32
    /// Only root can give files to others.
    let setsOwner: Bool

    init(_ options: RestoreOptions) {
        uid = cplatform_user()
        gid = cplatform_group()
        setsOwner = options.setsOwner && uid == 0
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

    /// The permissions that the file is to have in the end.
    private func permissions(by user: RestoreUser) -> UInt32? {
        guard let mode, (0...0o177777).contains(mode) else { return nil }
        // A file of another owner must not run with the rights of whoever restores it.
        let isOwn = user.setsOwner || uid == Int64(user.uid)
        return UInt32(mode) & (isOwn ? 0o7777 : 0o1777)
    }

    /// The mode to make a file with: never more open than in the end, whoever its owner will be.
    func firstMode(by user: RestoreUser) -> UInt32 {
        let staysOwn = !user.setsOwner || owner.map { $0 == (user.uid, user.gid) } ?? true
        guard staysOwn, let permissions = permissions(by: user) else { return 0o600 }
        return permissions & 0o777
    }

    /// What is so already is not set again. Owner first: changing it clears the set-user bits of the mode. The time
    /// last: everything else moves it.
    func apply(to file: Descriptor, by user: RestoreUser) throws(Errno) {
        let status = try file.status()
        let isGiven = user.setsOwner && owner.map { $0 != (status.uid, status.gid) } ?? false
        if isGiven, let owner { try FolderOperations.setOwner(uid: owner.uid, gid: owner.gid, of: file) }
        if let permissions = permissions(by: user), isGiven || permissions != status.mode & 0o7777 {
            try FolderOperations.setMode(permissions, of: file)
        }
        if let mtimeNanoseconds, mtimeNanoseconds != status.mtimeNanoseconds {
            try FolderOperations.setModificationTime(mtimeNanoseconds, of: file)
        }
    }

    /// The same for a symlink, which has no mode of its own.
    func apply(toLink name: [UInt8], in folder: Descriptor, by user: RestoreUser) throws(Errno) {
        if user.setsOwner, let owner {
            try FolderOperations.setOwner(uid: owner.uid, gid: owner.gid, ofName: name, in: folder.raw)
        }
        if let mtimeNanoseconds {
            try FolderOperations.setModificationTime(mtimeNanoseconds, ofName: name, in: folder.raw)
        }
    }
}
