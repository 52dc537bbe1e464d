import SnapcatFormat
import SnapcatHeap
import SnapcatPlatform
import SnapcatStorage

/// What is brought back from the trash.
public struct UndeleteOptions: Sendable {
    /// Names of snapshots or prefixes of them, names of single copies in the trash (`<when>--<name>`, as the reasons tell
    /// them) or prefixes of those, and md5s of objects; none: all there is.
    public var names: [String] = []
    /// Nothing is moved: what would be is told.
    public var isDryRun = false

    public init() {}
}

extension Repository {
    /// Brings forgotten snapshots back with all that they need, and unused objects.
    ///
    /// Of several copies of one snapshot the one comes back whose way was interrupted, else the one that was forgotten
    /// last; the others stay in the trash (rows `skip`). One whose place is taken, as after a purge, stays too, or changes
    /// places with the other where it is named. Throws `.noSnapshot` for a name that nothing in the trash has, or where
    /// there is no heap; `.usage` for two copies of one snapshot; `.locked` while another process writes.
    public func undelete(
        _ options: UndeleteOptions = UndeleteOptions(), monitor: Monitor = .silent,
        _ tell: @escaping @Sendable (CollectAction) throws -> Void
    ) async throws -> CollectSummary {
        try await run("snapcat-undelete", monitor) { [self] in
            try requireExistingHeap()
            let lock = try options.isDryRun ? nil : lockSnapRoot("undelete", monitor)
            let heapLock = try options.isDryRun ? nil : lockHeap("undelete", exclusive: true, monitor)
            defer { withExtendedLifetime((lock, heapLock)) {} }
            let job = try UndeleteJob(self, options, monitor, tell)
            return try job.run()
        }
    }
}

private final class UndeleteJob {
    private let repository: Repository
    private let options: UndeleteOptions
    private let monitor: Monitor
    private let tell: (CollectAction) throws -> Void
    private let trash: SnapshotTrash
    private let heapTrash: HeapTrash?
    private var objects: [MD5Digest: HeapTrash.Item] = [:]
    /// Of snapshots, by their times and those of forgetting them.
    private var copies: [SnapshotTrash.Item] = []
    private var summary = CollectSummary()

    init(
        _ repository: Repository, _ options: UndeleteOptions, _ monitor: Monitor,
        _ tell: @escaping (CollectAction) throws -> Void
    ) throws {
        (self.repository, self.options, self.monitor, self.tell) = (repository, options, monitor, tell)
        trash = SnapshotTrash(store: repository.snapshots)
        heapTrash = repository.heap.flatMap { HeapTrash($0) }
        for item in try heapTrash?.items() ?? [] { objects[item.md5] = item }
    }

    func run() throws -> CollectSummary {
        copies = try trash.items()
        let (chosen, md5s) = try choose()
        for item in chosen {
            try monitor.cancellation.check()
            try bringBack(item)
        }
        for md5 in md5s.sorted() { try bringBack(md5, reason: "asked for") }
        if !options.isDryRun && summary.restored > 0 {
            try repository.snapshots.storage.synchronizeFolder()
            _ = try repository.syncedSnapshots(monitor)
        }
        return summary
    }

    private func choose() throws -> (snapshots: [SnapshotTrash.Item], md5s: [MD5Digest]) {
        if options.names.isEmpty {
            var chosen: [SnapshotTrash.Item] = []
            for name in Set(copies.map(\.name)).sorted() {
                let item = try copy(of: name)
                for other in copies where other.name == name && other.key != item?.key {
                    try act(.init(skipping: other, repository.snapshots, "another one of this time comes first; '\(other.stem)' names this one"))
                }
                if let item { chosen.append(item) }
            }
            return (chosen, Array(objects.keys))
        }
        var chosen: [SnapshotName: SnapshotTrash.Item] = [:]
        var md5s: Set<MD5Digest> = []
        for name in options.names {
            if let md5 = MD5Digest(hex: name), objects[md5] != nil { md5s.insert(md5); continue }
            let item = try find(name)
            if let other = chosen[item.name], other != item {
                throw SnapcatError(
                    .usage, "Nothing is brought back", name, reason: "another copy of this snapshot is named too", advice: "name one of them")
            }
            chosen[item.name] = item
        }
        return (chosen.values.sorted { $0.name < $1.name }, Array(md5s))
    }

