import SnapcatFormat
import SnapcatPlatform
import SnapcatStorage
import Synchronization
import SystemPackage

/// One run that adds objects to a local heap: open folders, and the mark of a run that is not durable yet.
///
/// No object is made durable by itself. The run leaves a mark in the heap, locked while it lives; `makeDurable`
/// syncs the file system once and removes the mark. A mark without a living owner tells the next run which
/// objects it has to verify (PERFORMANCE.md, RELIABILITY.md).
package final class HeapSession: Sendable {
    package let heap: Heap
    let root: Descriptor
    let temporary: Descriptor
    /// Who may do what in the heap: what is made in it follows.
    let access: UInt32
    private let rootPath: [UInt8]
    /// Gets every object that is moved out of the way.
    let report: @Sendable (SnapcatError) -> Void

    private struct Mark: Sendable {
        var name: [UInt8]
        var file: Descriptor
    }
    private let mark = Mutex<Mark?>(nil)
    private let reliesOnOthers = Atomic(false)
    /// What the trash held when it was first asked, and has not been asked for yet; nil before.
    private let trash = Mutex<[MD5Digest: [HeapTrash.Item]]?>(nil)

    private static let longestRunNanoseconds: Int64 = 86_400_000_000_000
    private static let markPrefix = Array(".unfinished-run-".utf8)

    /// Makes the heap's folders where they are missing.
    package init(
        _ heap: Heap, _ local: LocalStorage, report: @escaping @Sendable (SnapcatError) -> Void = { _ in }
    ) throws {
        self.heap = heap
        self.report = report
        rootPath = local.root
        let temporaryPath = local.root + Array("/temp".utf8)
        let rootPath = rootPath
        let access = try withSystemError("Cannot make the heap", temporaryPath) { () throws(Errno) in
            let access = try FolderOperations.makePrivateRoot(rootPath)
            try FolderOperations.makeFolders(temporaryPath, mode: access)
            return access
        }
        self.access = access
        root = try withSystemError("Cannot open the heap", rootPath) { () throws(Errno) in
            try Descriptor.open(rootPath, [.read, .folder])
        }
        temporary = try withSystemError("Cannot open the heap", temporaryPath) { () throws(Errno) in
            // It is swept of old files: never another folder.
            try Descriptor.open(temporaryPath, [.read, .folder, .noFollow])
        }
    }

    /// Brings an object that the heap lacks back from the trash. False where it is not there, or is damaged.
    /// Cost: a look-up where the trash does not have it, else the object is read. The first call lists the trash.
    package func takeFromTrash(_ md5: MD5Digest) throws -> Bool {
        guard let trash = HeapTrash(heap) else { return false }
        let copies = try self.trash.withLock { items in
            var known = try items ?? Dictionary(grouping: trash.items(), by: \.md5)
            // Not to be copied.
            items = nil
            defer { items = known }
            return known.removeValue(forKey: md5)
        }
        // The newest first. One that is damaged does not stand for those before.
        for item in (copies ?? []).reversed() where try trash.isGood(item) {
            try markUnfinished()
            if try trash.takeBack(item) { return true }
        }
        return false
    }

    /// Called before the first object is written.
    func markUnfinished() throws {
        try mark.withLock { mark in
            guard mark == nil else { return }
            mark = try withSystemError("Cannot write to the heap", rootPath) { () throws(Errno) in
                let mark = try makeMark()
                try mark.file.sync()
                try root.sync()
                return mark
            }
        }
    }

    private func makeMark() throws(Errno) -> Mark {
        while true {
            let name = Self.markPrefix + LocalSink.temporaryName().dropFirst(LocalSink.temporaryPrefix.count)
            let file = try Descriptor.open(name, in: root.raw, [.write, .createNew], mode: access & 0o666)
            // Held: another run has found it in this very moment, takes it for a dead one's and removes it.
            if file.lock(exclusive: true) != .held { return Mark(name: name, file: file) }
        }
    }

    /// An object that was there already serves: another run may have written it just now, and not be durable yet.
    package func relyOnOthers() { reliesOnOthers.store(true, ordering: .relaxed) }

    /// Makes every object that this run has stored or found durable. To be called before the snapshot is published.
    package func makeDurable() throws {
        try mark.withLock { mark in
            guard mark != nil || reliesOnOthers.load(ordering: .relaxed) else { return }
            try withSystemError("Cannot make the heap durable", rootPath) { () throws(Errno) in
                try FolderOperations.syncFileSystem(of: root)
                if let mark { try Self.remove(mark, in: root) }
            }
            mark = nil
        }
    }

    /// Where locks are unknown another run may have removed it.
    private static func remove(_ mark: Mark, in folder: Descriptor) throws(Errno) {
        do throws(Errno) { try FolderOperations.removeFile(mark.name, in: folder.raw) } catch {
            if error != .noSuchFileOrDirectory { throw error }
        }
    }

    // A mark that is still there tells the next run: it must find it without an owner at once.
    deinit { mark.withLock { $0?.file.unlock() } }

    /// The earliest start of runs that died before their objects were durable, in nanoseconds; nil where none did.
    /// `removeMarks` ends them, after their objects have been verified.
    package func unfinishedRuns(now: Int64) throws -> (since: Int64, removeMarks: () throws -> Void)? {
        var earliest: Int64?
        var dead: [Mark] = []
        try withListingError(rootPath) {
            for item in try FolderListing.items(in: root) where item.name.starts(with: Self.markPrefix) {
                guard try Descriptor.statusIfPresent(item.name, in: root.raw)?.kind == .regular else { continue }
                // For writing: NFS gives no exclusive lock otherwise.
                let file = try Descriptor.open(item.name, in: root.raw, [.readWrite, .noFollow, .nonBlocking])
                let began = try file.status().mtimeNanoseconds
                switch file.lock(exclusive: true) {
                case .taken: break
                case .held: continue
                // Nobody can tell whether it lives: a run that does loses nothing where its objects are verified.
                case .unsupported: if now - began < Self.longestRunNanoseconds { continue }
                }
                earliest = min(earliest ?? .max, began)
                dead.append(Mark(name: item.name, file: file))
            }
        }
        guard let earliest else { return nil }
        let folder = root
        let marks = dead
        return (earliest, { for mark in marks { try Self.remove(mark, in: folder) } })
    }

    /// Verifies the objects that dead runs may have left half written, and moves bad ones out of the way.
    ///
    /// An object is only moved after its content, read anew, has proved to be wrong. One that the disk cannot read is
    /// reported, and the marks stay: a later run looks again. Returns what was moved.
    package func verifyAfterCrash(now: Int64, progress: (MD5Digest) throws -> Void) throws -> [SnapcatError] {
        guard let unfinished = try unfinishedRuns(now: now) else { return [] }
        // Stamps may be a clock tick behind the mark's.
        let since = unfinished.since - 2_000_000_000
        var problems: [SnapcatError] = []
        var areAllRead = true
        for bucket in 0..<256 {
            for md5 in try heap.objects(inBucket: bucket) {
                let (judged, found): (FileStatus, SnapcatError?)
                do {
                    guard let status = try fileStatus(of: md5), status.ctimeNanoseconds >= since else { continue }
                    try progress(md5)
                    judged = status
                    found = try heap.problem(of: md5)
                } catch var error as SnapcatError where error.meansUnreadable {
                    // One bad sector must not end every run from here on.
                    areAllRead = false
                    error.advice = "'snapcat repair' stores it anew where a file still has its content"
                    report(error)
                    continue
                }
                if let found, found.code == .damage, try quarantine(md5, found, judged: judged) { problems.append(found) }
            }
        }
        // They may have been read from memory, and are no run's own from here on.
        try withSystemError("Cannot make the heap durable", rootPath) { () throws(Errno) in
            try FolderOperations.syncFileSystem(of: root)
        }
        if areAllRead { try withListingError(rootPath) { try unfinished.removeMarks() } }
        return problems
    }

    /// Of an object's file, a link's own where it is one; nil where there is none.
    package func fileStatus(of md5: MD5Digest) throws -> FileStatus? {
        let path = HeapLayout.path(md5)
        return try withSystemError("Cannot look at", path) { () throws(Errno) in
            try Descriptor.statusIfPresent(path, in: root.raw)
        }
    }

    /// Moves an object, proved to be bad, to the heap's `damaged` folder: nothing is deleted.
    ///
    /// `judged`: the file as it was before it was read, nil where it could not be looked at. False where another run has
    /// moved it, or put a good one in its place, meanwhile.
    @discardableResult
    package func quarantine(_ md5: MD5Digest, _ problem: SnapcatError, judged: FileStatus?) throws -> Bool {
        let folder = Array("damaged".utf8)
        let path = HeapLayout.path(md5)
        let target = folder + [UInt8(ascii: "/")] + md5.hexBytes + LocalSink.temporaryName().dropFirst(12)
        let isMoved = try withSystemError("Cannot move the damaged object", md5.hexBytes) { () throws(Errno) in
            do throws(Errno) { try FolderOperations.makeFolder(folder, in: root.raw, mode: access) } catch {
                if error != .fileExists { throw error }
            }
            do throws(Errno) { try FolderOperations.rename(path, in: root.raw, to: target, in: root.raw) } catch {
                if error == .noSuchFileOrDirectory { return false }
                throw error
            }
            guard let judged, try Descriptor.status(target, in: root.raw).inode != judged.inode else { return true }
            do throws(Errno) { try FolderOperations.renameExclusively(target, in: root.raw, to: path, in: root.raw) } catch {
                if error != .fileExists { throw error }
            }
            return false
        }
        guard isMoved else { return false }
        var moved = problem
        moved.advice = "moved to the heap's folder 'damaged'"
        report(moved)
        return true
    }

    /// Removes files in `temp`, and temporary ones beside it, that no living run can own: older than a day by the file
    /// system's own stamps.
    package func sweepTemporaryFiles(now: Int64) throws {
        try withListingError(rootPath) {
            for (folder, isTemporary) in [(temporary, { _ in true }), (root, { LocalSink.isTemporary($0) })] as [(Descriptor, ([UInt8]) -> Bool)] {
                for item in try FolderListing.items(in: folder) where isTemporary(item.name) {
                    guard let status = try Descriptor.statusIfPresent(item.name, in: folder.raw),
                        status.kind == .regular, now - max(status.mtimeNanoseconds, status.ctimeNanoseconds) > Self.longestRunNanoseconds
                    else { continue }
                    try FolderOperations.removeFile(item.name, in: folder.raw)
                }
            }
        }
    }
}
