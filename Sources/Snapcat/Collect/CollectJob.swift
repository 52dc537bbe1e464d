import SnapcatFormat
import SnapcatHeap
import SnapcatPlatform
import SnapcatStorage
import SystemPackage

/// One collection, step by step. Whatever step it ends after, each object is in the heap or in the trash, and none that
/// a snapshot names has been removed.
final class CollectJob {
    private let heap: Heap
    private let trash: HeapTrash
    private let roots: CollectRoots
    private var stores: [SnapshotStore] = []
    private let takeLock: () throws -> RepositoryLock?
    private var lock: RepositoryLock?
    private let clock: any WallClock
    private let options: CollectOptions
    private let monitor: Monitor
    private let tell: (CollectAction) throws -> Void
    private let census: ContentCensus
    /// The earlier of the machine's clock and the one that stamps the heap's files, in nanoseconds: ages are never
    /// told too high by one of them alone.
    private var now: Int64 = 0
    private var summary = CollectSummary()
    /// For tests: what another program does at the worst moment.
    var afterMoving: () throws -> Void = {}

    init(
        heap: Heap, trash: HeapTrash, roots: CollectRoots, clock: any WallClock, options: CollectOptions,
        monitor: Monitor, takeLock: @escaping () throws -> RepositoryLock?,
        tell: @escaping (CollectAction) throws -> Void
    ) {
        (self.heap, self.trash, self.roots, self.clock) = (heap, trash, roots, clock)
        (self.options, self.monitor, self.takeLock, self.tell) = (options, monitor, takeLock, tell)
        census = ContentCensus([], monitor.cancellation)
    }

    private var time: SnapshotTime { SnapshotTime(microseconds: now / 1000) }
    private var restamped: Int64 = 0
    /// When this run has put objects into the trash; nil where it has not.
    private var ownSince: SnapshotTime?
    private var takesAll: Bool { options.graceMicroseconds == 0 }

    func run() throws -> CollectSummary {
        try findRoots()
        monitor.progress.begin("reading snapshots", files: Int64(try stores.reduce(0) { try $0 + $1.list().snapshots.count }))
        // Most of the work, while others may make snapshots; under the lock only what is new is read.
        _ = try readSnapshots()
        lock = try takeLock()
        defer { lock = nil }
        // From here on no make can begin with another snap root, or end.
        try findRoots()
        now = min(clock.nowNanoseconds, lock?.takenNanoseconds ?? .max)
        let named = try readSnapshots()
        try refuseEmpty()
        try refuseByAge()
        if !options.isDryRun { try roots.remember() }
        try bringBack(named)
        try moveUnused(named)
        try afterMoving()
        // What was published meanwhile, by a program that takes no locks.
        let namedNow = try readSnapshots()
        // A dry run has moved nothing, and told the same further up.
        if !options.isDryRun { try bringBack(namedNow) }
        let remembered = try removeForgottenSnapshots()
        try removeOld { namedNow.contains($0) || remembered.contains($0) }
        if !options.isDryRun { try trash.removeEmptyRuns() }
        summary.snapshots = census.snapshots
        summary.contents = Int64(namedNow.count)
        return summary
    }

    private func act(_ action: CollectAction) throws {
        summary.count(action)
        try tell(action)
    }

    // MARK: What is named

    private func findRoots() throws {
        stores = try roots.stores()
        census.stores = stores
    }

    private func readSnapshots() throws -> DigestSet {
        do { return try census.named { monitor.progress.add(files: $0) } } catch var error as SnapcatError
            where error.code == .damage
        {
            error.what = "Nothing is collected"
            if error.advice.isEmpty {
                error.reason = "what this snapshot needs is not known: \(error.reason)"
                error.advice = "restore the file from elsewhere, or forget it by its name"
            }
            throw error
        }
    }

    private func refuseEmpty() throws {
        if options.allowsEmpty { return }
        for store in stores where try store.list().snapshots.isEmpty {
            throw SnapcatError(
                .failed, "Nothing is collected", store.storage.place, reason: "there is no snapshot in this snap root",
                advice: "is it mounted? give --allow-empty if it is meant to be empty")
        }
    }

