import SnapcatFormat
import SnapcatPlatform

extension Question {
    /// What the rows of `growth` are.
    public enum GrowthGroup: String, Sendable, CaseIterable { case path, dir, ext, snapshot }

    /// What was added and removed after a snapshot's time, the largest growth first.
    ///
    /// Every change on the way counts, so a file that came and went is in both counts and in neither size.
    /// `new_bytes`: contents that were first named since then, each counted once: in the first snapshot that has it,
    /// at its first path by name. `depth`: so many folders of a path, all where nil; for `dir`.
    public static func growth(since: Int64, by group: GrowthGroup, depth: Int? = nil) -> Question {
        let key: String
        var (folders, join) = ("", "")
        switch group {
        case .path: key = "c.name"
        case .snapshot: key = "c.taken_at"
        case .ext: key = "(SELECT v.ext FROM file_version AS v WHERE v.name = c.name LIMIT 1)"
        case .dir:
            let dir = "rtrim(rtrim(c.name, replace(c.name, '/', '')), '/')"
            key = depth == nil ? dir : "f.top"
            if depth != nil { (folders, join) = (topFolders, " LEFT JOIN top AS f ON f.dir = \(dir)") }
        }
        var question = Question(
            """
            WITH RECURSIVE changed AS MATERIALIZED (
                SELECT name, taken_at, taken_at_us, status, md5_after, size_before, size_after
                FROM change
                WHERE taken_at_us > CAST(:since AS INTEGER)
                    AND status <> 'metadata'
            ), placed AS (
                SELECT *, row_number() OVER (PARTITION BY md5_after ORDER BY taken_at_us, name) AS place FROM changed
            )\(folders)
            SELECT \(key) AS \(group == .path ? "name" : group.rawValue),
                sum(coalesce(c.size_after, 0) - coalesce(c.size_before, 0)) AS size_change,
                coalesce(sum(c.size_after) FILTER (WHERE c.place = 1 AND NOT EXISTS (
                    SELECT 1 FROM file_version AS o
                    WHERE o.md5 = c.md5_after
                        AND o.valid_from_us <= CAST(:since AS INTEGER))), 0) AS new_bytes,
                count(*) FILTER (WHERE c.status = 'added') AS added,
                count(*) FILTER (WHERE c.status = 'changed') AS changed,
                count(*) FILTER (WHERE c.status = 'removed') AS removed
            FROM placed AS c\(join)
            GROUP BY 1
            ORDER BY size_change DESC, new_bytes DESC, 1
            """)
        question.parameters["since"] = String(since)
        if group == .dir, let depth { question.parameters["depth"] = String(depth) }
        return question
    }

    /// The first `:depth` components of each folder.
    private static let topFolders = """
        , cut(dir, top, rest, level) AS (
            SELECT DISTINCT rtrim(rtrim(name, replace(name, '/', '')), '/'), '',
                rtrim(rtrim(name, replace(name, '/', '')), '/') || '/', 0
            FROM changed
            UNION ALL
            SELECT dir, top || substr(rest, 1, instr(rest, '/')), substr(rest, instr(rest, '/') + 1), level + 1
            FROM cut WHERE rest <> '' AND level < CAST(:depth AS INTEGER)
        ), top AS MATERIALIZED (
            SELECT dir, rtrim(top, '/') AS top FROM cut WHERE rest = '' OR level = CAST(:depth AS INTEGER)
        )
        """

    /// Contents that a snapshot has under several names, the most wasteful first; `names`: a row for each name.
    public static func duplicates(snapshotId: Int64, minSize: Int64, names: Bool) -> Question {
        let contents = """
            SELECT max(size) * (count(*) - 1) AS wasted_bytes, count(*) AS files, max(size) AS size, md5, min(name) AS name
                FROM snapshot_file
                WHERE snapshot_id = :snapshot AND size >= CAST(:min_size AS INTEGER) AND md5 IS NOT NULL
                GROUP BY md5
                HAVING count(*) > 1
            """
        let parameters = ["snapshot": String(snapshotId), "min_size": String(minSize)]
        if !names { return Question(contents + "\nORDER BY wasted_bytes DESC, md5", parameters) }
        return Question(
            """
            WITH duplicate AS MATERIALIZED (
                \(contents)
            )
            SELECT d.wasted_bytes, d.files, d.size, d.md5, f.name
            FROM snapshot_file AS f JOIN duplicate AS d ON d.md5 = f.md5
            WHERE f.snapshot_id = :snapshot
            ORDER BY d.wasted_bytes DESC, d.md5, f.name
            """, parameters)
    }

    /// Where the history has contents. `contents`: what the user calls each, and its md5.
    public static func whereis(_ contents: [(label: String, md5: MD5Digest)]) -> Question {
        let wanted = JSONValue.array(
            contents.map { .array([.text($0.label), .text(String(decoding: $0.md5.hexBytes, as: UTF8.self))]) })
        return Question(
            """
            SELECT w.value ->> 0 AS file, w.value ->> 1 AS md5, v.name, min(v.valid_from) AS first_seen,
                CASE WHEN NOT max(v.is_current) THEN max(v.valid_to) END AS valid_to, max(v.is_current) AS is_current,
                max(v.size) AS size, (SELECT o.present FROM object AS o WHERE o.md5 = w.value ->> 1) AS present
            FROM json_each(:wanted) AS w CROSS JOIN file_version AS v ON v.md5 = w.value ->> 1
            GROUP BY w.key, v.name
            ORDER BY w.key, v.name
            """, ["wanted": String(decoding: wanted.bytes, as: UTF8.self)])
    }

    /// The numbers of a repository, in one row.
    public static let stats = Question(
        """
        SELECT
            (SELECT count(*) FROM snapshot) AS snapshots,
            (SELECT min(taken_at) FROM snapshot) AS first_snapshot,
            (SELECT max(taken_at) FROM snapshot) AS last_snapshot,
            (SELECT count(*) FROM current_file) AS files,
            (SELECT CAST(total(size) AS INTEGER) FROM current_file) AS bytes,
            (SELECT count(DISTINCT name) FROM file_version) AS names,
            (SELECT count(*) FROM file_version) AS versions,
            (SELECT count(*) FROM object WHERE size IS NOT NULL) AS contents,
            (SELECT CAST(total(size) AS INTEGER) FROM object) AS content_bytes,
            (SELECT sum(stored_bytes) FROM object WHERE present = 1) AS stored_bytes,
            (SELECT count(*) FROM missing_object) AS missing,
            (SELECT count(*) FROM orphan_object) AS orphans,
            (SELECT c.page_count * s.page_size FROM pragma_page_count AS c, pragma_page_size AS s) AS catalog_bytes
        """)
}
