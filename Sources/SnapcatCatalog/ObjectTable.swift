import GRDB
import SnapcatFormat
import SnapcatPlatform

/// The contents that snapshots name: first sight and size. What the heap holds is `HeapMembership`'s.
final class ObjectTable {
    private let db: Database
    private let find: Statement
    private let add: Statement
    private let moveFirstSight: Statement
    private let heapIsKnown: Bool
    /// Bytes of contents that the snapshot being added is the first to name.
    private(set) var newBytes: Int64 = 0
    /// A snapshot later than the one being added has lost its first sight of something.
    private(set) var movedFirstSight = false

    init(_ db: Database) throws {
        self.db = db
        find = try Statement(db, "SELECT first_seen FROM object_row WHERE md5 = ?")
        add = try Statement(db, "INSERT INTO object_row (md5, size, first_seen, present) VALUES (?, ?, ?, ?)")
        moveFirstSight = try Statement(
            db, "UPDATE object_row SET first_seen = ?, size = coalesce(size, ?) WHERE md5 = ?")
        heapIsKnown = try HeapMembership.isKnown(db)
    }

    /// A snapshot at `time` names the content.
    func see(_ md5: MD5Digest, size: Int64?, at time: Int64) throws {
        let hex = md5.hexBytes
        guard let known = try find.bind(1, text: hex).first({ $0.optionalInteger(0) }) else {
            // What the last listing did not have is missing until the next one has it.
            try add.bind(1, text: hex).bind(2, size).bind(3, time).bind(4, heapIsKnown ? 0 : nil).run()
            newBytes += size ?? 0
            return
        }
        if let firstSeen = known {
            guard firstSeen > time else { return }
            movedFirstSight = true
        } else {
            newBytes += size ?? 0
        }
        try moveFirstSight.bind(1, time).bind(2, size).bind(3, text: hex).run()
    }

    /// The same for every version of the first snapshot at once.
    func seeAll(at time: Int64) throws {
        try Statement(
            db,
            """
            INSERT INTO object_row (md5, size, first_seen, present)
            SELECT nullif(lower(hex(md5)), '') AS name, max(size), ?1, ?2 FROM version INDEXED BY version_md5
            WHERE nullif(lower(hex(md5)), '') IS NOT NULL GROUP BY nullif(lower(hex(md5)), '')
            ON CONFLICT (md5) DO UPDATE SET first_seen = ?1, size = coalesce(size, excluded.size)
            """
        ).bind(1, time).bind(2, heapIsKnown ? 0 : nil).run()
        newBytes = try Statement(db, "SELECT coalesce(sum(size), 0) FROM object_row WHERE first_seen = ?").bind(1, time)
            .first { $0.integer(0) } ?? 0
    }

    /// A snapshot is gone, and its versions with it.
    func forget(_ time: Int64) throws {
        try Statement(
            db,
            """
            UPDATE object_row SET first_seen =
                (SELECT min(v.valid_from) FROM version AS v WHERE nullif(lower(hex(v.md5)), '') = object_row.md5)
            WHERE first_seen = ?
            """
        ).bind(1, time).run()
        try Statement(db, "DELETE FROM object_row WHERE first_seen IS NULL AND present IS NOT 1").run()
        try recomputeNewBytes()
    }

    func recomputeNewBytes() throws {
        try Statement(db, "UPDATE snapshot_row SET new_bytes = 0").run()
        try Statement(
            db,
            """
            UPDATE snapshot_row SET new_bytes = sums.bytes
            FROM (SELECT first_seen, coalesce(sum(size), 0) AS bytes FROM object_row
                WHERE first_seen IS NOT NULL GROUP BY first_seen) AS sums
            WHERE sums.first_seen = snapshot_row.taken_at
            """
        ).run()
    }
}
