import GRDB
import SnapcatCatalog
import SnapcatFormat
import SnapcatHeap
import SnapcatPlatform
import SnapcatStorage

/// One check, part by part.
final class CheckJob {
    private let repository: Repository
    private let monitor: Monitor
    private let tell: (CheckFinding) throws -> Void
    private let started: SnapshotTime
    private var toldMissing: Set<MD5Digest> = []
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

    /// What the sync meets has been told already.
    private var quiet: Monitor {
        var quiet = monitor
        quiet.problem = { _ in }
        return quiet
    }

    /// Snapshots, companions, the catalog, and that there is an object for each content.
    func checkAllButObjects() throws {
        try checkSnapshots()
        try checkCatalog()
        if let heap = repository.heap {
            try checkMembership(heap)
        } else {
            monitor.note("no heap root is given: objects are not looked at")
        }
    }

    private func checkSnapshots() throws {
        let store = repository.snapshots
        let listing = try store.list()
        monitor.progress.begin("reading snapshots", files: Int64(listing.snapshots.count))
        for (key, reason) in listing.ignored.sorted(by: { $0.key.bytes.lexicographicallyPrecedes($1.key.bytes) }) {
            try report(CheckFinding(.ignored, isDamage: false, place: store.displayPath(key), reason))
        }
        for key in listing.blocked {
            let problem = store.problem(blocked: key)
            try report(CheckFinding(.snapshot, place: problem.subject, "\(problem.message) (\(problem.advice))"))
        }
        for item in listing.snapshots {
            try monitor.cancellation.check()
            let check = CheckSnapshot(store: store, item: item, cancellation: monitor.cancellation)
            summary.lines += try check.run { try report($0) }
            summary.snapshots += 1
            monitor.progress.add(files: 1)
        }
    }

    private func checkCatalog() throws {
        _ = try repository.verifyBlocking(quiet) { [self] difference in
            let place = repository.catalogPath.map { TerminalText.lossy($0) } ?? "the catalog"
            let snapshot = difference.snapshot.map { "snapshot \($0.stem): " } ?? ""
            try report(
                CheckFinding(
                    .catalog, place: place, name: difference.name,
                    "\(snapshot)\(difference.message) ('snapcat catalog rebuild' mends it)"))
        }
    }

    private func checkMembership(_ heap: Heap) throws {
        let membership = try membership(heap)
        summary.objects = membership.objects
        try report(membership.missing, of: heap)
        if membership.orphans > 0 {
            try report(CheckFinding(.orphan, isDamage: false, place: heap.storage.place, "\(membership.orphans) objects that no snapshot names"))
        }
    }

    private func report(_ missing: [Missing], of heap: Heap) throws {
        for object in missing where toldMissing.insert(object.md5).inserted {
            let message = "\(object.versions) versions name it; 'snapcat make' stores it again where a file still has it"
            try report(CheckFinding(.missing, place: heap.objectName(object.md5), name: EntryName(object.name), message))
        }
    }

    // MARK: Membership

    private typealias Missing = (md5: MD5Digest, name: [UInt8], versions: Int64)

    private struct Membership {
        var missing: [Missing]
        var orphans: Int64
        var objects: Int64
    }

    /// Where others forget and collect all the time, the last of so many looks counts.
    private static let mostLooks = 10

    /// Lists the whole heap, whatever its folders' stamps say.
    ///
    /// An object is missing where a snapshot that was there before it was looked for is there afterwards too: what is
    /// forgotten and collected meanwhile is no loss.
    private func membership(_ heap: Heap) throws -> Membership {
        var isAnother = false
        return try repository.withUsableCatalog(monitor) {
            if isAnother { try repository.sync(quiet) }
            isAnother = true
            var look = 0
            while true {
                look += 1
                let (known, found) = try listHeap(heap)
                if found.missing.isEmpty { return found }
                var settled = found
                // What makes meanwhile have stored, or gc has taken out of its trash.
                settled.missing = try found.missing.filter { try !heap.contains($0.md5) }
                try repository.sync(quiet)
                let now = try repository.catalog(monitor).read { try CatalogSnapshots.all($0) }
                if now == known || look == Self.mostLooks { return settled }
            }
        }
    }

