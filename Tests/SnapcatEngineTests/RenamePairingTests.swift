import SnapcatFormat
import SnapcatTestSupport
import Testing

@testable import Snapcat

@Suite struct RenamePairingTests {
    private func item(_ content: String, size: Int64 = 1) throws -> SideItem {
        let md5 = String(repeating: "0", count: 32 - content.utf8.count) + content
        return SideItem(try Entry(line: Array(#"{"name": "x", "size": \#(size), "md5": "\#(md5)"}"#.utf8)))
    }

    private func row(_ status: ComparisonStatus, _ name: String, _ content: String, size: Int64 = 1) throws -> ComparisonRow {
        let item = try item(content, size: size)
        return ComparisonRow(
            status: status, name: EntryName(Array(name.utf8)), left: status == .onlyRight ? nil : item,
            right: status == .onlyLeft ? nil : item)
    }

    private func paired(_ rows: [ComparisonRow], mostRows: Int = 100) throws -> (rows: [String], isOverfull: Bool) {
        var pairing = RenamePairing(holdsEqual: true, mostRows: mostRows)
        var result: [String] = []
        let give = { (row: ComparisonRow) in
            result.append("\(row.status.rawValue) \(row.name)" + (row.nameLeft.map { " from \($0)" } ?? ""))
        }
        for row in rows { try pairing.add(row, give) }
        try pairing.finish(give)
        return (result, pairing.isOverfull)
    }

    @Test func theNthLeftGoesWithTheNthRightAndTheRestStays() throws {
        let rows = [
            try row(.onlyLeft, "a", "1"), try row(.onlyRight, "b", "1"), try row(.onlyLeft, "c", "1"), try row(.equal, "d", "1"),
            try row(.onlyRight, "e", "2"), try row(.onlyRight, "f", "1"), try row(.onlyRight, "g", "1"), try row(.onlyLeft, "h", "2"),
        ]
        #expect(
            try paired(rows).rows == [
                "renamed b from a", "equal d", "renamed e from h", "renamed f from c", "only_right g",
            ])
    }

    @Test func emptyFilesAreNotPaired() throws {
        let rows = [try row(.onlyLeft, "a", "1", size: 0), try row(.onlyRight, "b", "1", size: 0)]
        #expect(try paired(rows).rows == ["only_left a", "only_right b"])
    }

    @Test func tooManyRowsComeOutAsTheyAreInOrder() throws {
        let rows = try (0..<9).map { try row($0.isMultiple(of: 2) ? .onlyLeft : .onlyRight, "n\($0)", "1") }
        let result = try paired(rows, mostRows: 4)
        #expect(result.isOverfull && result.rows == rows.map { "\($0.status.rawValue) \($0.name)" })
    }
}
