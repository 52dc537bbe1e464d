import GRDB
import SnapcatFormat
import SnapcatPlatform

/// What is known of a snapshot before its lines are indexed.
package struct SnapshotRecord: Sendable {
    package var name: SnapshotName
    /// Relative to the snap root, as found.
    package var key: [UInt8]
    /// Of the snapshot and of its companion, as the storage spells them; a difference means that they changed.
    package var fileStatus: String
    package var companionStatus: String?
    package var facts: SnapshotFacts?
    /// What is wrong with the companion, which then counts as none; nil where nothing is.
    package var companionProblem: (key: [UInt8], message: String)?

    package init(
        name: SnapshotName, key: [UInt8], fileStatus: String, companionStatus: String?, facts: SnapshotFacts?
    ) {
        self.name = name
        self.key = key
        self.fileStatus = fileStatus
        self.companionStatus = companionStatus
        self.facts = facts
    }

    var time: Int64 { name.time.microseconds }
}

/// Where the lines of a snapshot come from.
package enum LineOrigin {
    /// The differences to the snapshot before are known, or found by a merge of two sorted files.
    case changes(any LineChangeSource)
    /// The whole snapshot: merged with the catalog's own state of the snapshot before.
    case whole(EntryReader)
    /// Nodes only: there is no companion.
    case none
}

