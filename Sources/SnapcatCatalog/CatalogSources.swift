import GRDB
import SnapcatFormat
import SnapcatPlatform

/// The slow road: the new lines sorted by SQLite, merged with the state that the catalog has for the snapshot before.
///
/// For files that are not sorted, and where the file of the snapshot before cannot serve.
struct CatalogMergeSource: LineChangeSource {
    let db: Database
    let reader: EntryReader
    let table: String
    let columns: [String]
    /// nil: there is none before.
    let before: Int64?
    /// The line that a row (name at 0, content from 1) spells.
    let line: (Statement, [UInt8]) -> [UInt8]

    func forEachChange(warn: ([UInt8], String) -> Void, _ body: (LineChange) throws -> Void) throws {
        try sortIntoTemporaryTable(warn: warn)
        defer {
            // A temporary table ends with the connection anyway.
            do { try Statement(db, "DROP TABLE temp.incoming").run() } catch {}
        }
        let incoming = try Statement(db, "SELECT name, line FROM temp.incoming ORDER BY name")
        let list = columns.map { "v.\($0)" }.joined(separator: ", ")
        let state = try Statement(
            db,
            """
            SELECT p.name, \(list) FROM path AS p JOIN \(table) AS v ON v.path_id = p.id
            WHERE v.valid_from <= ?1 AND v.valid_to > ?1 ORDER BY p.name
            """)
        defer { incoming.reset(); state.reset() }
        state.bind(1, before ?? .min)
        var hasState = try before != nil && state.step()
        var hasIncoming = try incoming.step()
        while hasState || hasIncoming {
            let stateName = hasState ? state.bytes(0) : []
            let incomingName = hasIncoming ? incoming.bytes(0) : []
            if hasState && (!hasIncoming || stateName.lexicographicallyPrecedes(incomingName)) {
                try body(LineChange(name: stateName))
                hasState = try state.step()
                continue
            }
            let newLine = incoming.bytes(1)
            if !(hasState && stateName == incomingName && line(state, stateName) == newLine) {
                try newLine.withUnsafeBytes {
                    try body(LineChange(name: incomingName, line: $0, fields: try EntryFields($0)))
                }
            }
            if hasState && stateName == incomingName { hasState = try state.step() }
            hasIncoming = try incoming.step()
        }
    }

    private func sortIntoTemporaryTable(warn: ([UInt8], String) -> Void) throws {
        try Statement(db, "DROP TABLE IF EXISTS temp.incoming").run()
        try Statement(db, "CREATE TEMP TABLE incoming (name TEXT PRIMARY KEY, md5 BLOB, line BLOB) WITHOUT ROWID").run()
        let add = try Statement(db, "INSERT OR IGNORE INTO temp.incoming VALUES (?, ?, ?)")
        let find = try Statement(db, "SELECT md5 FROM temp.incoming WHERE name = ?")
        while try reader.advance() {
            let md5 = try reader.parse().md5
            add.bind(1, text: reader.entryName).bind(2, blob: md5?.bytes).bind(3, blob: Array(reader.line))
            try add.run()
            guard db.changesCount == 0 else { continue }
            let first = try find.bind(1, text: reader.entryName).first { $0.optionalBytes(0) } ?? nil
            try OrderGuard.refuseOtherContent(reader, md5: first.flatMap { MD5Digest(bytes: $0) })
            warn(reader.entryName, "the name comes twice; the first line counts")
        }
    }
}

/// Everything that a table has at a snapshot, as removals: where the next snapshot has no companion.
struct RemovalSource: LineChangeSource {
    let db: Database
    let table: String
    let before: Int64

    func forEachChange(warn: ([UInt8], String) -> Void, _ body: (LineChange) throws -> Void) throws {
        let state = try Statement(
            db,
            """
            SELECT p.name FROM path AS p JOIN \(table) AS v ON v.path_id = p.id
            WHERE v.valid_from <= ?1 AND v.valid_to > ?1
            """)
        // Collected first: the rows change under the statement otherwise.
        var names: [[UInt8]] = []
        try state.bind(1, before).forEach { names.append($0.bytes(0)) }
        for name in names { try body(LineChange(name: name)) }
    }
}
