import GRDB
import SnapcatCatalog
import SnapcatFormat
import SnapcatPlatform
import SnapcatStorage

/// The snapshot before the one being made: whose md5s are reused, and whose lines are taken over.
struct ParentSnapshot {
    var name: SnapshotName
    var key: StorageKey
    /// nil without a companion.
    var facts: SnapshotFacts?
    var files: Int64
    var isSorted: Bool

    /// It cannot be read to its end.
    struct Damage: Error { var error: SnapcatError }

    /// Calls `body` with the newest one that is good by the catalog. Where it proves damaged while it is read, which no
    /// stamp tells of a disk that forgets, that is told, and `body` called again with the one before.
    static func withNewest<R>(
        _ catalog: Catalog, _ store: SnapshotStore, _ monitor: Monitor, _ body: (ParentSnapshot?) throws -> R
    ) throws -> R {
        var later: SnapshotName?
        while true {
            let parent = try newest(catalog, store, before: later, monitor)
            do { return try body(parent) } catch let damage as Damage {
                guard let parent else { throw damage.error }
                monitor.problem(damage.error)
                later = parent.name
            }
        }
    }

    private static func newest(
        _ catalog: Catalog, _ store: SnapshotStore, before later: SnapshotName?, _ monitor: Monitor
    ) throws -> ParentSnapshot? {
        let found = try catalog.read { db in
            try CatalogSnapshots.all(db).last { snapshot in !snapshot.isDamaged && later.map { snapshot.name < $0 } ?? true }
        }
        guard let newest = found else { return nil }
        let key = StorageKey(newest.key)
        var facts: SnapshotFacts?
        do { facts = try store.companion(of: key)?.facts } catch let error as SnapcatError {
            // Without its companion a snapshot is still a good parent: only the time in its name counts then.
            monitor.problem(error)
        }
        return ParentSnapshot(name: newest.name, key: key, facts: facts, files: newest.files, isSorted: newest.isSorted)
    }

    /// The newest one that can be read, without the catalog: for a dry run, which writes nothing at all.
    static func newestReadable(_ store: SnapshotStore, _ monitor: Monitor) throws -> ParentSnapshot? {
        for item in try store.list().snapshots.reversed() {
            do {
                let (files, isSorted) = try count(store, item.key)
                let facts = try store.usableCompanion(of: item.key, monitor.problem)?.facts
                return ParentSnapshot(name: item.name, key: item.key, facts: facts, files: files, isSorted: isSorted)
            } catch let error as SnapcatError where error.code == .damage {
                monitor.problem(error)
            }
        }
        return nil
    }

    private static func count(_ store: SnapshotStore, _ key: StorageKey) throws -> (files: Int64, isSorted: Bool) {
        let reader = try store.entries(key)
        var files: Int64 = 0
        while try reader.advance() { files += 1 }
        return (files, try SnapshotSide.isSorted(store, key))
    }

    /// Tells the parent's damage from all other.
    static func reading<R>(_ body: () throws -> R) throws -> R {
        do { return try body() } catch let error as SnapcatError where error.code == .damage { throw Damage(error: error) }
    }

    /// The walk of `root` merged with the lines of the parent.
    static func merge(
        _ parent: ParentSnapshot?, root: FileRoot, store: SnapshotStore, missing: Set<MD5Digest>,
        options: MakeOptions, monitor: Monitor
    ) throws -> ScanMerge {
        let walk = try TreeWalk(root: root.path, options: options.scan, ownParts: root.ownParts)
        var reader: EntryReader?
        if let parent {
            try reading {
                let entries = try store.entries(parent.key)
                reader = parent.isSorted ? entries : EntryReader(try SortedLines(entries), name: entries.name)
            }
        }
        return ScanMerge(
            walk: walk, before: reader,
            detection: parent.map { ChangeDetection(before: $0.name, facts: $0.facts, options: options) },
            missing: missing, options: options, monitor: monitor)
    }
}
