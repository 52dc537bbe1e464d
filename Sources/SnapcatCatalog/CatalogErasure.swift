import GRDB
import GRDBSQLite
import SnapcatPlatform

/// Names that are gone from the history go from the catalog's file too: for a purge.
extension Catalog {
    /// Whether it has one of the names, or something below one, be it that no version has it any more.
    package func knows(_ names: some Sequence<[UInt8]>) throws -> Bool {
        try read { db in
            for table in ["path", "folder"] {
                let find = try Statement(db, "SELECT 1 FROM \(table) WHERE name = ?1 OR name >= ?2 AND name < ?3 LIMIT 1")
                for name in names {
                    let (first, end) = (name + [UInt8(ascii: "/")], name + [UInt8(ascii: "/") + 1])
                    if try find.bind(1, text: name).bind(2, text: first).bind(3, text: end).first({ _ in true }) != nil { return true }
                }
            }
            return false
        }
    }

    /// Takes out the names that no version has, and what the file and its journal still hold of rows that were deleted.
    ///
    /// Throws `.locked` where another process reads the journal for longer than a few seconds: it holds the old pages.
    /// Cost: writes the whole file anew.
    package func eraseUnusedNames() throws {
        try executeOutsideTransaction("PRAGMA secure_delete = ON")
        try write { db in
            try Statement(
                db,
                """
                DELETE FROM path WHERE NOT EXISTS (SELECT 1 FROM version AS v WHERE v.path_id = path.id)
                    AND NOT EXISTS (SELECT 1 FROM node_version AS n WHERE n.path_id = path.id)
                """
            ).run()
            try Statement(
                db,
                """
                WITH RECURSIVE used (id) AS (
                    SELECT folder_id FROM path
                    UNION SELECT f.parent_id FROM used AS u JOIN folder AS f ON f.id = u.id WHERE f.parent_id IS NOT NULL
                )
                DELETE FROM folder WHERE id NOT IN (SELECT id FROM used)
                """
            ).run()
        }
        // Pages that are free since long hold what was deleted then.
        try executeOutsideTransaction("VACUUM")
        let code = emptyJournal(waitSeconds: 3)
        if code == SQLITE_OK { return }
        var error = Self.mapped(DatabaseError(resultCode: ResultCode(rawValue: code)), path ?? [])
        if code == SQLITE_BUSY { error.reason = "another process reads it" }
        throw error
    }

    static let asideSuffix = ".replaced-"
    static let buildSuffix = ".rebuilding"

    /// What stands beside the catalog at `path` and was one: set aside, or left by a build that was killed.
    package static func formerCatalogs(of path: [UInt8]) throws -> [[UInt8]] {
        let slash = path.lastIndex(of: UInt8(ascii: "/"))
        let folder = slash.map { $0 == 0 ? [UInt8(ascii: "/")] : Array(path[..<$0]) } ?? [UInt8(ascii: ".")]
        let name = path[(slash.map { $0 + 1 } ?? 0)...]
        let beginnings = [asideSuffix, buildSuffix].map { name + Array($0.utf8) }
        let names = try withSystemErrors("Cannot look for former catalogs", folder) {
            try FolderListing.items(in: try Descriptor.open(folder, [.read, .folder])).map(\.name)
        }
        return names.filter { name in beginnings.contains { name.starts(with: $0) } }
            .sorted { $0.lexicographicallyPrecedes($1) }.map { path[..<(slash.map { $0 + 1 } ?? 0)] + $0 }
    }
}
