import SnapcatFormat
import SnapcatPlatform
import SnapcatStorage
import SystemPackage

/// Objects that were taken out of use: in `trash` of their heap until gc removes them.
///
/// One folder for each run of gc, named by its time: `trash/<time>/unused-<md5>.gz`. The name begins with no md5:
/// snapshooter takes every file of the heap whose name does for an object. Each step is one rename, so that an object
/// is at one of the two places whatever happens.
package struct HeapTrash: Sendable {
    private let heap: Heap
    private let local: LocalStorage

    /// nil for a heap that is not local.
    package init?(_ heap: Heap) {
        guard let local = heap.storage.base.local else { return nil }
        (self.heap, self.local) = (heap, local)
    }

    package struct Item: Sendable, Equatable {
        package var md5: MD5Digest
        /// When it was put here.
        package var since: SnapshotTime
        package var path: [UInt8]
    }

    private static let folder = Array("trash".utf8)
    private static let prefix = Array("unused-".utf8)

    private func openRoot() throws(SnapcatError) -> Descriptor {
        try withSystemError("Cannot open the heap", local.root) { () throws(Errno) in
            try Descriptor.open(local.root, [.read, .folder])
        }
    }

    /// All of them, by the time they were put here and by md5. Nothing where there is no trash.
    package func items() throws -> [Item] { try all(areFolders: false) }

    /// Folders with the names of objects: they are none, and stay.
    package func folders() throws -> [Item] { try all(areFolders: true) }

    private func all(areFolders: Bool) throws -> [Item] {
        guard FolderOperations.realPath(path([])) != nil else { return [] }
        var items: [Item] = []
        for (run, since) in try runs() {
            let folder = path(run)
            try withListingError(folder) {
                let descriptor = try Descriptor.open(folder, [.read, .folder])
                try FolderListing.forEach(in: descriptor) { name, kind in
                    guard name.count == Self.prefix.count + 35, name.starts(with: Self.prefix), name.suffix(3).elementsEqual(".gz".utf8),
                        let md5 = MD5Digest(hex: UnsafeRawBufferPointer(rebasing: name[Self.prefix.count..<Self.prefix.count + 32]))
                    else { return }
                    let known = try kind ?? Descriptor.statusIfPresent(Array(name), in: descriptor.raw)?.kind
                    guard (known == .directory) == areFolders else { return }
                    items.append(Item(md5: md5, since: since, path: Self.folder + slash + run + slash + Array(name)))
                }
            }
        }
        return items.sorted { ($0.since, $0.md5) < ($1.since, $1.md5) }
    }

    private var slash: [UInt8] { [UInt8(ascii: "/")] }
    private func path(_ run: [UInt8]) -> [UInt8] { local.root + slash + Self.folder + (run.isEmpty ? [] : slash + run) }

    private func runs() throws -> [(name: [UInt8], since: SnapshotTime)] {
        try withListingError(path([])) {
            try FolderListing.items(in: try Descriptor.open(path([]), [.read, .folder])).compactMap { item in
                SnapshotName(stem: TerminalText.lossy(item.name)).map { (item.name, $0.time) }
            }
        }
    }

    /// Puts objects here in one run of gc.
    package final class Run {
        private let root: Descriptor
        private let folder: [UInt8]
        private let since: SnapshotTime

        fileprivate init(_ root: Descriptor, _ folder: [UInt8], _ since: SnapshotTime) {
            (self.root, self.folder, self.since) = (root, folder, since)
        }

        /// nil where the object is no longer the file that was looked at: then it is left where it is.
        package func put(_ md5: MD5Digest, _ seen: FileStatus) throws -> Item? {
            let (from, to) = (HeapLayout.path(md5), folder + Array("/".utf8) + prefix + md5.hexBytes + Array(".gz".utf8))
            return try withSystemError("Cannot move the object", md5.hexBytes) { () throws(Errno) in
                do throws(Errno) {
                    try FolderOperations.renameExclusively(from, in: root.raw, to: to, in: root.raw)
                } catch {
                    if error == .noSuchFileOrDirectory { return nil }
                    throw error
                }
                let moved = try Descriptor.status(to, in: root.raw)
                if moved.inode == seen.inode && moved.mtimeNanoseconds == seen.mtimeNanoseconds {
                    return Item(md5: md5, since: since, path: to)
                }
                // Stored anew by a program that takes no locks, just before: it may be about to name it.
                do throws(Errno) {
                    try FolderOperations.renameExclusively(to, in: root.raw, to: from, in: root.raw)
                } catch {
                    if error != .fileExists { throw error }
                }
                return nil
            }
        }
    }

    /// Begins a run; its folder is made.
    package func begin(_ time: SnapshotTime) throws -> Run {
        let root = try openRoot()
        let access = try withSystemError("Cannot make the trash", local.root) { () throws(Errno) in
            try FolderOperations.makePrivateRoot(local.root)
        }
        var time = time
        while true {
            let name = Array(SnapshotName(time: time).stem.utf8)
            do throws(Errno) {
                try FolderOperations.makeFolders(path([]), mode: access)
                try FolderOperations.makeFolder(path(name), mode: access)
                return Run(root, Self.folder + slash + name, time)
            } catch {
                guard error == .fileExists else { throw SnapcatError.system("Cannot make the trash", path(name), error) }
                time = SnapshotTime(microseconds: time.microseconds + 1)
            }
        }
    }

    /// Moves an object back to its place. False where the heap has it again, or the item is gone.
    @discardableResult
    package func takeBack(_ item: Item) throws -> Bool {
        let root = try openRoot()
        let path = HeapLayout.path(item.md5)
        return try withSystemError("Cannot take back the object", item.md5.hexBytes) { () throws(Errno) in
            do throws(Errno) {
                try FolderOperations.renameExclusively(item.path, in: root.raw, to: path, in: root.raw)
            } catch {
                if error == .fileExists { return false }
                guard error == .noSuchFileOrDirectory else { throw error }
                if try Descriptor.statusIfPresent(item.path, in: root.raw) == nil { return false }
                // The bucket is missing.
                let access = try root.status().mode & 0o777
                try FolderOperations.makeFolders(local.root + slash + path[..<2], mode: access)
                try FolderOperations.renameExclusively(item.path, in: root.raw, to: path, in: root.raw)
            }
            return true
        }
    }

    /// The object's size in the heap, in bytes; nil where it is gone.
    package func storedBytes(_ item: Item) throws -> Int64? { try status(item)?.size }

    /// The object's file; nil where it is gone.
    package func status(_ item: Item) throws -> FileStatus? {
        try withSystemError("Cannot look at", item.path) { () throws(Errno) in
            try Descriptor.statusIfPresent(local.root + slash + item.path)
        }
    }

    /// Whether the item is a good object of its md5; one that the disk cannot read is none. Cost: reads it.
    package func isGood(_ item: Item) throws -> Bool {
        do {
            let name = "\(local.place)/\(TerminalText.lossy(item.path))"
            let source = HashingSource(try GzipReader(try heap.storage.source(StorageKey(item.path)), name: name))
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
            defer { buffer.deallocate() }
            while try source.read(into: buffer) > 0 {}
            return source.digest == item.md5
        } catch let error as SnapcatError where error.code == .damage || error.code == .notFound || error.meansUnreadable {
            return false
        }
    }

    /// For good.
    package func remove(_ item: Item) throws {
        try withSystemError("Cannot remove", item.path) { () throws(Errno) in
            do throws(Errno) { try FolderOperations.removeFile(local.root + slash + item.path) } catch {
                if error != .noSuchFileOrDirectory { throw error }
            }
        }
    }

    /// Removes the folders of runs in which nothing is left.
    package func removeEmptyRuns() throws {
        guard FolderOperations.realPath(path([])) != nil else { return }
        for (name, _) in try runs() {
            do throws(Errno) { try FolderOperations.removeFolder(path(name)) } catch {
                if error != .directoryNotEmpty && error != .fileExists && error != .noSuchFileOrDirectory {
                    throw SnapcatError.system("Cannot remove", path(name), error)
                }
            }
        }
    }

    /// Gives a run that was put here by a clock that was ahead the present time: its objects then wait once more.
    package func restamp(_ since: SnapshotTime, to time: SnapshotTime) throws {
        try withSystemError("Cannot rename", local.root) { () throws(Errno) in
            try FolderOperations.renameExclusively(
                path(Array(SnapshotName(time: since).stem.utf8)), to: path(Array(SnapshotName(time: time).stem.utf8)))
        }
    }
}
