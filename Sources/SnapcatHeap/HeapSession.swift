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
    private let report: @Sendable (SnapcatError) -> Void

    private struct Mark: Sendable {
        var name: [UInt8]
        var file: Descriptor
    }
    private let mark = Mutex<Mark?>(nil)
    /// What the trash held at the start, and has not been asked for yet.
    private let trash: Mutex<[MD5Digest: HeapTrash.Item]>

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
        let items = try HeapTrash(heap)?.items() ?? []
        trash = Mutex(Dictionary(items.map { ($0.md5, $0) }) { $1 })
    }

    /// Brings an object that the heap lacks back from the trash. False where it is not there, or is damaged.
    /// Cost: a look-up where the trash does not have it, else the object is read.
    package func takeFromTrash(_ md5: MD5Digest) throws -> Bool {
        guard let item = trash.withLock({ $0.removeValue(forKey: md5) }), let trash = HeapTrash(heap) else { return false }
        guard try trash.isGood(item) else { return false }
        try markUnfinished()
        return try trash.takeBack(item)
    }

    /// Called before the first object is written.
    func markUnfinished() throws {
        try mark.withLock { mark in
            guard mark == nil else { return }
            let name = Self.markPrefix + LocalSink.temporaryName().dropFirst(LocalSink.temporaryPrefix.count)
            let file = try withSystemError("Cannot write to the heap", rootPath) { () throws(Errno) in
                let file = try Descriptor.open(name, in: root.raw, [.write, .createNew], mode: access & 0o666)
                try file.sync()
                try root.sync()
                return file
            }
            _ = file.tryLock(exclusive: true)
            mark = Mark(name: name, file: file)
        }
    }

    /// Makes every object of this run durable. To be called before the snapshot is published.
    package func makeDurable() throws {
        try mark.withLock { mark in
            guard let current = mark else { return }
            try withSystemError("Cannot make the heap durable", rootPath) { () throws(Errno) in
                try FolderOperations.syncFileSystem(of: root)
                try FolderOperations.removeFile(current.name, in: root.raw)
            }
            mark = nil
        }
    }

    // A mark that is still there tells the next run: it must find it without an owner at once.
    deinit { mark.withLock { $0?.file.unlock() } }

    /// The earliest start of runs that died before their objects were durable, in nanoseconds; nil where none did.
    /// `removeMarks` ends them, after their objects have been verified.
    package func unfinishedRuns() throws -> (since: Int64, removeMarks: () throws -> Void)? {
        var earliest: Int64?
        var dead: [Mark] = []
        try withListingError(rootPath) {
            for item in try FolderListing.items(in: root) where item.name.starts(with: Self.markPrefix) {
                guard try Descriptor.statusIfPresent(item.name, in: root.raw)?.kind == .regular else { continue }
                let file = try Descriptor.open(item.name, in: root.raw, [.read, .noFollow, .nonBlocking])
                guard file.tryLock(exclusive: true) else { continue }
                earliest = min(earliest ?? .max, try file.status().mtimeNanoseconds)
                dead.append(Mark(name: item.name, file: file))
            }
        }
        guard let earliest else { return nil }
        let folder = root
        let marks = dead
        return (earliest, { for mark in marks { try FolderOperations.removeFile(mark.name, in: folder.raw) } })
    }

    /// Verifies the objects that dead runs may have left half written, and moves bad ones out of the way.
    ///
    /// An object is only moved after its content, read anew, has proved to be wrong. Returns what was moved.
    package func verifyAfterCrash(progress: (MD5Digest) throws -> Void) throws -> [SnapcatError] {
        guard let unfinished = try unfinishedRuns() else { return [] }
        // Stamps may be a clock tick behind the mark's.
        let since = unfinished.since - 2_000_000_000
        var problems: [SnapcatError] = []
        for bucket in 0..<256 {
            for md5 in try heap.objects(inBucket: bucket) {
                let path = HeapLayout.path(md5)
                let status = try withSystemError("Cannot look at", path) { () throws(Errno) in
                    try Descriptor.statusIfPresent(path, in: root.raw)
                }
                guard let status, status.ctimeNanoseconds >= since else { continue }
                try progress(md5)
                if let problem = try heap.problem(of: md5), problem.code == .damage {
                    try quarantine(md5, problem)
                    problems.append(problem)
                }
            }
        }
        try withListingError(rootPath) { try unfinished.removeMarks() }
        return problems
    }

    /// Moves an object, proved to be bad, to the heap's `damaged` folder: nothing is deleted.
    package func quarantine(_ md5: MD5Digest, _ problem: SnapcatError) throws {
        let folder = Array("damaged".utf8)
        let target = folder + [UInt8(ascii: "/")] + md5.hexBytes + LocalSink.temporaryName().dropFirst(12)
        try withSystemError("Cannot move the damaged object", md5.hexBytes) { () throws(Errno) in
            do throws(Errno) { try FolderOperations.makeFolder(folder, in: root.raw, mode: access) } catch {
                if error != .fileExists { throw error }
            }
            try FolderOperations.rename(HeapLayout.path(md5), in: root.raw, to: target, in: root.raw)
        }
        var moved = problem
        moved.advice = "moved to the heap's folder 'damaged'"
        report(moved)
    }

    /// Removes files in `temp`, and temporary ones beside it, that no living run can own: older than that by the file
    /// system's own stamps.
    package func sweepTemporaryFiles(olderThanNanoseconds age: Int64, now: Int64) throws {
        try withListingError(rootPath) {
            for (folder, isTemporary) in [(temporary, { _ in true }), (root, { LocalSink.isTemporary($0) })] as [(Descriptor, ([UInt8]) -> Bool)] {
                for item in try FolderListing.items(in: folder) where isTemporary(item.name) {
                    guard let status = try Descriptor.statusIfPresent(item.name, in: folder.raw),
                        status.kind == .regular, now - max(status.mtimeNanoseconds, status.ctimeNanoseconds) > age
                    else { continue }
                    try FolderOperations.removeFile(item.name, in: folder.raw)
                }
            }
        }
    }
}
