import SnapcatCatalog
import SnapcatFormat
import SnapcatHeap
import SnapcatPlatform
import SnapcatStorage

/// How damaged and missing objects are replaced.
public struct RepairOptions: Sendable {
    /// Folders that may hold the contents still, under the names that snapshots have for them; the file roots that
    /// the snapshots tell of themselves are looked into too, where they are on this machine.
    public var fileRoots: [String] = []
    /// Nothing is moved or written: what would be is told.
    public var isDryRun = false

    public init() {}
}

/// One step of a repair.
public struct RepairAction: Sendable, Equatable {
    public enum Kind: String, Sendable {
        /// A damaged object was moved to the heap's folder `damaged`.
        case quarantine
        /// The content was found, and is in the heap again.
        case restore
        /// Snapshots name the content, and it was found nowhere.
        case lost
    }

    public var kind: Kind
    public var md5: MD5Digest
    /// Where the content was found; of one that is damaged or lost, a name that a snapshot has for it.
    public var place: String
    public var message: String
}

public struct RepairSummary: Sendable, Equatable {
    public var snapshots: Int64 = 0
    /// Objects that were read.
    public var objects: Int64 = 0
    public var quarantined: Int64 = 0
    public var restored: Int64 = 0
    public var lost: Int64 = 0
}

extension Repository {
    /// Reads every object, moves those that are damaged out of the way, and brings their contents and the missing ones
    /// back: from the heap's trash, or from a live file with the same md5. All snap roots that the heap remembers count.
    ///
    /// What is damaged or missing is told by the files, read anew; the catalog is not asked. Nothing is deleted; but an
    /// object that the disk can read in none of several looks gives way to its content from a live file. One for which
    /// there is none, or that cannot be read for another reason than its bytes, is told to `monitor` and left alone, and
    /// so is a damaged snapshot. Makes may run meanwhile: their end is waited for (an hour, where the repository's
    /// `lockWaitSeconds` is 0) before anything is moved. Cost: reads all snapshots (twice where something is wrong) and
    /// the whole heap.
    public func repair(
        _ options: RepairOptions = RepairOptions(), monitor: Monitor = .silent,
        _ tell: @escaping @Sendable (RepairAction) throws -> Void
    ) async throws -> RepairSummary {
        try await run("snapcat-repair", monitor) { [self] in
            let heap = try requireHeap()
            guard let local = heap.storage.base.local else {
                throw SnapcatError(.usage, "The heap root must be a local folder", heap.storage.place)
            }
            guard FolderOperations.realPath(local.root) != nil else {
                throw SnapcatError(.noSnapshot, "No heap", local.place, reason: "the folder does not exist")
            }
            let stores = [snapshots] + (try otherSnapRoots(of: heap, monitor))
            let job = RepairJob(heap: heap, stores: stores, options: options, monitor: monitor, tell: tell)
            if options.isDryRun {
                return try job.examine() ? job.mend(nil) : job.summary
            }
            // Makes may go on while all is read: only what is found wrong is done alone, after another look.
            let started = SnapshotTime(microseconds: clock.nowNanoseconds / 1000)
            var lock = try lockHeap("repair", exclusive: false, monitor)
            defer { withExtendedLifetime(lock) {} }
            if try job.examine() {
                lock = nil
                lock = try lockToMend(heap, monitor)
                _ = try job.mend(HeapSession(heap, local))
            }
            try noteRepair(job, since: started, monitor)
            return job.summary
        }
    }

    /// What they need is to be had back as well. One that cannot be reached is told: the rest is repaired all the same.
    private func otherSnapRoots(of heap: Heap, _ monitor: Monitor) throws -> [SnapshotStore] {
        guard let known = KnownSnapRoots(heap) else { return [] }
        return try known.others(than: snapshots.storage).compactMap { root in
            if try KnownSnapRoots.isThere(root) && KnownSnapRoots.isItself(root) { return try KnownSnapRoots.open(root) }
            monitor.note("what a snap root of this heap needs is not looked for: it is missing: '\(TerminalText.lossy(root.place))'")
            return nil
        }
    }

