import Foundation
import GRDB
import SnapcatCatalog
import SnapcatFormat
import SnapcatHeap
import SnapcatPlatform
import SnapcatStorage
import SystemPackage

/// One make, from lock to catalog.
struct MakeJob {
    private let repository: Repository
    private var root: FileRoot
    private let options: MakeOptions
    private let monitor: Monitor
    /// Those under which it runs.
    var locks: [RepositoryLock] = []
    /// Compressed nodes that are kept in memory until the companion is written; more are in a temporary file.
    static let mostNodeBytes = 4 << 20
    /// Before the run, as far as it had to look.
    private var heapWasEmpty = false

    init(_ repository: Repository, fileRoot: [UInt8], options: MakeOptions, monitor: Monitor) throws {
        self.repository = repository
        self.options = options
        self.monitor = monitor
        root = try FileRoot(fileRoot, repository: repository, monitor: monitor)
    }

    // MARK: Rehearsal

    /// A dry run: walks and compares, reads no content and writes nothing at all.
    func rehearse() throws -> MakeSummary {
        monitor.progress.begin("scanning")
        let before = try ParentSnapshot.newestReadable(repository.snapshots, monitor)
        var merge = try makeMerge(before, missing: [])
        var summary = MakeSummary()
        try merge.run { batch in
            for piece in batch.pieces {
                switch piece {
                case .unchanged(_, let size), .respelled(_, _, let size):
                    summary.files += 1
                    summary.bytes += size
                case .pending(let index):
                    let file = batch.pending[index]
                    summary.files += 1
                    summary.bytes += file.expectedSize
                    summary.readFiles += 1
                    summary.readBytes += file.expectedSize
                    if file.oldLine.isEmpty { summary.added += 1 } else { summary.changed += 1 }
                case .removed: summary.removed += 1
                case .node: summary.nodes += 1
                case .problem(let error, _):
                    summary.unreadable += 1
                    monitor.problem(error)
                }
            }
            return true
        }
        summary.excluded = merge.walk.excludedCount
        summary.leftovers = merge.walk.leftovers
        return summary
    }

    // MARK: The real thing

    mutating func run() throws -> MakeSummary {
        try repository.sync(monitor)
        // Only now: the sync may have swapped in a new one.
        let catalog = try repository.catalog(monitor)
        let sync = CatalogSync(catalog, repository.snapshots, monitor)
        let session = try openHeap(catalog)
        // Again, now that all parts of the repository exist: those in the file root are left out.
        root = try FileRoot(root.path, repository: repository, monitor: monitor)
        // What gc has taken away, and is named again, comes back as it is.
        let missing = try missingObjects(catalog).filter { try !session.takeFromTrash($0) }
        let name = try newName(catalog)
        return try ParentSnapshot.withNewest(catalog, repository.snapshots, monitor) { before in
            try scanAndPublish(name, before, missing, session, sync)
        }
    }

    /// The heap's session; what a dead run may have left half written is verified first.
    private func openHeap(_ catalog: Catalog) throws -> HeapSession {
        let heap = try repository.requireHeap()
        guard let local = heap.storage.base.local else {
            throw SnapcatError(.usage, "The heap root must be a local folder", heap.storage.place)
        }
        try refuseLostHeap(heap, catalog)
        let session = try HeapSession(heap, local, report: monitor.problem)
        // Before the first object, so that gc knows who may name it.
        if repository.snapshots.storage.base.local != nil { try KnownSnapRoots(heap)?.note(repository.snapshots.storage) }
        let now = repository.clock.nowNanoseconds
        _ = try session.verifyAfterCrash(now: now) { _ in try monitor.cancellation.check() }
        try session.sweepTemporaryFiles(now: now)
        return session
    }

    /// A heap whose disk is not mounted is not begun anew: what would be stored below its mount point is hidden later.
    private func refuseLostHeap(_ heap: Heap, _ catalog: Catalog) throws {
        // The snapshot before a restore may be empty, but belongs to the heap that the restore reads.
        if options.allowsEmpty && !options.savesAllOrNothing { return }
        guard let before = try catalog.read({ try CatalogSnapshots.all($0) }).last(where: { !$0.isDamaged && $0.files > 0 }),
            let buckets = try heap.bucketStatuses(), buckets.allSatisfy({ $0 == nil })
        else { return }
        throw SnapcatError(
            .failed, "No snapshot made", heap.storage.place,
            reason: "the heap is empty, and the snapshot before has \(before.files) files",
            advice: "is its disk mounted? give --allow-empty to begin it anew")
    }