/// Writes one snapshot into the catalog, or takes one out: within one transaction of the caller.
package final class CatalogWriter {
    let db: Database
    let paths: PathTable
    private let entries: TemporalTable<EntryVersion>
    private let nodes: TemporalTable<NodeVersion>
    let contents: NamedContents

    package init(_ db: Database) throws {
        self.db = db
        paths = try PathTable(db)
        entries = try TemporalTable(db)
        nodes = try TemporalTable(db)
        contents = try NamedContents(db)
    }

    // MARK: Adding

    /// Adds a snapshot at its place on the time line, whatever that is.
    package func add(_ record: SnapshotRecord, entries entryOrigin: LineOrigin, nodes nodeOrigin: LineOrigin) throws {
        let neighbours = try Self.neighbours(db, of: record.time)
        let id = try insertRow(record, status: Self.status(record.facts), message: nil)
        var warnings: [(name: [UInt8], message: String)] = []
        let isFirst = try neighbours == Neighbours() && Statement(db, "SELECT 1 FROM path LIMIT 1").first { _ in true } == nil
        var isSorted = true
        if isFirst, case .changes(let source) = entryOrigin {
            try addFirst(source, at: record.time) { warnings.append(($0, $1)) }
            let nodeCount = try addNodes(nodeOrigin, at: record.time, neighbours, facts: record.facts)
            try insertAllProblems(id, record, warnings)
            return try sumFirst(record.time, nodes: nodeCount, isSorted: warnings.isEmpty)
        }
        if case .whole = entryOrigin { isSorted = false }
        try addEntries(entryOrigin, at: record.time, neighbours) { warnings.append(($0, $1)) }
        let nodeCount = try addNodes(nodeOrigin, at: record.time, neighbours, facts: record.facts)
        try insertAllProblems(id, record, warnings)
        try updateTotals(record.time, neighbours, nodes: nodeCount, isSorted: isSorted && warnings.isEmpty)
        try contents.updateNewBytes(at: [record.time])
        guard let after = neighbours.after else { return }
        try updateChanges(of: after)
        try contents.updateNewBytes(at: try contents.snapshotsThatLostFirstSight(to: record.time).union([after]))
    }

    /// Records a snapshot whose file cannot be read: it is on no time line.
    package func addDamaged(_ record: SnapshotRecord, message: String) throws {
        let id = try insertRow(record, status: "damaged", message: message)
        try insertProblem(id, name: record.key, kind: "damaged", message: message)
    }

    private func addEntries(
        _ origin: LineOrigin, at time: Int64, _ neighbours: Neighbours, warn: ([UInt8], String) -> Void
    ) throws {
        switch origin {
        case .changes(let known):
            try ParsedChanges.forEachBatch(known, warn: warn) { batch in
                for change in batch { try addEntry(change.name, change.version, at: time, neighbours) }
            }
        case .whole(let reader):
            // It reads the catalog itself: on no other thread.
            let source = CatalogMergeSource(
                db: db, reader: reader, table: EntryVersion.table, columns: EntryVersion.columns,
                before: neighbours.before, line: { EntryVersion($0, at: 1).line(name: $1) })
            var parser = EntryParser()
            try source.forEachChange(warn: warn) { change in
                try addEntry(change.name, parser.version(of: change), at: time, neighbours)
            }
        case .none: return
        }
    }

    /// Makes the catalog have the version from `time` on; nil: the entry is gone.
    private func addEntry(_ name: [UInt8], _ version: EntryVersion?, at time: Int64, _ neighbours: Neighbours) throws {
        guard let version else {
            guard let path = try paths.existing(name) else { return }
            _ = try entries.apply(path, name: name, at: time, neighbours, nil)
            return
        }
        _ = try entries.apply(try paths.id(name), name: name, at: time, neighbours, version)
        if let md5 = version.md5 { try contents.see(md5) }
    }

    private func addNodes(
        _ origin: LineOrigin, at time: Int64, _ neighbours: Neighbours, facts: SnapshotFacts?
    ) throws -> Int64? {
        let source: any LineChangeSource
        switch origin {
        case .changes(let known): source = known
        case .whole(let reader):
            source = CatalogMergeSource(
                db: db, reader: reader, table: NodeVersion.table, columns: NodeVersion.columns,
                before: neighbours.before, line: { NodeVersion($0, at: 1).node(name: $1)?.line ?? [] })
        case .none:
            if let before = neighbours.before {
                try RemovalSource(db: db, table: NodeVersion.table, before: before).forEachChange(warn: { _, _ in }) {
                    let path = try paths.id($0.name)
                    _ = try nodes.apply(path, name: $0.name, at: time, neighbours, nil)
                }
            }
            return nil
        }
        try source.forEachChange(warn: { _, _ in }) { change in
            let content = try change.line.map { NodeVersion(try Node(parsing: $0)) }
            let path = try paths.id(change.name)
            _ = try nodes.apply(path, name: change.name, at: time, neighbours, content)
        }
        return facts?.nodes
    }

    // MARK: Removing

    /// Takes a snapshot out: what only it had is gone, what it interrupted is whole again.
    package func remove(id: Int64) throws {
        let found = try Statement(db, "SELECT taken_at, status FROM snapshot_row WHERE id = ?").bind(1, id)
            .first { ($0.integer(0), $0.text(1)) }
        guard let (time, status) = found else { return }
        if status != "damaged" {
            let neighbours = try Self.neighbours(db, of: time)
            try contents.prepareRemoval(of: time)
            try entries.remove(at: time, neighbours, name: paths.name)
            try nodes.remove(at: time, neighbours, name: paths.name)
            try deleteRow(id)
            let heirs = try contents.finishRemoval()
            guard let after = neighbours.after else { return }
            try updateChanges(of: after)
            try contents.updateNewBytes(at: heirs.union([after]))
        } else {
            try deleteRow(id)
        }
    }

    private func deleteRow(_ id: Int64) throws {
        try Statement(db, "DELETE FROM problem_row WHERE snapshot_id = ?").bind(1, id).run()
        try Statement(db, "DELETE FROM snapshot_row WHERE id = ?").bind(1, id).run()
    }

    // MARK: Rows

    /// The undamaged snapshots before and after a time.
    static func neighbours(_ db: Database, of time: Int64) throws -> Neighbours {
        let before = try Statement(
            db,
            "SELECT max(taken_at) FROM snapshot_row WHERE taken_at < ? AND status <> 'damaged'")
        let after = try Statement(
            db,
            "SELECT min(taken_at) FROM snapshot_row WHERE taken_at > ? AND status <> 'damaged'")
        return Neighbours(
            before: try before.bind(1, time).first { $0.optionalInteger(0) } ?? nil,
            after: try after.bind(1, time).first { $0.optionalInteger(0) } ?? nil)
    }

    private static func status(_ facts: SnapshotFacts?) -> String {
        guard let facts else { return "complete" }
        return facts.errors.isEmpty && facts.unstable.isEmpty && facts.omittedProblems == 0 ? "complete" : "incomplete"
    }

    private func insertRow(_ record: SnapshotRecord, status: String, message: String?) throws -> Int64 {
        let facts = record.facts
        let tags = facts.map { JSONValue.array($0.tags.map { .text($0) }).bytes }
        let insert = try Statement(
            db,
            """
            INSERT INTO snapshot_row (taken_at, key, status, message, file_status, companion_status, host, user,
                file_root, tags, note, tool, started_at, finished_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """)
        insert.bind(1, record.time).bind(2, text: record.key).bind(3, text: status).bind(4, text: message)
            .bind(5, text: record.fileStatus).bind(6, text: record.companionStatus).bind(7, text: facts?.host)
            .bind(8, text: facts?.user).bind(9, text: facts?.fileRoot).bind(10, text: tags)
            .bind(11, text: facts?.note).bind(12, text: facts?.tool)
            .bind(13, facts?.startedAt.microseconds).bind(14, facts?.finishedAt.microseconds)
        try insert.run()
        return db.lastInsertedRowID
    }

    private func insertAllProblems(
        _ id: Int64, _ record: SnapshotRecord, _ warnings: [(name: [UInt8], message: String)]
    ) throws {
        if let problem = record.companionProblem {
            try insertProblem(id, name: problem.key, kind: "companion", message: problem.message)
        }
        let facts = record.facts
        for problem in facts?.errors ?? [] {
            try insertProblem(id, name: problem.name.bytes, kind: "unreadable", message: problem.message)
        }
        for problem in facts?.unstable ?? [] {
            try insertProblem(id, name: problem.name.bytes, kind: "unstable", message: problem.message)
        }
        for warning in warnings {
            try insertProblem(id, name: warning.name, kind: "duplicate", message: warning.message)
        }
    }

    package func insertProblem(_ snapshot: Int64?, name: [UInt8], kind: String, message: String) throws {
        try Statement(db, "INSERT INTO problem_row (snapshot_id, name, kind, message) VALUES (?, ?, ?, ?)")
            .bind(1, snapshot).bind(2, text: name).bind(3, text: kind).bind(4, text: message).run()
    }
}