    /// Hours of reading are not to be lost for a make that runs just then: its end is waited for, where nothing else was
    /// asked for.
    private func lockToMend(_ heap: Heap, _ monitor: Monitor) throws -> RepositoryLock? {
        let seconds = lockWaitSeconds > 0 ? lockWaitSeconds : 3600
        let request = RepositoryLock.Request(purpose: "repair", clock: clock, waitSeconds: seconds, monitor: monitor)
        return try RepositoryLock.ofHeap(heap.storage, exclusive: true, request)
    }

    /// The catalog follows: what the heap holds, and what reading it has shown.
    private func noteRepair(_ job: RepairJob, since started: SnapshotTime, _ monitor: Monitor) throws {
        let now = clock.nowNanoseconds
        try withUsableCatalog(monitor) {
            try sync(monitor)
            guard let heap else { return }
            try catalog(monitor).write { db in
                try HeapMembership.forget(db)
                try HeapMembership.update(db, heap.buckets, now: now, cancellation: monitor.cancellation)
                try HeapMembership.noteVerification(db, at: started, read: job.buckets, damaged: job.stillDamaged)
                try HeapMembership.noteNew(db, job.renewed)
            }
        }
    }
}

/// One repair.
final class RepairJob {
    private let heap: Heap
    /// Of all snap roots of the heap, as far as they can be reached.
    private let stores: [SnapshotStore]
    private let options: RepairOptions
    private let monitor: Monitor
    private let tell: (RepairAction) throws -> Void
    private(set) var summary = RepairSummary()
    private var snapshots: [StoredSnapshot] = []
    private var named = DigestSet()
    private var missing: [MD5Digest] = []
    private var damaged: [MD5Digest: SnapcatError] = [:]
    /// Objects that could not be read and not be proved bad either, with the reason.
    private(set) var stillDamaged: [MD5Digest: String] = [:]
    /// Objects that are in the heap again, and were not read since.
    private(set) var renewed: Set<MD5Digest> = []
    /// What was read.
    private(set) var buckets: [Int: BucketNames] = [:]

    init(
        heap: Heap, stores: [SnapshotStore], options: RepairOptions, monitor: Monitor,
        tell: @escaping (RepairAction) throws -> Void
    ) {
        (self.heap, self.stores, self.options, self.monitor, self.tell) = (heap, stores, options, monitor, tell)
    }

    /// Reads everything. True where something is wrong.
    func examine() throws -> Bool {
        for store in stores {
            let listing = try store.list()
            snapshots += listing.snapshots.map { StoredSnapshot(store: store, item: $0) }
            for key in listing.blocked { monitor.problem(store.problem(blocked: key)) }
        }
        snapshots.sort { $0.item.name < $1.item.name }
        monitor.progress.begin("reading snapshots", files: Int64(snapshots.count))
        named = try namedContents()
        let progress = WorkProgress()
        monitor.progress.begin("reading objects", countedBy: progress)
        let objects = HeapObjects(heap)
        let result = try CheckHeap(heap, objects, progress: progress, cancellation: monitor.cancellation).finish()
        (summary.objects, buckets) = (result.objects, objects.buckets)
        damaged = result.damaged
        missing = try named.all.filter { try damaged[$0] == nil && !heap.contains($0) }
        return !damaged.isEmpty || !missing.isEmpty
    }

    /// Without a session nothing is moved or written.
    func mend(_ session: HeapSession?) throws -> RepairSummary {
        // Others may have stored them meanwhile.
        var broken = try missing.filter { try !heap.contains($0) }
        var unreadable: [MD5Digest: SnapcatError] = [:]
        for (md5, error) in damaged.sorted(by: { $0.key < $1.key }) {
            try monitor.cancellation.check()
            switch try quarantine(md5, error, session) {
            case .left: break
            case .moved: if named.contains(md5) { broken.append(md5) }
            case .unreadable(let error): if named.contains(md5) { unreadable[md5] = error } else { leave(md5, error) }
            }
        }
        if !broken.isEmpty || !unreadable.isEmpty { try bringBack(broken, unreadable, session) }
        try session?.makeDurable()
        return summary
    }