    private func refuseByAge() throws {
        guard !takesAll, let newest = census.newest, newest.time.microseconds > now / 1000 + 1_000_000 else { return }
        throw SnapcatError(
            .failed, "Nothing is collected", newest.stem,
            reason: "the clock is behind this snapshot, so that ages cannot be told",
            advice: "set the clock; or forget that snapshot, if its time is wrong")
    }

    // MARK: Steps

    private func bringBack(_ named: DigestSet) throws {
        for item in try trash.items() where named.contains(item.md5) {
            try monitor.cancellation.check()
            if try heap.storage.isOccupied(HeapLayout.key(item.md5)) { continue }
            let bytes = try trash.storedBytes(item)
            if try !options.isDryRun && !trash.takeBack(item) { continue }
            try act(
                CollectAction(
                    kind: .restore, subject: .object, name: item.md5.description, storedBytes: bytes,
                    reason: "a snapshot names it"))
        }
    }

    private func moveUnused(_ named: DigestSet) throws {
        var run: HeapTrash.Run?
        monitor.progress.begin("looking for unused objects", files: 256)
        for bucket in 0..<256 {
            try lock?.checkIsHeld()
            for md5 in try heap.objects(inBucket: bucket) where !named.contains(md5) {
                try monitor.cancellation.check()
                guard let status = try status(md5) else { continue }
                guard try status.kind == .regular || heap.contains(md5) else {
                    monitor.problem(noObject(heap.objectName(md5), "'snapcat repair' moves it to the heap's folder 'damaged'"))
                    continue
                }
                let age = now - max(status.mtimeNanoseconds, status.ctimeNanoseconds)
                guard takesAll || age / 1000 > options.graceMicroseconds else {
                    summary.young += 1
                    continue
                }
                if !options.isDryRun {
                    let current = try run ?? trash.begin(time)
                    run = current
                    guard let item = try current.put(md5, status) else { continue }
                    ownSince = item.since
                    // It is removed, and told, further down.
                    if takesAll { continue }
                }
                try act(
                    CollectAction(
                        kind: takesAll ? .remove : .trash, subject: .object, name: md5.description,
                        storedBytes: status.size, reason: "no snapshot names it"))
            }
            monitor.progress.add(files: 1)
        }
    }

    /// A folder with the name of an object, or a link to nothing: what is in it, or behind it, nobody knows.
    private func noObject(_ place: String, _ advice: String) -> SnapcatError {
        SnapcatError(.damage, "Not collected", place, reason: "it has the name of an object and is no regular file", advice: advice)
    }

    private func status(_ md5: MD5Digest) throws -> FileStatus? {
        guard let local = heap.storage.base.local else { return nil }
        let path = local.root + [UInt8(ascii: "/")] + HeapLayout.path(md5)
        return try withSystemError("Cannot look at", path) { () throws(Errno) in try Descriptor.statusIfPresent(path) }
    }

    /// The contents that forgotten snapshots name which stay in the trash: as long as they can come back, so can these.
    private func removeForgottenSnapshots() throws -> DigestSet {
        var remembered = DigestSet()
        for store in stores {
            let trash = SnapshotTrash(store: store)
            var writer = TrashWriter(monitor)
            for stray in try trash.strays() where isOld(stray.since, stray.ctimeNanoseconds) && !options.isDryRun {
                _ = try writer.attempt { try store.storage.delete(stray.key) }
            }
            for item in try trash.items() {
                try lock?.checkIsHeld()
                if isOld(item.since, item.ctimeNanoseconds), try options.isDryRun || writer.attempt({ try trash.remove(item) }) {
                    try act(
                        CollectAction(
                            kind: .remove, subject: .snapshot, name: store.displayPath(item.key), storedBytes: item.size,
                            reason: "forgotten \(item.since.iso8601)"))
                    continue
                }
                do {
                    try ContentCensus.forEachContent(try store.entries(item.key), monitor.cancellation) { remembered.insert($0) }
                } catch let error as SnapcatError where error.code == .damage {
                    // It cannot come back as it is: nothing is kept for its sake.
                    monitor.problem(error)
                } catch let error as SnapcatError where error.code == .notFound {
                    // Removed all the same: only the answer was lost.
                    continue
                }
                if !options.isDryRun && isOfTheFuture(item.since) {
                    _ = try writer.attempt { try trash.restamp(item, at: nextTime()) }
                }
            }
        }
        remembered.compact()
        return remembered
    }

