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
    }

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
                -- Sizes of foreign lines may be anything: a sum that does not fit stops at the largest number.
                bytes = CAST(coalesce((SELECT bytes FROM snapshot_row WHERE taken_at = ?2), 0)
                    + (SELECT total(size) FROM version INDEXED BY version_opened WHERE valid_from = ?1)
                    - (SELECT total(size) FROM version INDEXED BY version_closed
                        WHERE valid_to = ?1 AND valid_to < 9223372036854775807) AS INTEGER),
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