    /// The one that a name means: that of a snapshot, or of a single copy.
    private func find(_ name: String) throws -> SnapshotTrash.Item {
        func fits(_ stem: String) -> Bool { stem.hasPrefix(name) || stem + SnapshotName.fileSuffix == name }
        let single = name.contains(SnapshotTrash.separator) ? copies.filter { fits($0.stem) } : []
        let snapshots = Set(copies.map(\.name)).filter { fits($0.stem) }
        if single.count == 1, let item = single.first { return item }
        if single.isEmpty, snapshots.count == 1, let item = try snapshots.first.flatMap({ try copy(of: $0) }) { return item }
        let count = max(single.count, snapshots.count)
        throw SnapcatError(
            .noSnapshot, "Nothing is brought back", name,
            reason: count == 0 ? "nothing in the trash is called so" : "it fits \(count) snapshots in the trash",
            advice: "see 'snapcat undelete --dry-run'")
    }

    /// The one whose way to or from its place was interrupted, which is finished so; else the one that was forgotten last.
    private func copy(of name: SnapshotName) throws -> SnapshotTrash.Item? {
        try trash.halfMoved(name) ?? copies.last { $0.name == name }
    }

    private func act(_ action: CollectAction) throws {
        summary.count(action)
        try tell(action)
    }

    /// Its contents first: a snapshot never names what is not there.
    private func bringBack(_ item: SnapshotTrash.Item) throws {
        let store = repository.snapshots
        let place = StorageKey(item.name.key)
        let isPresent = try store.storage.isOccupied(place)
        if isPresent && options.names.isEmpty {
            return try act(.init(skipping: item, store, "a snapshot of this time is there; '\(item.stem)' brings this one back in its place"))
        }
        var needed = DigestSet()
        do {
            try ContentCensus.forEachContent(try store.entries(item.key), monitor.cancellation) { needed.insert($0) }
        } catch let error as SnapcatError where error.code == .damage {
            monitor.problem(error)
            return try act(.init(skipping: item, store, "it is damaged"))
        }
        needed.compact()
        var missing: Int64 = 0
        if let heap = repository.heap {
            for md5 in needed.all {
                try monitor.cancellation.check()
                if try heap.contains(md5) { continue }
                if objects[md5] == nil { missing += 1 } else { try bringBack(md5, reason: "snapshot \(item.name.stem) names it") }
            }
        }
        if !options.isDryRun {
            let time = SnapshotTime(microseconds: repository.clock.nowNanoseconds / 1000)
            if isPresent { try trash.put(item.name, place, at: time) }
            try trash.takeBack(item, at: time)
        }
        summary.missing += missing
        if missing > 0 {
            monitor.problem(
                SnapcatError(
                    .damage, "Contents are missing", item.name.stem, reason: "\(missing) are neither in the heap nor in its trash"))
        }
        try act(.init(.restore, item, store, "forgotten \(item.since.iso8601): '\(item.stem)'"))
    }

    private func bringBack(_ md5: MD5Digest, reason: String) throws {
        guard let heapTrash, let item = objects.removeValue(forKey: md5) else { return }
        // As the real one finds it.
        if let heap = repository.heap, try heap.storage.isOccupied(HeapLayout.key(md5)) { return }
        let bytes = try heapTrash.storedBytes(item)
        if try !options.isDryRun && !heapTrash.takeBack(item) { return }
        try act(CollectAction(kind: .restore, subject: .object, name: md5.description, storedBytes: bytes, reason: reason))
    }
}

extension CollectAction {
    fileprivate init(_ kind: Kind, _ item: SnapshotTrash.Item, _ store: SnapshotStore, _ reason: String) {
        self.init(
            kind: kind, subject: .snapshot, name: store.displayPath(StorageKey(item.name.key)), storedBytes: item.size, reason: reason)
    }

    fileprivate init(skipping item: SnapshotTrash.Item, _ store: SnapshotStore, _ reason: String) {
        self.init(.skip, item, store, reason)
    }
}