    private mutating func missingObjects(_ catalog: Catalog) throws -> Set<MD5Digest> {
        guard options.storesMissing else { return [] }
        let heap = try repository.requireHeap()
        let (clock, cancellation) = (repository.clock, monitor.cancellation)
        let (missing, isEmpty) = try catalog.write { db in
            try HeapMembership.update(db, heap.buckets, now: clock.nowNanoseconds, cancellation: cancellation)
            return (try HeapMembership.missing(db), try HeapMembership.isEmpty(db))
        }
        heapWasEmpty = isEmpty
        return missing
    }

    /// The scan's start, or a microsecond after the newest snapshot where the clock is behind.
    private func newName(_ catalog: Catalog) throws -> SnapshotName {
        let now = repository.clock.nowNanoseconds / 1000
        let newest = try catalog.read { try CatalogSnapshots.all($0).last }
        guard let newest, newest.name.time.microseconds >= now else {
            return SnapshotName(time: SnapshotTime(microseconds: now))
        }
        guard newest.name.time.microseconds < SnapshotTime.nameable.upperBound.microseconds else {
            throw SnapcatError(
                .failed, "No snapshot can be made after", newest.name.stem, reason: "it has the last time there is",
                advice: "remove it: its time is not a real one")
        }
        if newest.name.time.microseconds - now > 1_000_000 {
            monitor.note("the clock is behind the newest snapshot (\(newest.name.time.iso8601)): the new one is named just after it")
        }
        return SnapshotName(time: SnapshotTime(microseconds: newest.name.time.microseconds + 1))
    }

    private func makeMerge(_ before: ParentSnapshot?, missing: Set<MD5Digest>) throws -> ScanMerge {
        try ParentSnapshot.merge(
            before, root: root, store: repository.snapshots, missing: missing, options: options, monitor: monitor)
    }

    private func scanAndPublish(
        _ name: SnapshotName, _ before: ParentSnapshot?, _ missing: Set<MD5Digest>, _ session: HeapSession, _ sync: CatalogSync
    ) throws -> MakeSummary {
        var facts = SnapshotFacts()
        facts.scanStartNanoseconds = repository.clock.fileClockNanoseconds
        facts.startedAt = SnapshotTime(microseconds: repository.clock.nowNanoseconds / 1000)
        monitor.progress.begin("snapshotting", files: before?.files)
        var merge = try makeMerge(before, missing: missing)
        facts.device = Int64(truncatingIfNeeded: merge.walk.device)
        let pipeline = ScanPipeline(options: options, session: session, monitor: monitor)
        let key = StorageKey(name.key)
        var result: BatchWriter?
        let spool = SpooledBytes(mostInMemory: Self.mostNodeBytes, overflowsIntoMemory: true)
        do {
            try writeSnapshot(key) { sink in
                let lines = try SnapshotWriter(into: sink, level: options.compression)
                let nodes = try CompanionWriter.NodeSpool(into: spool, level: options.compression)
                let writer = BatchWriter(snapshot: lines, nodes: nodes, notesChanges: before != nil, monitor: monitor)
                result = writer
                try pipeline.run(&merge, into: writer)
                try lines.finish()
                try nodes.finish()
                if let collision = writer.collision { throw collision }
                try refuseEmpty(writer, before)
                try refuseUnreadable(writer)
                // Its objects are another program's, which may have written them just now and made nothing durable.
                if let before, before.facts == nil { session.relyOnOthers() }
                try session.makeDurable()
                // Another machine may have taken them for stale, as after a long sleep: then gc may have taken objects away.
                for lock in locks { try lock.checkIsHeld() }
                if try !options.savesSnapshot || isUnchanged(writer, spool, before) { throw NotWanted() }
                complete(&facts, writer)
                try writeCompanion(key, facts, spool)
            }
        } catch is NotWanted {
            guard let result else { return MakeSummary() }
            return summary(result, merge, path: nil, name: nil)
        } catch {
            // What was stored is good: made durable, the next run need not look at it again.
            do { try session.makeDurable() } catch let second as SnapcatError { monitor.problem(second) }
            try removeCompanion(key)
            throw error
        }
        guard let result else { throw SnapcatError(.failed, "The scan ended early") }
        try index(name, key, sync, result, before)
        return summary(result, merge, path: repository.snapshots.displayPath(key), name: name)
    }

    /// Ends the writing of a snapshot that is not to be published.
    private struct NotWanted: Error {}

    private func writeSnapshot(_ key: StorageKey, _ body: (any ByteSink) throws -> Void) throws {
        if options.savesSnapshot { return try repository.snapshots.storage.write(key, .exclusive, body) }
        try body(NullSink())
    }

