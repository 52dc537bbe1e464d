import SnapcatCatalog
import SnapcatFormat
import SnapcatHeap
import SnapcatPlatform
import SnapcatStorage

/// A snapshot as the library's callers see it.
public struct SnapshotInfo: Sendable, Equatable {
    public var name: SnapshotName
    /// The snapshot's file.
    public var path: String
    public var files: Int64
    /// Sum of the files' sizes.
    public var bytes: Int64
    public var isDamaged: Bool

    package init(_ snapshot: IndexedSnapshot, _ store: SnapshotStore) {
        name = snapshot.name
        path = store.displayPath(StorageKey(snapshot.key))
        files = snapshot.files
        bytes = snapshot.bytes
        isDamaged = snapshot.isDamaged
    }
}

extension Repository {
    /// All snapshots, by time. Indexes what is new.
    public func list(monitor: Monitor = .silent) async throws -> [SnapshotInfo] {
        try await run("snapcat-list", monitor) { [self] in
            try syncedSnapshots(monitor).map { SnapshotInfo($0, snapshots) }
        }
    }

    /// The snapshot that a reference names. `.noSnapshot` with the nearest ones where there is none.
    public func find(_ reference: SnapshotReference, monitor: Monitor = .silent) async throws -> SnapshotInfo {
        try await run("snapcat-find", monitor) { [self] in SnapshotInfo(try resolve(reference, monitor), snapshots) }
    }

    /// The newest snapshot at or before a time (of all, without one); nil where there is none.
    ///
    /// snapshooter's `try_get_snapshot_path`.
    public func snapshotPath(atOrBefore time: SnapshotTime? = nil, monitor: Monitor = .silent) async throws -> String? {
        do {
            return try await find(time.map { .time($0) } ?? .latest(back: 0), monitor: monitor).path
        } catch let error as SnapcatError where error.code == .noSnapshot { return nil }
    }

    /// The entries of a snapshot, in order. snapshooter's `read_snapshot`, as a stream.
    public func read(
        _ reference: SnapshotReference, monitor: Monitor = .silent,
        _ body: @escaping @Sendable (Entry) throws -> Void
    ) async throws {
        try await run("snapcat-read", monitor) { [self] in
            let reader: EntryReader
            switch try side(reference, monitor) {
            case .indexed(let snapshot): reader = try snapshots.entries(StorageKey(snapshot.key))
            case .file(let store, let key): reader = try store.entries(key)
            }
            while try reader.advance() {
                try monitor.cancellation.check()
                try body(try reader.entry())
            }
        }
    }

    /// Brings the catalog up to the snap root.
    @discardableResult
    package func sync(_ monitor: Monitor) throws -> CatalogSync.Summary {
        let built = try buildIfEmpty(monitor)
        let catalog = try catalog(monitor)
        let summary = try CatalogSync(catalog, snapshots, monitor).run()
        // For the loadable extension: it has only the catalog.
        if let heap { try catalog.remember("heap_root", heap.storage.place) }
        return built + summary
    }

    /// A catalog without any snapshot is built beside and swapped in, which takes half the writing.
    private func buildIfEmpty(_ monitor: Monitor) throws -> CatalogSync.Summary {
        let current = try catalog(monitor)
        guard let path = current.path, try current.read({ try CatalogSnapshots.isEmpty($0) }),
            try !snapshots.list().snapshots.isEmpty
        else { return CatalogSync.Summary() }
        closeCatalog()
        do {
            return try Catalog.replace(at: path) { try CatalogSync($0, snapshots, monitor).run() }
        } catch let error as SnapcatError where [.locked, .failed, .catalogUnwritable].contains(error.code) {
            // Another process builds it, or nothing can be made beside it: it is filled where it is.
            return CatalogSync.Summary()
        }
    }

    package func syncedSnapshots(_ monitor: Monitor, syncs: Bool = true) throws -> [IndexedSnapshot] {
        try withUsableCatalog(monitor) {
            if syncs { try sync(monitor) }
            return try catalog(monitor).read { try CatalogSnapshots.all($0) }
        }
    }

    /// Syncs (unless told not to) and resolves. Damaged ones are returned only where named directly.
    package func resolve(
        _ reference: SnapshotReference, _ monitor: Monitor, syncs: Bool = true
    ) throws -> IndexedSnapshot {
        let all = try syncedSnapshots(monitor, syncs: syncs)
        let name = try reference.resolve(in: all.map { SnapshotCandidate(name: $0.name, isDamaged: $0.isDamaged) })
        guard let snapshot = all.first(where: { $0.name == name }) else {
            throw SnapcatError(.noSnapshot, "No such snapshot", name.stem)
        }
        monitor.note("snapshot \(snapshot.name.time.iso8601)")
        return snapshot
    }
}
