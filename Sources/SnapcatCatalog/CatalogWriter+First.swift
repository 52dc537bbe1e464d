import GRDB
import SnapcatPlatform

/// The first snapshot of an empty catalog: nothing has to be looked up, and the indexes are built at the end.
extension CatalogWriter {
    func addFirst(_ source: any LineChangeSource, at time: Int64, warn: ([UInt8], String) -> Void) throws {
        let indexes = try dropIndexes(["version_md5", "version_opened", "path_name", "path_folder"])
        try insertFirst(source, at: time, warn: warn)
        // While one thread reads rows, others sort those before.
        try Statement(db, "PRAGMA threads = 2").run()
        for sql in indexes { try Statement(db, sql).run() }
        try contents.seeAll()
    }

    private func insertFirst(_ source: any LineChangeSource, at time: Int64, warn: ([UInt8], String) -> Void) throws {
        let pathRows = try BulkInsert(db, table: "path", columns: PathTable.columns)
        let versionRows = try BulkInsert(
            db, table: EntryVersion.table, columns: TemporalTable<EntryVersion>.keyColumns + EntryVersion.columns)
        var lastId: Int64 = 0
        try ParsedChanges.forEachBatch(source, warn: warn) { batch in
            try pathRows.insert(batch) { try paths.bind($0.name, to: $1, at: $2) }
            // In an empty table ids are counted from 1.
            guard paths.lastId == lastId + Int64(batch.count) else {
                throw SnapcatError(.failed, "The catalog gives unexpected ids")
            }
            try versionRows.insert(batch) { entry, insert, position in
                guard let version = entry.version else { throw SnapcatError(.failed, "A first snapshot lacks an entry") }
                lastId += 1
                TemporalTable<EntryVersion>.bind(lastId, from: time, to: .max, version, to: insert, at: position)
            }
        }
    }

    /// The SQL that makes them again.
    private func dropIndexes(_ names: [String]) throws -> [String] {
        let find = try Statement(db, "SELECT sql FROM sqlite_schema WHERE type = 'index' AND name = ?")
        let sql = try names.map { try find.bind(1, text: $0).first { $0.text(0) } ?? "" }
        for name in names { try Statement(db, "DROP INDEX \(name)").run() }
        return sql
    }
}
