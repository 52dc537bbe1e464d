import GRDB
import SnapcatCatalog
import SnapcatFormat
import SnapcatPlatform
import SnapcatStorage

/// Brings the catalog up to the snap root: indexes what is new or changed, takes out what is gone.
///
/// Cheap when nothing is new: one listing. One transaction per snapshot, so that it can be stopped at any time.
package struct CatalogSync {
    let catalog: Catalog
    let store: SnapshotStore
    let monitor: Monitor

    /// What a sync did.
    package struct Summary: Sendable, Equatable {
        package var indexed = 0
        package var removed = 0
        package var damaged = 0

        static func + (left: Summary, right: Summary) -> Summary {
            Summary(
                indexed: left.indexed + right.indexed, removed: left.removed + right.removed,
                damaged: left.damaged + right.damaged)
        }
    }

    package init(_ catalog: Catalog, _ store: SnapshotStore, _ monitor: Monitor) {
        self.catalog = catalog
        self.store = store
        self.monitor = monitor
    }

    @discardableResult
    package func run() throws -> Summary {
        let listing = try store.list()
        for key in listing.blocked { monitor.problem(store.problem(blocked: key)) }
        let known = try catalog.read { try CatalogSnapshots.all($0) }
        var summary = Summary()
        var current: Set<SnapshotName> = []
        let items = Dictionary(uniqueKeysWithValues: listing.snapshots.map { ($0.name, $0) })
        for snapshot in known {
            if let item = items[snapshot.name], snapshot.isCurrent(item) {
                current.insert(snapshot.name)
            } else {
                // Another process may have done it already, and the number may be another snapshot's now.
                try catalog.write { db in
                    if try CatalogSnapshots.indexed(db, snapshot.name) == snapshot { try CatalogWriter(db).remove(id: snapshot.id) }
                }
                summary.removed += 1
            }
        }
        let new = listing.snapshots.filter { !current.contains($0.name) }
        if !new.isEmpty { monitor.progress.begin("indexing", files: Int64(new.count)) }
        for item in new {
            try monitor.cancellation.check()
            do {
                if try index(item) { summary.indexed += 1 } else { summary.damaged += 1 }
            } catch let error as SnapcatError where error.code == .notFound {
                // Forgotten since it was listed.
                if try !store.isGone(item) { throw error }
            }
            monitor.progress.add(files: 1)
        }
        let ignored = Dictionary(uniqueKeysWithValues: listing.ignored.map { ($0.key.bytes, $0.value) })
        if try catalog.read({ try CatalogSnapshots.ignoredFiles($0) }) != ignored {
            try catalog.write { try CatalogSnapshots.replaceIgnoredFiles($0, ignored) }
        }
        if summary.indexed > 0 && known.isEmpty || summary.indexed > 50 { try catalog.analyze() }
        if summary != Summary() { catalog.settle() }
        return summary
    }

    /// What a make has noted against the snapshot that it began from.
    package typealias Noted = (changes: NotedChanges, since: SnapshotName)

    /// Indexes one snapshot. False where it is damaged: that is then recorded.
    package func index(_ item: SnapshotStore.Item, noted: Noted? = nil) throws -> Bool {
        var record = SnapshotRecord(
            name: item.name, key: item.key.bytes, fileStatus: item.status.fingerprint,
            companionStatus: item.companionStatus?.fingerprint, facts: nil)
        do {
            do {
                try indexByMerge(item, &record, noted: noted)
            } catch is EntryReader.OrderProblem {
                try indexWhole(item, &record)
            } catch let error as SnapcatError where error.code == .damage {
                // It may be that of the snapshot before: the catalog itself tells what was in it.
                try indexWhole(item, &record)
                monitor.problem(error)
            }
            return true
        } catch let error as SnapcatError where error.code == .damage {
            let message = error.description
            monitor.problem(error)
            // What the system did not let read may be read the next time, with nothing changed: not to be remembered.
            if error.errorNumber != 0 { record.fileStatus += "?" }
            let damaged = record
            try catalog.write { db in
                guard try takesPlace(db, item) else { return }
                try CatalogWriter(db).addDamaged(damaged, message: message)
            }
            return false
        }
    }

    /// The fast road: both files as sorted lines. Throws `OrderProblem` where they are not.
    private func indexByMerge(
        _ item: SnapshotStore.Item, _ record: inout SnapshotRecord, noted: Noted?
    ) throws {
        let companion = try readCompanion(item, &record)
        let current = record
        try catalog.write { db in
            guard try takesPlace(db, item) else { return }
            let before = try CatalogSnapshots.before(db, item.name)
            let entries: LineOrigin
            if let before {
                // Another one may have come in between meanwhile.
                if let noted, noted.since == before.name {
                    entries = .changes(noted.changes)
                } else if before.isSorted, let old = try openIfCurrent(before) {
                    entries = .changes(MergeSource(before: old, after: try store.entries(item.key)))
                } else {
                    entries = .whole(try store.entries(item.key))
                }
            } else {
                entries = .changes(FullSource(try store.entries(item.key)))
            }
            try CatalogWriter(db).add(
                current, entries: entries, nodes: try nodeOrigin(companion, before: before))
        }
    }

    /// Makes room for a snapshot in its transaction. False where another process has indexed the same file meanwhile.
    private func takesPlace(_ db: Database, _ item: SnapshotStore.Item) throws -> Bool {
        guard let known = try CatalogSnapshots.indexed(db, item.name) else { return true }
        if known.isCurrent(item) { return false }
        try CatalogWriter(db).remove(id: known.id)
        return true
    }

    private func nodeOrigin(_ companion: CompanionReader?, before: IndexedSnapshot?) throws -> LineOrigin {
        guard let companion else { return .none }
        guard let before, before.nodes != nil else { return .changes(FullSource(companion.rest)) }
        let key = StorageKey(before.key)
        guard let status = try store.storage.status(of: store.companionKey(of: key)),
            status.fingerprint == before.companionStatus, let old = try store.companion(of: key)
        else { return .whole(companion.rest) }
        return .changes(MergeSource(before: old.rest, after: companion.rest))
    }

    /// The slow road, with the same result: for lines that are not sorted.
    private func indexWhole(_ item: SnapshotStore.Item, _ record: inout SnapshotRecord) throws {
        let companion = try readCompanion(item, &record)
        let current = record
        try catalog.write { db in
            guard try takesPlace(db, item) else { return }
            try CatalogWriter(db).add(
                current, entries: .whole(try store.entries(item.key)),
                nodes: companion.map { .whole($0.rest) } ?? .none)
        }
    }

    /// A damaged companion does not make its snapshot unreadable: it is reported, recorded and left out.
    private func readCompanion(_ item: SnapshotStore.Item, _ record: inout SnapshotRecord) throws -> CompanionReader? {
        // Read to its end first: damage in the middle must not be found halfway through a transaction.
        let companion = try store.usableCompanion(of: item.key) { error in
            record.companionProblem = (store.companionKey(of: item.key).bytes, error.description)
            monitor.problem(error)
        }
        record.facts = companion?.facts
        return companion
    }

    private func openIfCurrent(_ snapshot: IndexedSnapshot) throws -> EntryReader? {
        let key = StorageKey(snapshot.key)
        guard let status = try store.storage.status(of: key), status.fingerprint == snapshot.fileStatus else { return nil }
        do { return try store.entries(key) } catch let error as SnapcatError where error.code == .notFound {
            // Forgotten just now.
            return nil
        }
    }
}

extension IndexedSnapshot {
    func isCurrent(_ item: SnapshotStore.Item) -> Bool {
        key == item.key.bytes && fileStatus == item.status.fingerprint
            && companionStatus == item.companionStatus?.fingerprint
    }
}
