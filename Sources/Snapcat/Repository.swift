import Foundation
import SnapcatCatalog
import SnapcatFormat
import SnapcatHeap
import SnapcatPlatform
import SnapcatStorage
import Synchronization
import SystemPackage

/// A snap root with its heap and its catalog: where snapshots are made, read, compared, restored and queried.
///
/// Nothing is opened before it is needed, and nothing is made before something is written. One repository may be
/// used from several tasks; operations that write take the repository's lock.
public final class Repository: Sendable {
    /// Where the parts of a repository are.
    public struct Places: Sendable {
        /// Of snapshots and their companions.
        public var snapRoot: any Storage
        /// Of the objects; nil where only snapshots are to be read.
        public var heapRoot: (any Storage)?
        /// The catalog's file; nil for a temporary catalog.
        public var catalog: [UInt8]?

        public init(snapRoot: any Storage, heapRoot: (any Storage)?, catalog: [UInt8]?) {
            self.snapRoot = snapRoot
            self.heapRoot = heapRoot
            self.catalog = catalog
        }

        /// The places of `--repo DIR`: `DIR/snap`, `DIR/heap` and `DIR/catalog.sqlite`.
        public static func folder(_ folder: String) -> Places {
            Places(
                snapRoot: LocalStorage(root: folder + "/snap"), heapRoot: LocalStorage(root: folder + "/heap"),
                catalog: Array((folder + "/catalog.sqlite").utf8))
        }
    }

    package let snapshots: SnapshotStore
    package let heap: Heap?
    package let catalogPath: [UInt8]?
    package let clock: any WallClock
    /// So long an operation that writes waits for the end of another one, in seconds.
    package let lockWaitSeconds: Double
    private let openCatalog = Mutex<Catalog?>(nil)

    /// `lockWaitSeconds`: so long an operation that writes waits until another process has ended, which holds the lock;
    /// then it throws `.locked`. 0: it does not wait.
    public init(_ places: Places, clock: any WallClock = SystemClock(), lockWaitSeconds: Double = 0) {
        snapshots = SnapshotStore(BlockingStorage(places.snapRoot))
        heap = places.heapRoot.map { Heap(storage: BlockingStorage($0)) }
        catalogPath = places.catalog
        self.clock = clock
        self.lockWaitSeconds = lockWaitSeconds
    }

    /// The repository in a local folder, as `--repo` names it.
    public convenience init(folder: String) { self.init(.folder(folder)) }

    /// The catalog, opened at the first call. Blocks.
    package func catalog(_ monitor: Monitor) throws -> Catalog {
        try openCatalog.withLock { open in
            if let open { return open }
            let catalog = try catalogPath.map { try Catalog.open(at: $0) } ?? Catalog.temporary()
            if !catalog.note.isEmpty { monitor.note(catalog.note) }
            open = catalog
            return catalog
        }
    }

    /// Forgets the open catalog, so that the next call opens (and where needed rebuilds) it.
    package func closeCatalog() { openCatalog.withLock { $0 = nil } }

    /// At the end of a process: its threads may still hold temporary catalogs, whose folders would stay.
    package static func removeTemporaryCatalogs() { Catalog.removeTemporaryFolders() }

    /// Runs `body`; where the catalog proves to be damaged, or cannot be written, `body` runs again with another one.
    package func withUsableCatalog<R>(_ monitor: Monitor, _ body: () throws -> R) throws -> R {
        // From the file to a new file, to a temporary one, to one in memory.
        for _ in 0..<3 {
            do { return try body() } catch let error as SnapcatError
                where error.code == .catalogDamage || error.code == .catalogUnwritable
            {
                try replaceCatalog(error, monitor)
            }
        }
        return try body()
    }

    private func replaceCatalog(_ error: SnapcatError, _ monitor: Monitor) throws {
        let (isFile, isInMemory) = openCatalog.withLock { open in
            (open.map { $0.path != nil } ?? (catalogPath != nil), open?.isInMemory ?? false)
        }
        if isInMemory { throw error }
        closeCatalog()
        if error.code == .catalogDamage, isFile, let catalogPath, try setAside(catalogPath, error, monitor) { return }
        let next = try isFile ? Catalog.temporary() : Catalog.inMemory()
        monitor.note("the catalog cannot be written (\(error.reason)); a temporary one serves")
        openCatalog.withLock { $0 = next }
    }

    /// Makes room for a new file. False where nothing can be written there.
    private func setAside(_ path: [UInt8], _ error: SnapcatError, _ monitor: Monitor) throws -> Bool {
        do {
            let aside = try Catalog.setAside(path)
            monitor.note("the catalog is damaged (\(error.reason)) and is built anew; the old file is '\(TerminalText.lossy(aside))'")
            return true
        } catch let error as Errno {
            if error.meansUnwritable { return false }
            throw SnapcatError.system("Cannot replace the catalog", path, error)
        }
    }

    package func requireHeap() throws -> Heap {
        guard let heap else {
            throw SnapcatError(.usage, "No heap root", advice: "give --repo or --heap-root")
        }
        return heap
    }

    /// Runs blocking work of this repository on a thread of its own.
    package func run<R: Sendable>(
        _ name: String, _ monitor: Monitor, _ body: @escaping @Sendable () throws -> R
    ) async throws -> R {
        try await WorkerThread.run(name, cancellation: monitor.cancellation, body)
    }
}

extension Heap {
    /// The heap as the catalog sees it.
    package var buckets: any BucketListing { HeapBuckets(heap: self) }
}

private struct HeapBuckets: BucketListing {
    let heap: Heap
    var place: String { heap.storage.place }
    func bucketStatuses() throws -> [FileStatus?]? { try heap.bucketStatuses() }
    func objects(inBucket bucket: Int) throws -> [MD5Digest] {
        try heap.objects(inBucket: bucket)
    }
    func storedBytes(_ md5: MD5Digest) throws -> Int64? {
        // One that the disk cannot even look at is found by whoever reads it.
        do { return try heap.storage.status(of: HeapLayout.key(md5))?.size } catch let error as SnapcatError where error.meansUnreadable {
            return nil
        }
    }
}

extension Repository {
    /// Throws `.noSnapshot` where the snap root is a local folder that does not exist: nothing is made by reading.
    public func requireExisting() throws {
        guard let local = snapshots.storage.base.local, FolderOperations.realPath(local.root) == nil else { return }
        throw SnapcatError(
            .noSnapshot, "No repository", local.place, reason: "the folder does not exist",
            advice: "'snapcat make' makes one")
    }

    /// The same for the heap: one that is not mounted must not be taken for an empty one.
    package func requireExistingHeap() throws {
        guard let local = heap?.storage.base.local, FolderOperations.realPath(local.root) == nil else { return }
        throw SnapcatError(
            .noSnapshot, "No heap", local.place, reason: "the folder does not exist", advice: "is its disk mounted?")
    }
}