    private func act(_ action: RepairAction) throws {
        switch action.kind {
        case .quarantine: summary.quarantined += 1
        case .restore:
            summary.restored += 1
            renewed.insert(action.md5)
        case .lost: summary.lost += 1
        }
        try tell(action)
    }

    private func namedContents() throws -> DigestSet {
        var named = DigestSet()
        for snapshot in snapshots {
            do {
                let entries = try snapshot.store.entries(snapshot.item.key)
                try ContentCensus.forEachContent(entries, monitor.cancellation) { named.insert($0) }
            } catch let error as SnapcatError where error.code == .damage {
                // The rest is repaired all the same.
                monitor.problem(error)
            } catch let error as SnapcatError where error.code == .notFound {
                if try !snapshot.store.isGone(snapshot.item) { throw error }
            }
            summary.snapshots += 1
            monitor.progress.add(files: 1)
        }
        named.compact()
        return named
    }

    /// What became of an object that could not be read, or was not what it must be, when all were read.
    private enum Fate {
        /// It is where it was: good after all, gone, or told.
        case left
        /// Out of the way.
        case moved
        /// The disk could not read it in both looks. It is where it was: the next look may prove it good.
        case unreadable(SnapcatError)
    }

    /// Reads an object once more, and moves it out of the way where that proves it to be bad.
    private func quarantine(_ md5: MD5Digest, _ found: SnapcatError, _ session: HeapSession?) throws -> Fate {
        // Other errors say nothing of the bytes: they are the permissions', most likely.
        guard found.code == .damage || found.meansUnreadable else {
            leave(md5, found)
            return .left
        }
        let (judged, problem): (FileStatus?, SnapcatError?)
        do {
            judged = try session?.fileStatus(of: md5)
            problem = try heap.problem(of: md5)
        } catch let error as SnapcatError where error.code != .interrupted {
            if error.meansUnreadable { return .unreadable(error) }
            leave(md5, error)
            return .left
        }
        if problem == nil, found.meansUnreadable {
            monitor.note("an object could be read at the second attempt only, its disk may be failing: \(heap.objectName(md5))")
        }
        guard let damage = problem, damage.code == .damage else { return .left }
        if let session, try !session.quarantine(md5, damage, judged: judged) { return .left }
        try act(RepairAction(kind: .quarantine, md5: md5, place: heap.objectName(md5), message: damage.message))
        return .moved
    }

    /// Tells of an object that stays as it is.
    private func leave(_ md5: MD5Digest, _ problem: SnapcatError) {
        stillDamaged[md5] = problem.message
        monitor.problem(problem)
    }

    /// `unreadable`: objects that are still in their places, with the reason; only a file's content replaces them.
    private func bringBack(_ broken: [MD5Digest], _ unreadable: [MD5Digest: SnapcatError], _ session: HeapSession?) throws {
        let trashed = Set(try HeapTrash(heap)?.items().map(\.md5) ?? [])
        var lost: Set<MD5Digest> = []
        for md5 in broken.sorted() {
            let isBack = try session.map { try $0.takeFromTrash(md5) } ?? trashed.contains(md5)
            if isBack {
                try act(RepairAction(kind: .restore, md5: md5, place: "trash", message: "it was in the heap's trash"))
            } else {
                lost.insert(md5)
            }
        }
        let wanted = lost.union(unreadable.keys)
        if wanted.isEmpty { return }
        let search = LiveFiles(roots: options.fileRoots.map { Array($0.utf8) }, monitor)
        for (md5, candidates) in try search.candidates(wanted, snapshots).sorted(by: { $0.key < $1.key }) {
            try monitor.cancellation.check()
            let problem = unreadable[md5]
            if let found = try search.find(md5, candidates, session) {
                // The disk has given it at last, and it is what the file has.
                if problem != nil && !found.isNew { continue }
                let message = problem == nil ? "a file has the content" : "a file has the content; the disk could not read the object"
                try act(RepairAction(kind: .restore, md5: md5, place: found.place, message: message))
            } else if let problem {
                leave(md5, problem)
            } else {
                let name = candidates.first.map { TerminalText.lossy($0.name) } ?? ""
                try act(RepairAction(kind: .lost, md5: md5, place: name, message: "no file that snapshots name has the content now"))
            }
        }
    }
}
