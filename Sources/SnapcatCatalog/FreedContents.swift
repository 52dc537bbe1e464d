/// What forgetting a set of snapshots frees: the contents that only those snapshots name.
package enum FreedContents {
    /// Rows `md5, size`. `ids`: the snapshots' ids, separated by commas, or a SELECT of them.
    ///
    /// A version goes where no remaining snapshot is within its time; it then begins at a forgotten one, so only the
    /// versions that begin there are looked at. A content goes where all its versions go.
    package static func sql(forgetting ids: String) -> String {
        // Not a common table expression: SQLite 3.40 fills one that two subqueries share only in the first.
        func remaining(in version: String) -> String {
            """
            SELECT 1 FROM snapshot AS r WHERE r.status <> 'damaged' AND r.id NOT IN (\(ids))
                        AND r.taken_at_us >= \(version).valid_from_us
                        AND r.taken_at_us < coalesce(\(version).valid_to_us, 9223372036854775807)
            """
        }
        return """
            SELECT g.md5 AS md5, g.size AS size FROM (
                SELECT v.md5 AS md5, max(v.size) AS size FROM file_version AS v
                WHERE v.first_snapshot_id IN (\(ids)) AND v.md5 IS NOT NULL AND NOT EXISTS (
                    \(remaining(in: "v")))
                GROUP BY v.md5
            ) AS g
            WHERE NOT EXISTS (
                SELECT 1 FROM file_version AS o WHERE o.md5 = g.md5 AND EXISTS (
                    \(remaining(in: "o"))))
            """
    }

    /// The time of the last snapshot that names the content `?1`, in microseconds.
    package static let lastSnapshotSQL = """
        SELECT max(s.taken_at) FROM version AS v
        JOIN snapshot_row AS s ON s.status <> 'damaged' AND s.taken_at >= v.valid_from AND s.taken_at < v.valid_to
        WHERE v.md5_text = ?1
        """
}
