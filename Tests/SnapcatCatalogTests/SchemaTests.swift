import Foundation
import GRDB
import SnapcatFormat
import SnapcatPlatform
import Testing

@testable import SnapcatCatalog

@Suite struct SchemaTests {
    private func rows(_ sql: String) throws -> [[String]] {
        try Catalog.temporary().read { db in
            var result: [[String]] = []
            let statement = try Statement(db, sql)
            try statement.forEach { row in result.append((0..<row.columnCount).map { row.text($0) }) }
            return result
        }
    }

    @Test func everyColumnOfEveryViewIsDescribed() throws {
        let views = try rows("SELECT name FROM sqlite_schema WHERE type = 'view' ORDER BY rowid").map { $0[0] }
        #expect(views == ["snapshot", "file_version", "snapshot_file", "current_file", "change", "snapshot_node",
            "folder_size", "object", "missing_object", "orphan_object", "problem", "catalog_info"])
        for view in views {
            let columns = try rows("SELECT name FROM pragma_table_info('\(view)')").map { $0[0] }
            let described = SchemaDescription.columns.filter { $0.view == view }
            #expect(described.map(\.name) == columns, "\(view)")
            #expect(described.allSatisfy { !$0.description.isEmpty }, "\(view)")
        }
    }

    @Test(arguments: [
        ("SELECT * FROM file_version WHERE name = 'a'", "path_name"),
        ("SELECT * FROM file_version WHERE md5 = 'a'", "version_md5"),
        ("SELECT * FROM current_file WHERE dir = 'a'", "path_folder"),
        ("SELECT * FROM object WHERE md5 = 'a'", "version_md5 (md5_text=?)"),
        ("SELECT (SELECT present FROM object AS o WHERE o.md5 = c.md5) FROM current_file AS c", "v USING INDEX version_md5 (md5_text=?)"),
        ("SELECT o.size FROM file_version AS c JOIN object AS o ON o.md5 = c.md5 WHERE c.name = 'a'", "version_md5 (md5_text=?)"),
        ("SELECT * FROM missing_object", "SCAN m"),
        ("SELECT * FROM orphan_object", "heap_object_unnamed"),
    ])
    func `A search uses its index`(sql: String, index: String) throws {
        let plan = try rows("EXPLAIN QUERY PLAN \(sql)").map { $0.joined(separator: " ") }
        #expect(plan.contains { $0.contains(index) }, "\(plan)")
    }

    @Test func compareReadsTheTwoTimeIndexesAndNoWholeTable() throws {
        for nodes in [false, true] {
            let compare = CatalogCompare(road: .changes, includesNodes: nodes)
            for sql in [compare.sql, compare.sidesSQL] {
                let plan = try rows("EXPLAIN QUERY PLAN \(sql)").map { $0.joined(separator: " ") }
                #expect(plan.contains { $0.contains("COVERING INDEX version_closed") }, "\(plan)")
                #expect(plan.contains { $0.contains("version_opened") }, "\(plan)")
                #expect(!plan.contains { $0.contains("SCAN version") || $0.contains("SCAN path") }, "\(plan)")
            }
        }
    }
}

@Suite struct ComparePassTests {
    @Test func `One pass over many changes reads the tables in their order, whatever the statistics say`() throws {
        let plan = try Catalog.temporary().write { db in
            try Statement(db, "ANALYZE").run()
            for (index, rows) in [("version", "1677900 2 1"), ("version_md5", "1532160 1 1 1")] {
                try Statement(db, "INSERT INTO sqlite_stat1 VALUES ('version', '\(index)', '\(rows)')").run()
            }
            try Statement(db, "ANALYZE sqlite_schema").run()
            var plan: [String] = []
            try Statement(db, "EXPLAIN QUERY PLAN \(CatalogCompare(road: .pass, includesNodes: true).sidesSQL)")
                .forEach { plan.append($0.text(3)) }
            return plan
        }
        #expect(plan.contains("SCAN version") && plan.contains("SCAN node_version"), "\(plan)")
    }
}

/// The page "Views" against the views.
@Suite struct ViewsPageTests {
    @Test func `The page is what 'snapcat schema --page' prints`() throws {
        let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let page = try String(
            contentsOf: package.appendingPathComponent("Sources/Snapcat/Documentation.docc/Views.md"), encoding: .utf8)
        #expect(page == SchemaDescription.page)
    }
}
