import GRDB
import SnapcatCatalog
import SnapcatFormat
import SnapcatHeap
import SnapcatPlatform
import SnapcatStorage

extension Repository {
    /// Looks at everything: every snapshot and companion is read, every object that a snapshot names must be in the
    /// heap, the catalog must say what the snapshots say. With `readsData` every object is read too, and its md5
    /// compared. Changes nothing but the catalog, which follows.
    ///
    /// Cost: each snapshot is read twice; with `readsData` the heap once, on all cores, meanwhile.
    public func check(
        readsData: Bool = false, monitor: Monitor = .silent, _ tell: @escaping @Sendable (CheckFinding) throws -> Void
    ) async throws -> CheckSummary {
        try await run("snapcat-check", monitor) { [self] in
            let job = CheckJob(self, monitor, tell)
            let progress = WorkProgress()
            let reading = readsData ? heap.map { CheckHeap($0, progress: progress, cancellation: monitor.cancellation) } : nil
            do {
                try job.checkSnapshots()
                try job.checkCatalog()
                if let heap {
                    try job.checkMembership(heap)
                    if let reading { try job.take(reading, of: heap, progress) }
                }
                return job.summary
            } catch {
                reading?.stop()
                do { _ = try reading?.finish() } catch {
                    // The first error counts.
                }
                throw error
            }
        }
    }
}

/// One check, part by part.
private final class CheckJob {
    private let repository: Repository
    private let monitor: Monitor
    private let tell: (CheckFinding) throws -> Void
    private let started: SnapshotTime
    private(set) var summary = CheckSummary()

    init(_ repository: Repository, _ monitor: Monitor, _ tell: @escaping (CheckFinding) throws -> Void) {
        self.repository = repository
        self.monitor = monitor
        self.tell = tell
        started = SnapshotTime(microseconds: repository.clock.nowNanoseconds / 1000)
    }

    private func report(_ finding: CheckFinding) throws {
        summary.count(finding)
        try tell(finding)
    }

    func checkSnapshots() throws {
        let store = repository.snapshots
        let listing = try store.list()
        monitor.progress.begin("reading snapshots", files: Int64(listing.snapshots.count))
        for (key, reason) in listing.ignored.sorted(by: { $0.key.bytes.lexicographicallyPrecedes($1.key.bytes) }) {
            try report(CheckFinding(.ignored, isDamage: false, place: store.displayPath(key), reason))
        }
        for item in listing.snapshots {
            try monitor.cancellation.check()
            let check = CheckSnapshot(store: store, item: item, cancellation: monitor.cancellation)
            summary.lines += try check.run { try report($0) }
            summary.snapshots += 1
            monitor.progress.add(files: 1)
        }
    }

    func checkCatalog() throws {
        // What the sync meets has been told already.
        var quiet = monitor
        quiet.problem = { _ in }
        _ = try repository.verifyBlocking(quiet) { [self] difference in
            let place = repository.catalogPath.map { TerminalText.lossy($0) } ?? "the catalog"
            let snapshot = difference.snapshot.map { "snapshot \($0.stem): " } ?? ""
            try report(
                CheckFinding(
                    .catalog, place: place, name: difference.name,
                    "\(snapshot)\(difference.message) ('snapcat catalog rebuild' mends it)"))
        }
    }

    /// Lists the whole heap, whatever its folders' stamps say.
    func checkMembership(_ heap: Heap) throws {
        let (clock, monitor) = (repository.clock, monitor)
        let (missing, orphans, objects) = try repository.catalog(monitor).write { db in
            try HeapMembership.forget(db)
            try HeapMembership.update(db, heap.buckets, now: clock.nowNanoseconds, cancellation: monitor.cancellation)
            return (try CatalogSnapshots.missingObjects(db), try CatalogSnapshots.orphans(db), try CatalogSnapshots.objectCount(db))
        }
        summary.objects = objects
        for object in missing {
            let message = "\(object.versions) versions name it; 'snapcat make' stores it again where a file still has it"
            try report(CheckFinding(.missing, place: heap.objectName(object.md5), name: EntryName(object.name), message))
        }
        if orphans > 0 {
            try report(CheckFinding(.orphan, isDamage: false, place: heap.storage.place, "\(orphans) objects that no snapshot names"))
        }
    }

    /// Waits for the objects, and tells what was found in them.
    func take(_ reading: CheckHeap, of heap: Heap, _ progress: WorkProgress) throws {
        monitor.progress.begin("reading objects", files: summary.objects, countedBy: progress)
        let result = try reading.finish()
        summary.objects = result.objects
        summary.readBytes = result.bytes
        for (md5, error) in result.damaged.sorted(by: { $0.key < $1.key }) {
            try report(CheckFinding(.object, place: heap.objectName(md5), error.message))
        }
        try repository.catalog(monitor).write { [started] db in
            try HeapMembership.noteVerification(
                db, at: started, read: result.buckets, damaged: result.damaged.mapValues { $0.message })
        }
    }
}
