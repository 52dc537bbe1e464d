import GRDB
import SnapcatFormat
import SnapcatPlatform

/// The catalog's own state at a snapshot, for those who prove it: `catalog verify` and the tests.
extension CatalogSnapshots {
    /// Names and lines of the entries, in the byte order of names.
    package static func forEachLine(_ db: Database, at time: Int64, _ body: ([UInt8], [UInt8]) throws -> Void) throws {
        try forEachRow(db, EntryVersion.self, at: time) { row, name in
            try body(name, EntryVersion(row, at: 1).line(name: name))
        }
    }

    /// Names and lines of symlinks, folders and special files.
    package static func forEachNodeLine(_ db: Database, at time: Int64, _ body: ([UInt8], [UInt8]) throws -> Void) throws {
        try forEachRow(db, NodeVersion.self, at: time) { row, name in
            try body(name, NodeVersion(row, at: 1).node(name: name)?.line ?? [])
        }
    }

    private static func forEachRow<Content: TemporalContent>(
        _ db: Database, _ content: Content.Type, at time: Int64, _ body: (Statement, [UInt8]) throws -> Void
    ) throws {
        let columns = Content.columns.map { "v.\($0)" }.joined(separator: ", ")
        try Statement(
            db,
            """
            SELECT p.name, \(columns) FROM path AS p JOIN \(Content.table) AS v ON v.path_id = p.id
            WHERE v.valid_from <= ?1 AND v.valid_to > ?1 ORDER BY p.name
            """
        ).bind(1, time).forEach { row in try body(row, row.bytes(0)) }
    }

    /// What of a snapshot's row is not the sum of its versions; empty where all of it is.
    package static func wrongSums(_ db: Database, _ snapshot: IndexedSnapshot) throws -> [String] {
        let found = try Statement(
            db,
            """
            SELECT count(*), CAST(total(size) AS INTEGER) FROM version INDEXED BY sqlite_autoindex_version_1
            WHERE valid_from <= ?1 AND valid_to > ?1
            """
        ).bind(1, snapshot.name.time.microseconds).first { ($0.integer(0), $0.integer(1)) }
        guard let (files, bytes) = found else { return [] }
        var result: [String] = []
        if files != snapshot.files { result.append("files: \(snapshot.files) instead of \(files)") }
        if bytes != snapshot.bytes { result.append("bytes: \(snapshot.bytes) instead of \(bytes)") }
        return result
    }

    /// What the catalog holds: rows by table, in a fixed order.
    package static func counts(_ db: Database) throws -> [(what: String, count: Int64)] {
        let questions = [
            ("snapshots", "SELECT count(*) FROM snapshot_row"),
            ("damaged snapshots", "SELECT count(*) FROM snapshot_row WHERE status = 'damaged'"),
            ("names", "SELECT count(*) FROM path"),
            ("folders", "SELECT count(*) FROM folder"),
            ("versions", "SELECT count(*) FROM version"),
            ("node versions", "SELECT count(*) FROM node_version"),
            ("entries of all snapshots", "SELECT coalesce(sum(files), 0) FROM snapshot_row"),
            ("objects in the heap", "SELECT count(*) FROM heap_object"),
            ("objects missing", "SELECT count(*) FROM missing_row"),
            ("problems", "SELECT count(*) FROM problem_row"),
            ("bytes of the database", "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"),
            ("free bytes in it", "SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size"),
        ]
        return try questions.map { ($0.0, try Statement(db, $0.1).first { $0.integer(0) } ?? 0) }
    }

    /// Contents that snapshots name and the heap lacks, each with one of its names.
    package static func missingObjects(_ db: Database) throws -> [(md5: MD5Digest, name: [UInt8], versions: Int64)] {
        var result: [(md5: MD5Digest, name: [UInt8], versions: Int64)] = []
        try Statement(
            db,
            """
            SELECT m.md5, min(p.name), count(*) FROM missing_row AS m JOIN version AS v ON v.md5_text = m.md5
            JOIN path AS p ON p.id = v.path_id GROUP BY m.md5 ORDER BY m.md5
            """
        ).forEach { row in
            if let md5 = MD5Digest(hex: row.bytes(0)) { result.append((md5, row.bytes(1), row.integer(2))) }
        }
        return result
    }

    package static func orphans(_ db: Database) throws -> Int64 {
        try Statement(db, "SELECT count(*) FROM heap_object WHERE is_named = 0").first { $0.integer(0) } ?? 0
    }

    package static func objectCount(_ db: Database) throws -> Int64 {
        try Statement(db, "SELECT count(*) FROM heap_object").first { $0.integer(0) } ?? 0
    }
}
