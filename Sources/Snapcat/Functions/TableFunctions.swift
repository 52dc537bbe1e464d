import SnapcatCatalog
import SnapcatPlatform

/// The functions of SQL that give rows (CATALOG.md, "The stable contract").
extension FunctionSupport {
    var tables: [TableFunction] { [diff, filesAt, history, growth] }

    /// `diff(left, right)`: what differs between two snapshots, with the columns of compare; the last two without
    /// arguments. Files with other metadata only have the status `metadata`.
    private var diff: TableFunction {
        TableFunction(
            "diff", ["left", "right"],
            columns: [
                ("status", "TEXT"), ("name", "TEXT"), ("type_left", "TEXT"), ("type_right", "TEXT"),
                ("size_left", "INTEGER"), ("size_right", "INTEGER"), ("md5_left", "TEXT"), ("md5_right", "TEXT"),
                ("mtime_left", "REAL"), ("mtime_right", "REAL"), ("mode_left", "INTEGER"), ("mode_right", "INTEGER"),
            ]
        ) { arguments, connection in
            let (compare, parameters) = try comparison(arguments, connection)
            return TableFunction.Selection("\(compare.sql) WHERE status <> 'equal'", parameters)
        }
    }

    /// `files_at(ref)`: the files of a snapshot; of the latest without an argument.
    private var filesAt: TableFunction {
        let columns = [
            ("name", "TEXT"), ("dir", "TEXT"), ("basename", "TEXT"), ("ext", "TEXT"), ("size", "INTEGER"),
            ("md5", "TEXT"), ("mode", "INTEGER"), ("uid", "INTEGER"), ("gid", "INTEGER"), ("mtime", "REAL"),
            ("mtime_ns", "INTEGER"), ("extra", "TEXT"),
        ]
        return TableFunction("files_at", ["ref"], columns: columns, keys: ["name", "dir", "md5"]) { arguments, connection in
            let names = columns.map(\.0).joined(separator: ", ")
            return TableFunction.Selection(
                "SELECT \(names) FROM snapshot_file WHERE snapshot_id = :snapshot",
                ["snapshot": .integer(try snapshot(arguments[0], orBack: 0, connection).id)])
        }
    }

    /// `history(name)`: the versions of a file, the oldest first.
    private var history: TableFunction {
        let columns = [
            ("name", "TEXT"), ("valid_from", "TEXT"), ("valid_to", "TEXT"), ("md5", "TEXT"), ("size", "INTEGER"),
            ("mode", "INTEGER"), ("mtime", "REAL"), ("is_current", "INTEGER"),
        ]
        return TableFunction("history", ["name"], columns: columns) { arguments, _ in
            guard let name = arguments[0] else {
                throw SnapcatError(.usage, "No name", "history", advice: "write history('folder/file')")
            }
            let names = columns.map(\.0).joined(separator: ", ")
            return TableFunction.Selection(
                "SELECT \(names) FROM file_version WHERE name = :file ORDER BY valid_from_us", ["file": name])
        }
    }

    /// `growth(left, right)`: what the files that differ add or free. `new_bytes` are those of contents that no
    /// snapshot up to `left` names, each counted once, at the first of its names.
    private var growth: TableFunction {
        TableFunction(
            "growth", ["left", "right"],
            columns: [
                ("status", "TEXT"), ("name", "TEXT"), ("dir", "TEXT"), ("ext", "TEXT"), ("size_left", "INTEGER"),
                ("size_right", "INTEGER"), ("growth", "INTEGER"), ("new_bytes", "INTEGER"),
            ]
        ) { arguments, connection in
            var (compare, parameters) = try comparison(arguments, connection)
            compare.includesNodes = false
            return TableFunction.Selection(
                """
                SELECT CASE d.status WHEN 'only_left' THEN 'removed' WHEN 'only_right' THEN 'added' ELSE 'changed' END AS status,
                    d.name AS name, f.name AS dir, p.ext AS ext, d.size_left AS size_left, d.size_right AS size_right,
                    coalesce(d.size_right, 0) - coalesce(d.size_left, 0) AS growth,
                    iif((SELECT min(v.valid_from) FROM version AS v WHERE v.md5_text = d.md5_right) > :left
                        AND row_number() OVER (PARTITION BY d.md5_right ORDER BY d.name) = 1, d.size_right, 0) AS new_bytes
                FROM (\(compare.sql) WHERE status IN ('only_left', 'only_right', 'different')) AS d
                JOIN path AS p ON p.name = d.name JOIN folder AS f ON f.id = p.folder_id
                """, parameters)
        }
    }

    // MARK: Arguments

    /// Without an argument: the latest snapshot but `back`.
    private func snapshot(
        _ argument: QueryValue?, orBack back: Int, _ connection: FunctionConnection
    ) throws -> (id: Int64, time: Int64) {
        guard let argument else { return try snapshot(.latest(back: back), connection) }
        return try snapshot(argument, connection)
    }

    private func comparison(
        _ arguments: [QueryValue?], _ connection: FunctionConnection
    ) throws -> (CatalogCompare, [String: QueryValue]) {
        // As compare: with one argument that one and the latest.
        let left = try snapshot(arguments[0], orBack: 1, connection)
        let right = try snapshot(arguments[1], orBack: 0, connection)
        let parameters: [String: QueryValue] = ["left": .integer(left.time), "right": .integer(right.time)]
        let facts = try connection.rows(
            """
            SELECT (SELECT coalesce(sum(added + changed + metadata_changed + removed), 0) FROM snapshot_row
                    WHERE taken_at > min(:left, :right) AND taken_at <= max(:left, :right)),
                max(files), count(nodes) = 2
            FROM snapshot_row WHERE taken_at IN (:left, :right)
            """, parameters)
        guard case .integer(let changes)? = facts.first?[0], case .integer(let files)? = facts.first?[1] else {
            throw SnapcatError(.noSnapshot, "No such snapshot")
        }
        let road = CatalogCompare.road(changes: changes, files: files)
        return (CatalogCompare(road: road, includesNodes: facts.first?[2] == .integer(1)), parameters)
    }
}
