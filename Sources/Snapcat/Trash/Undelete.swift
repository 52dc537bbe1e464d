import SnapcatFormat
import SnapcatHeap
import SnapcatPlatform
import SnapcatStorage

/// What is brought back from the trash.
public struct UndeleteOptions: Sendable {
    /// Names of snapshots or prefixes of them, and md5s of objects; none: all there is.
    public var names: [String] = []
    /// Nothing is moved: what would be is told.
    public var isDryRun = false

    public init() {}
}

extension Repository {
    /// Brings forgotten snapshots back with all that they need, and unused objects.
    ///
    /// Of several with one name the one that was forgotten last comes back. One whose place is taken, as after a purge,
    /// stays in the trash (a row `skip`), or changes places with the other where it is named. Throws `.noSnapshot` for a name that nothing in the trash has; `.locked` while another process
    /// writes.
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
        var snapshots: [SnapshotName: SnapshotTrash.Item] = [:]
        // The one that was forgotten last counts.
        for item in try trash.items() { snapshots[item.name] = item }
        let (chosen, md5s) = try choose(snapshots)
        for item in chosen.sorted(by: { $0.name < $1.name }) {
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

    private func choose(
        _ snapshots: [SnapshotName: SnapshotTrash.Item]
    ) throws -> (snapshots: [SnapshotTrash.Item], md5s: [MD5Digest]) {
        if options.names.isEmpty { return (Array(snapshots.values), Array(objects.keys)) }
        var chosen: [SnapshotName: SnapshotTrash.Item] = [:]
        var md5s: Set<MD5Digest> = []
        for name in options.names {
            if let md5 = MD5Digest(hex: name), objects[md5] != nil { md5s.insert(md5); continue }
            let fitting = snapshots.filter { $0.key.stem.hasPrefix(name) || $0.key.stem + SnapshotName.fileSuffix == name }
            guard fitting.count == 1, let found = fitting.first else {
                let fits = fitting.isEmpty ? "nothing in the trash is called so" : "it fits \(fitting.count) snapshots in the trash"
                throw SnapcatError(
                    .noSnapshot, "Nothing is brought back", name, reason: fits, advice: "see 'snapcat undelete --dry-run'")
            }
            chosen[found.key] = found.value
        }
        return (Array(chosen.values), Array(md5s))
    }

    private func act(_ action: CollectAction) throws {
        summary.count(action)
        try tell(action)
    }

    /// Its contents first: a snapshot never names what is not there.
    private func bringBack(_ item: SnapshotTrash.Item) throws {
        let store = repository.snapshots
        let place = StorageKey(item.name.key)
        func action(_ kind: CollectAction.Kind, _ reason: String) -> CollectAction {
            CollectAction(
                kind: kind, subject: .snapshot, name: store.displayPath(place), storedBytes: item.size,
                reason: reason)
        }
        let isPresent = try store.storage.isOccupied(place)
        if isPresent && options.names.isEmpty {
            return try act(action(.skip, "a snapshot of this time is there; its name brings this one back in its place"))
        }
        var needed = DigestSet()
        do {
            try ContentCensus.forEachContent(try store.entries(item.key), monitor.cancellation) { needed.insert($0) }
        } catch let error as SnapcatError where error.code == .damage {
            monitor.problem(error)
            return try act(action(.skip, "it is damaged"))
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
            if isPresent {
                try trash.put(item.name, place, at: SnapshotTime(microseconds: repository.clock.nowNanoseconds / 1000))
            }
            try trash.takeBack(item)
        }
        summary.missing += missing
        if missing > 0 {
            monitor.problem(
                SnapcatError(
                    .damage, "Contents are missing", item.name.stem, reason: "\(missing) are neither in the heap nor in its trash"))
        }
        try act(action(.restore, "forgotten \(item.since.iso8601)"))
    }

    private func bringBack(_ md5: MD5Digest, reason: String) throws {
        guard let heapTrash, let item = objects.removeValue(forKey: md5) else { return }
        let bytes = try heapTrash.storedBytes(item)
        if try !options.isDryRun && !heapTrash.takeBack(item) { return }
        try act(CollectAction(kind: .restore, subject: .object, name: md5.description, storedBytes: bytes, reason: reason))
    }
}
