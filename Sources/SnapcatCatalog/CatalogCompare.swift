/// The comparison of two snapshots as SQL over the versions (CATALOG.md): only versions that one side has and the
/// other has not are read, so that the cost follows the changes between them and not the tree.
package struct CatalogCompare: Sendable {
    /// Which versions are read, and how.
    package enum Road: Sendable {
        /// By the two indexes of time: for few changes.
        case changes
        /// One pass over all versions, in their order: for many.
        case pass
        /// All names, also those that are equal.
        case all
    }

    package var road: Road
    /// Symlinks, folders and special files too.
    package var includesNodes: Bool

    package init(road: Road, includesNodes: Bool) {
        self.road = road
        self.includesNodes = includesNodes
    }

    /// The road for a number of changes between two snapshots, the larger of which has `files` entries: a version
    /// found by an index costs several times what one costs in passing.
    package static func road(changes: Int64, files: Int64) -> Road { changes > files / 8 ? .pass : .changes }

    /// What is told of each side; in `pairs` `_left` and `_right` are appended.
    private static let columns = ["type", "size", "md5", "mtime", "mtime_ns", "mode", "uid", "gid", "destination"]

    /// Rows `name`, `status` and the columns of both sides, by name. `:left` and `:right` are the snapshots' times.
    private var pairs: String {
        let sides = Self.columns.map { column in
            "max(iif(c.side = 0, c.\(column), NULL)) AS \(column)_left, max(iif(c.side = 1, c.\(column), NULL)) AS \(column)_right"
        }
        return """
            WITH side_row AS (
            \(branches.joined(separator: "\n    UNION ALL\n"))
            ), pair AS (
                SELECT p.name AS name,
                    \(sides.joined(separator: ",\n        "))
                FROM side_row AS c JOIN path AS p ON p.id = c.path_id GROUP BY p.name
            )
            """
    }

    private static let status = """
        CASE WHEN type_right IS NULL THEN 'only_left'
                WHEN type_left IS NULL THEN 'only_right'
                WHEN type_left <> type_right OR md5_left IS NOT md5_right OR destination_left IS NOT destination_right
                    THEN 'different'
                WHEN mode_left IS NOT mode_right OR uid_left IS NOT uid_right OR gid_left IS NOT gid_right
                    OR iif(mtime_ns_left IS NULL OR mtime_ns_right IS NULL,
                        mtime_left IS NOT mtime_right, mtime_ns_left <> mtime_ns_right) THEN 'metadata'
                ELSE 'equal' END
        """

    /// The columns of the contract (CLI.md, "compare"), by name.
    package var sql: String {
        """
        \(pairs)
        SELECT \(Self.status) AS status, name, type_left, type_right, size_left, size_right,
            nullif(lower(hex(md5_left)), '') AS md5_left, nullif(lower(hex(md5_right)), '') AS md5_right,
            mtime_left, mtime_right, mode_left, mode_right
        FROM pair
        """
    }

    /// One row a side, by name, the left one first: name, side, then the columns of an item.
    package var sidesSQL: String {
        """
        SELECT p.name, c.side, \(Self.columns.map { "c." + $0 }.joined(separator: ", "))
        FROM (
        \(branches.joined(separator: "\n    UNION ALL\n"))
        ) AS c CROSS JOIN path AS p ON p.id = c.path_id ORDER BY p.name, c.side
        """
    }

    // MARK: Branches

    private var branches: [String] {
        var result = branches(table: "version", columns: "'file' AS type, size, md5, \(Self.mtime) AS mtime, mtime_ns, mode, uid, gid, NULL AS destination")
        if includesNodes {
            result += branches(
                table: "node_version",
                columns: "type, NULL, NULL, \(Self.nodeMtime), mtime_ns, mode, uid, gid, destination")
        }
        return result
    }

    /// `side` is 0 for the left one, 1 for the right one.
    private func branches(table: String, columns: String) -> [String] {
        let (atLeft, atRight) = ("valid_from <= :left AND :left < valid_to", "valid_from <= :right AND :right < valid_to")
        func select(_ side: String, _ hint: String, _ condition: String) -> String {
            "    SELECT \(side) AS side, path_id, \(columns)\n    FROM \(table)\(hint) WHERE \(condition)"
        }
        switch road {
        case .all: return [select("0", "", atLeft), select("1", "", atRight)]
        case .pass:
            // In the order of the table itself: without a rowid, NOT INDEXED would leave the choice to the planner.
            return [
                select(
                    "iif(\(atLeft), 0, 1)", " INDEXED BY sqlite_autoindex_\(table)_1", "(\(atLeft)) <> (\(atRight))")
            ]
        case .changes:
            let (earlier, later) = ("min(:left, :right)", "max(:left, :right)")
            return [
                select(
                    "iif(:left <= :right, 0, 1)", " INDEXED BY \(table)_closed",
                    "\(earlier) < valid_to AND valid_to <= \(later) AND valid_to < 9223372036854775807 AND valid_from <= \(earlier)"),
                select(
                    "iif(:left <= :right, 1, 0)", " INDEXED BY \(table)_opened",
                    "\(earlier) < valid_from AND valid_from <= \(later) AND \(later) < valid_to"),
            ]
        }
    }

    /// CPython's double of the exact time, where the line's own is not kept.
    private static let mtime = "coalesce(mtime, \(nodeMtime))"
    private static let rest = "((mtime_ns % 1000000000) + 1000000000) % 1000000000"
    private static let nodeMtime = "(mtime_ns - \(rest)) / 1000000000 + 1e-9 * (\(rest))"
}
