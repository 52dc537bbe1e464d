import GRDB
import SnapcatFormat
import SnapcatPlatform

/// A snapshot as the catalog has it.
package struct IndexedSnapshot: Sendable, Equatable {
    package var id: Int64
    package var name: SnapshotName
    package var key: [UInt8]
    package var status: String
    package var message: String?
    package var fileStatus: String
    package var companionStatus: String?
    package var isSorted: Bool
    package var nodes: Int64?
    package var fileRoot: [UInt8]?
    package var files: Int64
    package var bytes: Int64
    package var host: String?

    package var isDamaged: Bool { status == "damaged" }
}

package enum CatalogSnapshots {
    /// All snapshots, by time.
    package static func all(_ db: Database) throws -> [IndexedSnapshot] {
        var result: [IndexedSnapshot] = []
        try select(db, "ORDER BY taken_at").forEach { result.append(read($0)) }
        return result
    }

    /// The snapshot of this time, nil where there is none.
    package static func indexed(_ db: Database, _ name: SnapshotName) throws -> IndexedSnapshot? {
        try select(db, "WHERE taken_at = ?").bind(1, name.time.microseconds).first(read)
    }

    /// The undamaged snapshot before another in time.
    package static func before(_ db: Database, _ name: SnapshotName) throws -> IndexedSnapshot? {
        try select(db, "WHERE taken_at < ? AND status <> 'damaged' ORDER BY taken_at DESC LIMIT 1")
            .bind(1, name.time.microseconds).first(read)
    }

    private static func select(_ db: Database, _ rest: String) throws -> Statement {
        try Statement(
            db,
            """
            SELECT id, taken_at, key, status, message, file_status, companion_status, is_sorted, nodes, file_root,
                files, bytes, host
            FROM snapshot_row \(rest)
            """)
    }

    private static func read(_ row: Statement) -> IndexedSnapshot {
        IndexedSnapshot(
            id: row.integer(0), name: SnapshotName(time: SnapshotTime(microseconds: row.integer(1))),
            key: row.bytes(2), status: row.text(3), message: row.optionalText(4), fileStatus: row.text(5),
            companionStatus: row.optionalText(6), isSorted: row.integer(7) == 1,
            nodes: row.optionalInteger(8), fileRoot: row.optionalBytes(9), files: row.integer(10),
            bytes: row.integer(11), host: row.optionalText(12))
    }

    /// The tags of the snapshots that have some, by id.
    package static func tags(_ db: Database) throws -> [Int64: [String]] {
        var result: [Int64: [String]] = [:]
        try Statement(
            db, "SELECT s.id, t.value FROM snapshot_row AS s, json_each(s.tags) AS t WHERE s.tags IS NOT NULL ORDER BY t.key"
        ).forEach { result[$0.integer(0), default: []].append($0.text(1)) }
        return result
    }

    /// The ids of the snapshots that have a companion which cannot be read: what it told of them is not known.
    package static func withDamagedCompanion(_ db: Database) throws -> Set<Int64> {
        var result: Set<Int64> = []
        try Statement(db, "SELECT snapshot_id FROM problem_row WHERE kind = 'companion' AND snapshot_id IS NOT NULL")
            .forEach { result.insert($0.integer(0)) }
        return result
    }

    package static func isEmpty(_ db: Database) throws -> Bool {
        try Statement(db, "SELECT 1 FROM snapshot_row LIMIT 1").first { _ in false } ?? true
    }

    /// How many versions the snapshots after the earlier and up to the later one have begun or ended, at least.
    package static func changes(_ db: Database, between first: SnapshotTime, and second: SnapshotTime) throws -> Int64 {
        try Statement(
            db,
            """
            SELECT coalesce(sum(added + changed + metadata_changed + removed), 0) FROM snapshot_row
            WHERE taken_at > min(?1, ?2) AND taken_at <= max(?1, ?2)
            """
        ).bind(1, first.microseconds).bind(2, second.microseconds).first { $0.integer(0) } ?? 0
    }

    /// Problems that belong to no snapshot: files of the snap root that are ignored.
    package static func ignoredFiles(_ db: Database) throws -> [[UInt8]: String] {
        var result: [[UInt8]: String] = [:]
        try Statement(db, "SELECT name, message FROM problem_row WHERE snapshot_id IS NULL AND kind = 'ignored'")
            .forEach { result[$0.bytes(0)] = $0.text(1) }
        return result
    }

    package static func replaceIgnoredFiles(_ db: Database, _ files: [[UInt8]: String]) throws {
        try Statement(db, "DELETE FROM problem_row WHERE snapshot_id IS NULL AND kind = 'ignored'").run()
        let insert = try Statement(
            db, "INSERT INTO problem_row (snapshot_id, name, kind, message) VALUES (NULL, ?, 'ignored', ?)")
        for (name, message) in files.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            try insert.bind(1, text: name).bind(2, text: message).run()
        }
    }
}

extension Catalog {
    /// Keeps a setting, which the view `catalog_info` shows; writes only where it is another.
    package func remember(_ key: String, _ value: String) throws {
        let known = try read { db in
            try Statement(db, "SELECT value FROM setting WHERE key = ?").bind(1, text: key).first { $0.text(0) }
        }
        guard known != value else { return }
        try write { db in
            try Statement(db, "INSERT OR REPLACE INTO setting VALUES (?, ?)").bind(1, text: key).bind(2, text: value).run()
        }
    }
}