    /// Changes the trash of one snap root. One that cannot be written keeps nothing else from being collected: that is told
    /// once, and what is in it stays.
    private struct TrashWriter {
        private let monitor: Monitor
        private var hasFailed = false

        init(_ monitor: Monitor) { self.monitor = monitor }

        /// False where it could not be done.
        mutating func attempt(_ body: () throws -> Void) throws -> Bool {
            do { try body() } catch let error as SnapcatError where error.code != .interrupted && error.code != .locked {
                if !hasFailed { monitor.problem(error) }
                hasFailed = true
                return false
            }
            return true
        }
    }

    private func removeOld(_ isNeeded: (MD5Digest) -> Bool) throws {
        for folder in try trash.folders() {
            let place = "\(heap.storage.place)/\(TerminalText.lossy(folder.path))"
            monitor.problem(noObject(place, "look into it, and remove it by hand"))
        }
        let items = try trash.items()
        monitor.progress.begin("emptying the trash", files: Int64(items.count))
        for item in items where isOld(item.since, nil) {
            try lock?.checkIsHeld()
            try monitor.cancellation.check()
            let status = try trash.status(item)
            guard isOld(item.since, status?.ctimeNanoseconds) else { continue }
            let needed = isNeeded(item.md5)
            if try needed && !isGoodInHeap(item.md5) {
                // Nothing goes for good for the sake of a snapshot that could not be removed.
                if takesAll && item.since == ownSince { try act(.init(.trash, item, status, "a forgotten snapshot names it")) }
                continue
            }
            if !options.isDryRun { try trash.remove(item) }
            let reason = takesAll ? "no snapshot names it" : "in the trash since \(item.since.iso8601)"
            try act(.init(.remove, item, status, needed ? "the heap has it" : reason))
            monitor.progress.add(files: 1)
        }
        if options.isDryRun { return }
        for since in Set(items.map(\.since)) where isOfTheFuture(since) { try trash.restamp(since, to: nextTime()) }
    }

    /// Whether the heap has the object, and it is what it must be: then the one in the trash is not needed. Cost: reads it.
    private func isGoodInHeap(_ md5: MD5Digest) throws -> Bool {
        do { return try heap.contains(md5) && heap.problem(of: md5) == nil } catch let error as SnapcatError where error.isOfTheFile {
            // It cannot be read: it proves nothing.
            return false
        }
    }

    // MARK: Ages

    /// `ctimeNanoseconds`: when the file was stamped last, as by the rename that has put it there. The younger one counts: a
    /// clock that was behind has given too old a name. A stamp of the future tells no age.
    private func isOld(_ since: SnapshotTime, _ ctimeNanoseconds: Int64?) -> Bool {
        if takesAll { return true }
        var latest = since.microseconds
        if let ctimeNanoseconds, ctimeNanoseconds <= now { latest = max(latest, ctimeNanoseconds / 1000) }
        return now / 1000 - latest > options.graceMicroseconds
    }

    /// Put there by a clock that was ahead: its age would count from then.
    private func isOfTheFuture(_ since: SnapshotTime) -> Bool { !takesAll && since.microseconds > now / 1000 + 1_000_000 }

    /// Another one each time: two of one time would have one name.
    private func nextTime() -> SnapshotTime {
        restamped += 1
        return SnapshotTime(microseconds: now / 1000 + restamped)
    }
}

extension CollectAction {
    fileprivate init(_ kind: Kind, _ item: HeapTrash.Item, _ status: FileStatus?, _ reason: String) {
        self.init(kind: kind, subject: .object, name: item.md5.description, storedBytes: status?.size, reason: reason)
    }
}
