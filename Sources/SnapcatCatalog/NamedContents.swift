import GRDB
import SnapcatFormat
import SnapcatPlatform

/// The contents that snapshots name, seen from the versions: which of them are new at a snapshot, and what their
/// coming and going means for the heap's objects. What the heap holds is `HeapMembership`'s.
final class NamedContents {
    private let db: Database
    private let heapIsKnown: Bool
    private let markNamed: Statement
    private let holds: Statement
    private let addMissing: Statement

    init(_ db: Database) throws {
        self.db = db
        heapIsKnown = try HeapMembership.isKnown(db)
        markNamed = try Statement(db, "UPDATE heap_object SET is_named = 1 WHERE md5 = ? AND is_named = 0")
        holds = try Statement(db, "SELECT 1 FROM heap_object WHERE md5 = ?")
        addMissing = try Statement(db, "INSERT OR IGNORE INTO missing_row VALUES (?)")
    }

    /// A version names the content. What the last listing of the heap did not have is missing until the next has it.
    func see(_ md5: MD5Digest) throws {
        guard heapIsKnown else { return }
        let hex = md5.hexBytes
        try markNamed.bind(1, text: hex).run()
        guard db.changesCount == 0, try holds.bind(1, text: hex).first({ _ in true }) == nil else { return }
        try addMissing.bind(1, text: hex).run()
    }

    /// The same for every version at once: after the first snapshot.
    func seeAll() throws {
        guard heapIsKnown else { return }
        try Statement(
            db,
            "UPDATE heap_object SET is_named = EXISTS (SELECT 1 FROM version AS v WHERE v.md5_text = heap_object.md5)"
        ).run()
        try Statement(
            db,
            """
            INSERT OR IGNORE INTO missing_row
            SELECT DISTINCT v.md5_text FROM version AS v
            WHERE v.md5_text IS NOT NULL AND NOT EXISTS (SELECT 1 FROM heap_object AS h WHERE h.md5 = v.md5_text)
            """
        ).run()
    }

    // MARK: First sight

    /// Sets `new_bytes` of the snapshots at `times`: contents that none before them names, each counted once.
    func updateNewBytes(at times: Set<Int64>) throws {
        let update = try Statement(
            db,
            """
            UPDATE snapshot_row SET new_bytes = (
                SELECT CAST(total(n.size) AS INTEGER) FROM (
                    SELECT v.md5_text AS md5, max(v.size) AS size FROM version AS v INDEXED BY version_opened
                    WHERE v.valid_from = ?1 AND v.md5_text IS NOT NULL GROUP BY v.md5_text
                ) AS n
                WHERE NOT EXISTS (SELECT 1 FROM version AS o WHERE o.md5_text = n.md5 AND o.valid_from < ?1))
            WHERE taken_at = ?1
            """)
        for time in times.sorted() { try update.bind(1, time).run() }
    }

    /// The later snapshots that are no longer the first to name something, now that the one at `time` is there.
    func snapshotsThatLostFirstSight(to time: Int64) throws -> Set<Int64> {
        var result: Set<Int64> = []
        try Statement(
            db,
            """
            SELECT DISTINCT (SELECT min(l.valid_from) FROM version AS l WHERE l.md5_text = v.md5_text AND l.valid_from > ?1)
            FROM version AS v INDEXED BY version_opened
            WHERE v.valid_from = ?1 AND v.md5_text IS NOT NULL
                AND NOT EXISTS (SELECT 1 FROM version AS o WHERE o.md5_text = v.md5_text AND o.valid_from < ?1)
            """
        ).bind(1, time).forEach { if let later = $0.optionalInteger(0) { result.insert(later) } }
        return result
    }

    // MARK: Removing a snapshot

    /// Remembers the contents that the snapshot at `time` is the first to name, before its versions go.
    func prepareRemoval(of time: Int64) throws {
        try Statement(db, "DROP TABLE IF EXISTS temp.first_named").run()
        try Statement(db, "CREATE TEMP TABLE first_named (md5 TEXT PRIMARY KEY) WITHOUT ROWID").run()
        try Statement(
            db,
            """
            INSERT OR IGNORE INTO temp.first_named SELECT v.md5_text FROM version AS v INDEXED BY version_opened
            WHERE v.valid_from = ?1 AND v.md5_text IS NOT NULL
                AND NOT EXISTS (SELECT 1 FROM version AS o WHERE o.md5_text = v.md5_text AND o.valid_from < ?1)
            """
        ).bind(1, time).run()
    }

    /// After its versions are gone: what nothing names any more, and the snapshots that are now the first to name.
    func finishRemoval() throws -> Set<Int64> {
        let unnamed = "SELECT f.md5 FROM temp.first_named AS f WHERE NOT EXISTS (SELECT 1 FROM version AS v WHERE v.md5_text = f.md5)"
        try Statement(db, "UPDATE heap_object SET is_named = 0 WHERE md5 IN (\(unnamed))").run()
        try Statement(db, "DELETE FROM missing_row WHERE md5 IN (\(unnamed))").run()
        var heirs: Set<Int64> = []
        try Statement(
            db,
            """
            SELECT DISTINCT (SELECT min(v.valid_from) FROM version AS v WHERE v.md5_text = f.md5)
            FROM temp.first_named AS f
            """
        ).forEach { if let time = $0.optionalInteger(0) { heirs.insert(time) } }
        try Statement(db, "DROP TABLE temp.first_named").run()
        return heirs
    }
}