    private func listHeap(_ heap: Heap) throws -> ([IndexedSnapshot], Membership) {
        let (clock, monitor) = (repository.clock, monitor)
        return try repository.catalog(monitor).write { db in
            try HeapMembership.forget(db)
            try HeapMembership.update(db, heap.buckets, now: clock.nowNanoseconds, cancellation: monitor.cancellation)
            let membership = Membership(
                missing: try CatalogSnapshots.missingObjects(db), orphans: try CatalogSnapshots.orphans(db),
                objects: try CatalogSnapshots.objectCount(db))
            return (try CatalogSnapshots.all(db), membership)
        }
    }

    // MARK: Objects

    /// Waits for all objects, and tells what was found in them.
    func take(_ reading: CheckHeap, of heap: Heap, _ objects: HeapObjects, _ progress: WorkProgress) throws {
        monitor.progress.begin("reading objects", files: summary.objects, countedBy: progress)
        let damaged = try take(reading, of: heap)
        summary.objects = summary.readObjects
        try note { [started] db in
            try HeapMembership.noteVerification(db, at: started, read: objects.buckets, damaged: damaged)
        }
    }

    /// The catalog is derived: what cannot be noted in it has been told, and is looked at again by the next check.
    private func note(_ body: (Database) throws -> Void) throws {
        do { try repository.catalog(monitor).write(body) } catch let error as SnapcatError where error.code != .interrupted {
            monitor.note("what was read cannot be noted: \(error.description)")
        }
    }

    /// What `bounds` chooses. The catalog must be up to date.
    func dueObjects(_ bounds: ReadingBounds, of heap: Heap, _ progress: WorkProgress) throws -> DueObjects {
        let due = try DueObjects(repository, heap, bounds, now: started, monitor)
        monitor.progress.begin("reading objects", files: due.plan.objects, countedBy: progress)
        return due
    }

    /// Waits for the due objects, and tells what was found in them.
    func take(_ reading: CheckHeap, of heap: Heap, _ due: DueObjects) throws {
        let damaged = try take(reading, of: heap)
        (summary.readStoredBytes, summary.unread) = (due.readStoredBytes, due.unread)
        if let unread = summary.unread, unread.tooLarge > 0 {
            let message = "\(unread.tooLarge) objects are larger than the budget and are not read by any check that has it"
            try report(CheckFinding(.unread, isDamage: false, place: heap.storage.place, message))
        }
        // A check that has no room for known damage must not sound as if there were none.
        for md5 in due.unreadDamage where try isThere(md5, in: heap) {
            try report(CheckFinding(.object, place: heap.objectName(md5), "it was damaged when it was last read, and was not read now"))
        }
        if !damaged.isEmpty { try note { try HeapMembership.noteDamage($0, damaged) } }
    }

    /// False where it was collected meanwhile. What the disk cannot even look at is there.
    private func isThere(_ md5: MD5Digest, in heap: Heap) throws -> Bool {
        do { return try heap.storage.isOccupied(HeapLayout.key(md5)) } catch let error as SnapcatError where error.meansUnreadable {
            return true
        }
    }

    /// Returns what is damaged, with the reason.
    private func take(_ reading: CheckHeap, of heap: Heap) throws -> [MD5Digest: String] {
        let result = try reading.finish()
        (summary.readObjects, summary.readBytes) = (result.objects, result.bytes)
        var damaged: [MD5Digest: String] = [:]
        var vanished: Set<MD5Digest> = []
        for (md5, error) in result.damaged.sorted(by: { $0.key < $1.key }) {
            guard let problem = try problem(error, of: md5, in: heap) else { continue }
            if problem.code == .notFound {
                vanished.insert(md5)
            } else {
                damaged[md5] = problem.message
                try report(CheckFinding(.object, place: heap.objectName(md5), problem.message))
            }
        }
        // Collected since they were listed, most likely; else snapshots miss them now.
        if !vanished.isEmpty { try report(membership(heap).missing.filter { vanished.contains($0.md5) }, of: heap) }
        return damaged
    }

    /// Another look at an object: it may have been repaired, or collected, while it was read. nil where it is good.
    private func problem(_ found: SnapcatError, of md5: MD5Digest, in heap: Heap) throws -> SnapcatError? {
        try monitor.cancellation.check()
        guard found.code == .damage || found.code == .notFound else { return found }
        do { return try heap.problem(of: md5) } catch let error as SnapcatError where error.code != .interrupted { return error }
    }
}
