import GRDB

/// The sums of a snapshot's row, from its versions.
extension CatalogWriter {
    /// The sums of the only snapshot: all of it is new. One pass instead of look-ups per version.
    func sumFirst(_ time: Int64, nodes: Int64?, isSorted: Bool) throws {
        try Statement(
            db,
            """
            UPDATE snapshot_row SET (files, added, bytes, new_bytes) = (
                SELECT coalesce(sum(c.files), 0), coalesce(sum(c.files), 0), CAST(total(c.bytes) AS INTEGER),
                    CAST(total(c.size) AS INTEGER)
                FROM (
                    -- Sorted anew: by version_md5 each row would be looked up in the table, md5_text being generated.
                    SELECT count(*) AS files, total(size) AS bytes, iif(md5 IS NULL, 0, max(size)) AS size
                    FROM version INDEXED BY sqlite_autoindex_version_1 GROUP BY md5
                ) AS c),
                nodes = ?2, is_sorted = ?3
            WHERE taken_at = ?1
            """
        ).bind(1, time).bind(2, nodes).bind(3, isSorted ? 1 : 0).run()
        try Statement(db, "UPDATE snapshot_row SET bytes = \(Self.allBytes) WHERE taken_at = ?1 AND abs(bytes * 1.0) >= \(Self.exactEnd)")
            .bind(1, time).run()
    }

    /// The sum of the sizes of all that a snapshot has, as `CatalogSnapshots.wrongSums` takes it.
    private static let allBytes = """
        (SELECT CAST(total(size) AS INTEGER) FROM version INDEXED BY sqlite_autoindex_version_1
            WHERE valid_from <= ?1 AND valid_to > ?1)
        """
    /// 2^53: from here on a double is not each whole number.
    private static let exactEnd = "9007199254740992.0"

    /// Files and bytes from those of the snapshot before and the changes since; then what changed.
    func updateTotals(_ time: Int64, _ neighbours: Neighbours, nodes: Int64?, isSorted: Bool) throws {
        try Statement(
            db,
            """
            UPDATE snapshot_row SET
                files = coalesce((SELECT files FROM snapshot_row WHERE taken_at = ?2), 0)
                    + (SELECT count(*) FROM version INDEXED BY version_opened WHERE valid_from = ?1)
                    - (SELECT count(*) FROM version INDEXED BY version_closed
                        WHERE valid_to = ?1 AND valid_to < 9223372036854775807),
                -- Sizes of foreign lines may be anything. A sum that does not fit stops at the largest number, and one that
                -- is not exact tells nothing of the next: there all is counted.
                bytes = (
                    SELECT iif(abs(c.before) + abs(c.opened) + abs(c.closed) < \(Self.exactEnd),
                        CAST(c.before + c.opened - c.closed AS INTEGER), \(Self.allBytes))
                    FROM (SELECT coalesce((SELECT bytes * 1.0 FROM snapshot_row WHERE taken_at = ?2), 0.0) AS before,
                        (SELECT total(size) FROM version INDEXED BY version_opened WHERE valid_from = ?1) AS opened,
                        (SELECT total(size) FROM version INDEXED BY version_closed
                            WHERE valid_to = ?1 AND valid_to < 9223372036854775807) AS closed) AS c),
                nodes = ?3, is_sorted = ?4
            WHERE taken_at = ?1
            """
        ).bind(1, time).bind(2, neighbours.before).bind(3, nodes).bind(4, isSorted ? 1 : 0).run()
        try updateChanges(of: time)
    }

    func updateChanges(of time: Int64) throws {
        try Statement(
            db,
            """
            UPDATE snapshot_row SET (added, changed, metadata_changed) = (
                SELECT coalesce(sum(b.path_id IS NULL), 0),
                    coalesce(sum(b.path_id IS NOT NULL AND b.md5 IS NOT v.md5), 0),
                    coalesce(sum(b.path_id IS NOT NULL AND b.md5 IS v.md5), 0)
                FROM version AS v INDEXED BY version_opened
                LEFT JOIN version AS b ON b.path_id = v.path_id AND b.valid_to = ?1
                    AND b.valid_from < ?1
                WHERE v.valid_from = ?1),
            removed = (
                SELECT count(*) FROM version AS v INDEXED BY version_closed
                WHERE v.valid_to = ?1 AND v.valid_to < 9223372036854775807 AND NOT EXISTS (
                    SELECT 1 FROM version AS n WHERE n.path_id = v.path_id AND n.valid_from = ?1))
            WHERE taken_at = ?1
            """
        ).bind(1, time).run()
    }
}
