import GRDB
import SnapcatFormat
import SnapcatPlatform

/// The comparison of two snapshots as SQL over the versions (CATALOG.md): two range scans, so that the cost follows
/// the changes between them and not the tree.
package enum CatalogCompare {
    private static let end = "9223372036854775807"

    /// The statement. `:left` and `:right` are the snapshots' times, `:left` the earlier one.
    ///
    /// `all`: also names that no row changed for (they are equal); then it is a scan of the state at `:left`.
    /// `nodes`: symlinks, folders and special files too.
    package static func sql(all: Bool, nodes: Bool, swapped: Bool) -> String {
        let gone = all ? "" : "AND valid_to <= :right AND valid_to < \(end)"
        let from = all ? "" : "INDEXED BY"
        let (leftLabel, rightLabel) = swapped ? ("right", "left") : ("left", "right")
        let before = """
            SELECT path_id, 'file' AS type, md5, size, \(mtime("")) AS mtime, mtime_ns, mode, uid, gid, NULL AS destination
                FROM version \(all ? "" : from + " version_closed")
                WHERE valid_to > :left AND valid_from <= :left \(gone)
            """ + (nodes ? """

                UNION ALL
                SELECT path_id, type, NULL, NULL, \(nodeMtime("")), mtime_ns, mode, uid, gid, destination
                FROM node_version \(all ? "" : from + " node_version_closed")
                WHERE valid_to > :left AND valid_from <= :left \(gone)
            """ : "")
        let came = """
            SELECT v.path_id AS path_id, 'file' AS type, v.md5 AS md5, v.size AS size, \(mtime("v.")) AS mtime,
                    v.mode AS mode, NULL AS destination
                FROM version AS v INDEXED BY version_opened
                WHERE v.valid_from > :left AND v.valid_from <= :right AND v.valid_to > :right
            """ + (nodes ? """

                UNION ALL
                SELECT v.path_id, v.type, NULL, NULL, \(nodeMtime("v.")), v.mode, v.destination
                FROM node_version AS v INDEXED BY node_version_opened
                WHERE v.valid_from > :left AND v.valid_from <= :right AND v.valid_to > :right
            """ : "")
        let nodeJoin = nodes ? """

                LEFT JOIN node_version AS n
                    ON n.path_id = b.path_id AND n.valid_from <= :right AND n.valid_to > :right
            """ : ""
        let n = { (column: String) in nodes ? "n.\(column)" : "NULL" }
        let stillThere = """
            NOT EXISTS (SELECT 1 FROM version AS o WHERE o.path_id = c.path_id AND o.valid_from <= :left AND o.valid_to > :left)
            """ + (nodes ? """

                AND NOT EXISTS (
                    SELECT 1 FROM node_version AS o WHERE o.path_id = c.path_id AND o.valid_from <= :left AND o.valid_to > :left)
            """ : "")
        return """
            WITH before AS (
                \(before)
            ), came AS (
                \(came)
            ), joined AS (
                SELECT b.path_id AS path_id,
                    CASE WHEN r.path_id IS NULL AND \(n("path_id")) IS NULL THEN 'only_\(leftLabel)'
                        WHEN b.type IS NOT iif(r.path_id IS NULL, \(n("type")), 'file') OR b.md5 IS NOT r.md5
                            OR b.destination IS NOT \(n("destination")) THEN 'different'
                        WHEN b.mode IS NOT iif(r.path_id IS NULL, \(n("mode")), r.mode)
                            OR b.uid IS NOT iif(r.path_id IS NULL, \(n("uid")), r.uid)
                            OR b.gid IS NOT iif(r.path_id IS NULL, \(n("gid")), r.gid)
                            OR iif(b.mtime_ns IS NULL OR iif(r.path_id IS NULL, \(n("mtime_ns")), r.mtime_ns) IS NULL,
                                b.mtime IS NOT iif(r.path_id IS NULL, \(nodes ? nodeMtime("n.") : "NULL"), \(mtime("r."))),
                                b.mtime_ns IS NOT iif(r.path_id IS NULL, \(n("mtime_ns")), r.mtime_ns)) THEN 'metadata'
                        ELSE 'equal' END AS status,
                    b.type AS type_a, iif(r.path_id IS NULL, \(n("type")), 'file') AS type_b,
                    b.size AS size_a, r.size AS size_b, b.md5 AS md5_a, r.md5 AS md5_b,
                    b.mtime AS mtime_a, iif(r.path_id IS NULL, \(nodes ? nodeMtime("n.") : "NULL"), \(mtime("r."))) AS mtime_b,
                    b.mode AS mode_a, iif(r.path_id IS NULL, \(n("mode")), r.mode) AS mode_b
                FROM before AS b
                LEFT JOIN version AS r ON r.path_id = b.path_id AND r.valid_from <= :right AND r.valid_to > :right\(nodeJoin)
                UNION ALL
                SELECT c.path_id, 'only_\(rightLabel)', NULL, c.type, NULL, c.size, NULL, c.md5, NULL, c.mtime, NULL, c.mode
                FROM came AS c
                WHERE \(stillThere)
            )
            SELECT j.status AS status, p.name AS name,
                j.type_\(swapped ? "b" : "a") AS type_left, j.type_\(swapped ? "a" : "b") AS type_right,
                j.size_\(swapped ? "b" : "a") AS size_left, j.size_\(swapped ? "a" : "b") AS size_right,
                nullif(lower(hex(j.md5_\(swapped ? "b" : "a"))), '') AS md5_left, nullif(lower(hex(j.md5_\(swapped ? "a" : "b"))), '') AS md5_right,
                j.mtime_\(swapped ? "b" : "a") AS mtime_left, j.mtime_\(swapped ? "a" : "b") AS mtime_right,
                j.mode_\(swapped ? "b" : "a") AS mode_left, j.mode_\(swapped ? "a" : "b") AS mode_right
            FROM joined AS j JOIN path AS p ON p.id = j.path_id
            """
    }

    /// CPython's double of the exact time, where the line's own is not kept.
    private static func mtime(_ prefix: String) -> String {
        "coalesce(\(prefix)mtime, \(nodeMtime(prefix)))"
    }

    private static func nodeMtime(_ prefix: String) -> String {
        let ns = "\(prefix)mtime_ns"
        let rest = "((\(ns) % 1000000000) + 1000000000) % 1000000000"
        return "(\(ns) - \(rest)) / 1000000000 + 1e-9 * (\(rest))"
    }
}