    private func writeCompanion(_ key: StorageKey, _ facts: SnapshotFacts, _ nodes: SpooledBytes) throws {
        let storage = repository.snapshots.storage
        try storage.write(repository.snapshots.companionKey(of: key), .replacing) { sink in
            try sink.write(try CompanionWriter.factsMember(facts, level: options.compression))
            try nodes.copy(to: sink)
        }
    }

    /// A companion without its snapshot is garbage.
    private func removeCompanion(_ key: StorageKey) throws {
        let companion = repository.snapshots.companionKey(of: key)
        guard try repository.snapshots.storage.status(of: key) == nil,
            try repository.snapshots.storage.status(of: companion) != nil
        else { return }
        try repository.snapshots.storage.delete(companion)
    }

    private func refuseEmpty(_ writer: BatchWriter, _ before: ParentSnapshot?) throws {
        guard writer.summary.files == 0, !options.allowsEmpty else { return }
        if writer.summary.unreadable > 0 {
            throw SnapcatError(
                .failed, "No snapshot made", TerminalText.lossy(root.path), reason: "none of its files could be read",
                advice: "check the permissions, or give --allow-empty")
        }
        if let before, before.files > 0 {
            throw SnapcatError(
                .failed, "No snapshot made", TerminalText.lossy(root.path),
                reason: "it is empty, and the snapshot before has \(before.files) files",
                advice: "is it mounted? give --allow-empty if it is meant to be empty")
        }
    }

    private func refuseUnreadable(_ writer: BatchWriter) throws {
        guard options.savesAllOrNothing, writer.summary.unreadable > 0 else { return }
        throw SnapcatError(
            .failed, "Not restored", TerminalText.lossy(root.path),
            reason: "\(writer.summary.unreadable) of its files could not be saved before",
            advice: "make them readable, or give --no-save-snapshot-before to overwrite them unsaved")
    }

    private func isUnchanged(_ writer: BatchWriter, _ nodes: SpooledBytes, _ before: ParentSnapshot?) throws -> Bool {
        guard options.skipsIfUnchanged, let before, let changes = writer.notedChanges, changes.isEmpty,
            writer.summary.unreadable == 0, writer.summary.unstable == 0
        else { return false }
        // The nodes too: line for line.
        guard let old = try repository.snapshots.usableCompanion(of: before.key, monitor.problem) else { return false }
        let new = LineReader(try GzipReader(nodes.source(), name: "companion"), name: "companion")
        while let line = try new.next() {
            guard try old.advance(), old.line.elementsEqual(line) else { return false }
        }
        return try !old.advance()
    }

    private func complete(_ facts: inout SnapshotFacts, _ writer: BatchWriter) {
        facts.host = ProcessInfo.processInfo.hostName
        facts.user = ProcessInfo.processInfo.userName
        facts.fileRoot = root.path
        facts.exclusions = options.scan.exclusions
        facts.tags = options.tags
        facts.note = options.note
        facts.tool = "snapcat \(SnapcatVersion.text)"
        facts.finishedAt = SnapshotTime(microseconds: repository.clock.nowNanoseconds / 1000)
        facts.files = writer.summary.files
        facts.bytes = writer.summary.bytes
        facts.nodes = writer.summary.nodes
        facts.unstable = writer.unstable
        facts.errors = writer.errors
        facts.omittedProblems = writer.omittedProblems
    }

    /// The snapshot is published: a catalog that cannot follow is a problem, not a failure.
    private func index(
        _ name: SnapshotName, _ key: StorageKey, _ sync: CatalogSync, _ writer: BatchWriter, _ before: ParentSnapshot?
    ) throws {
        do {
            if let before {
                if let item = try repository.snapshots.item(name, key) {
                    _ = try sync.index(item, noted: writer.notedChanges.map { ($0, before.name) })
                }
            } else {
                // Everything is new: the file itself is the better source.
                try repository.sync(monitor)
            }
            let heap = try repository.requireHeap()
            let catalog = try repository.catalog(monitor)
            try catalog.write { db in
                var notes = try StoredObjectNotes(db, in: heap.buckets)
                try writer.stored.forEachPart { try notes.add($0) }
                try notes.finish(isAll: heapWasEmpty && writer.stored.isComplete)
            }
            catalog.settle()
        } catch let error as SnapcatError where error.code != .interrupted {
            monitor.problem(error)
            monitor.note("the snapshot is published; the catalog follows at the next command")
        }
    }

    private func summary(_ writer: BatchWriter, _ merge: ScanMerge, path: String?, name: SnapshotName?) -> MakeSummary {
        var summary = writer.summary
        summary.excluded = merge.walk.excludedCount
        summary.leftovers = merge.walk.leftovers
        summary.path = path
        summary.snapshot = name
        summary.isUnchanged = writer.notedChanges?.isEmpty ?? false
        return summary
    }
}
