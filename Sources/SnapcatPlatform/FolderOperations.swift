import CPlatform
import SystemPackage

/// Operations on names in a folder. `folder` is an open descriptor or `Descriptor.currentFolder`.
package enum FolderOperations {
    package static func makeFolder(
        _ name: [UInt8], in folder: Int32 = Descriptor.currentFolder, mode: UInt32 = 0o777
    ) throws(Errno) {
        try check(withName(name) { cplatform_mkdir_at(folder, $0, mode) })
    }

    /// Makes the folder and those above it that are missing, all with `mode` (less the umask).
    package static func makeFolders(_ path: [UInt8], mode: UInt32 = 0o777) throws(Errno) {
        do throws(Errno) { try makeFolder(path, mode: mode) } catch {
            if error == .fileExists {
                let status = try Descriptor.status(path, following: true)
                if status.kind == .directory { return }
                throw .notDirectory
            }
            guard error == .noSuchFileOrDirectory, let slash = path.lastIndex(of: UInt8(ascii: "/")), slash > 0
            else { throw error }
            try makeFolders(Array(path[..<slash]), mode: mode)
            do throws(Errno) { try makeFolder(path, mode: mode) } catch {
                // Another process may have been faster.
                if error != .fileExists { throw error }
            }
        }
    }

    /// Makes the root of a repository's part where it is missing, for its owner alone, and returns who may do what in
    /// it: what is made inside follows the root, so that a root that is shared on purpose stays shared.
    package static func makePrivateRoot(_ path: [UInt8]) throws(Errno) -> UInt32 {
        try makeFolders(path, mode: 0o700)
        return try Descriptor.status(path, following: true).mode & 0o777
    }

    package static func removeFile(_ name: [UInt8], in folder: Int32 = Descriptor.currentFolder) throws(Errno) {
        try check(withName(name) { cplatform_unlink_at(folder, $0, 0) })
    }

    package static func removeFolder(_ name: [UInt8], in folder: Int32 = Descriptor.currentFolder) throws(Errno) {
        try check(withName(name) { cplatform_unlink_at(folder, $0, 1) })
    }

    /// Renames, replacing the target.
    package static func rename(
        _ from: [UInt8], in fromFolder: Int32 = Descriptor.currentFolder, to: [UInt8],
        in toFolder: Int32 = Descriptor.currentFolder
    ) throws(Errno) {
        try check(withName(from) { from in withName(to) { cplatform_rename_at(fromFolder, from, toFolder, $0) } })
    }

    /// Renames; `EEXIST` where the target exists.
    package static func renameExclusively(
        _ from: [UInt8], in fromFolder: Int32 = Descriptor.currentFolder, to: [UInt8],
        in toFolder: Int32 = Descriptor.currentFolder
    ) throws(Errno) {
        try check(
            withName(from) { from in
                withName(to) { cplatform_rename_exclusive(fromFolder, from, toFolder, $0) }
            })
    }

    package static func makeHardLink(
        _ from: [UInt8], in fromFolder: Int32, to: [UInt8], in toFolder: Int32
    ) throws(Errno) {
        try check(withName(from) { from in withName(to) { cplatform_link_at(fromFolder, from, toFolder, $0) } })
    }

    package static func makeSymbolicLink(_ name: [UInt8], in folder: Int32, destination: [UInt8]) throws(Errno) {
        try check(withName(destination) { target in withName(name) { cplatform_symlink_at(target, folder, $0) } })
    }

    /// Where the symlink points to, as bytes.
    package static func destination(ofLink name: [UInt8], in folder: Int32) throws(Errno) -> [UInt8] {
        var capacity = 256
        while true {
            let bytes = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
                count = max(0, withName(name) { cplatform_readlink_at(folder, $0, buffer.baseAddress, capacity - 1) } + 1)
            }
            // The count is one more than the length, so that an error (-1) is an empty array.
            if bytes.isEmpty { throw Errno(rawValue: cplatform_errno()) }
            // A full buffer may hold only the beginning.
            if bytes.count < capacity { return Array(bytes.dropLast()) }
            capacity *= 4
        }
    }

    package static func setMode(_ mode: UInt32, of file: Descriptor) throws(Errno) {
        try check(cplatform_fchmod(file.raw, mode & 0o7777))
    }

    package static func setOwner(uid: UInt32, gid: UInt32, of file: Descriptor) throws(Errno) {
        try check(cplatform_fchown(file.raw, uid, gid))
    }

    package static func setOwner(uid: UInt32, gid: UInt32, ofName name: [UInt8], in folder: Int32) throws(Errno) {
        try check(withName(name) { cplatform_chown_at(folder, $0, uid, gid) })
    }

    package static func setModificationTime(_ nanoseconds: Int64, of file: Descriptor) throws(Errno) {
        try check(cplatform_set_mtime(file.raw, nanoseconds))
    }

    package static func setModificationTime(
        _ nanoseconds: Int64, ofName name: [UInt8], in folder: Int32
    ) throws(Errno) {
        try check(withName(name) { cplatform_set_mtime_at(folder, $0, nanoseconds) })
    }

    /// Everything written before to the file system that holds `folder` is durable when this returns.
    package static func syncFileSystem(of folder: Descriptor) throws(Errno) {
        try check(cplatform_sync_filesystem(folder.raw))
    }

    /// Whether `name` lies on a file system that is read-only now; permissions do not count.
    package static func isReadOnly(_ name: [UInt8], in folder: Int32 = Descriptor.currentFolder) -> Bool {
        withName(name) { cplatform_check_write_at(folder, $0) } != 0 && Errno(rawValue: cplatform_errno()) == .readOnlyFileSystem
    }

    /// Throws where this process may not write the file, or its file system is read-only. The file is not opened.
    package static func checkIsWritable(_ path: [UInt8]) throws(Errno) {
        try check(withName(path) { cplatform_check_write_at(Descriptor.currentFolder, $0) })
    }

    /// The absolute path, every symlink resolved; nil where it does not exist.
    package static func realPath(_ path: [UInt8]) -> [UInt8]? {
        guard let resolved = withName(path, { cplatform_realpath($0) }) else { return nil }
        defer { cplatform_free(resolved) }
        return Array(UnsafeRawBufferPointer(start: resolved, count: cplatform_strlen(resolved)))
    }

    private static func check(_ result: Int32) throws(Errno) {
        guard result == 0 else { throw Errno(rawValue: cplatform_errno()) }
    }
}
