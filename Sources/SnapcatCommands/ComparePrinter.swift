import Snapcat

/// Prints the rows of a comparison. Called by one thread at a time.
final class ComparePrinter: @unchecked Sendable {
    // Unchecked: the comparison calls `print` from its one thread, and `finish` comes after it.
    private let rows: RowOptions
    private let isSummary: Bool
    private let allColumns: Bool
    private let writer: RowWriter?
    private var kept: [ComparisonRow] = []
    private var count = 0
    private var groups: CompareGroups?
    /// `name_left`, the last, is there with renames only.
    private let columns: ArraySlice<String>

    init(_ rows: RowOptions, allColumns: Bool, isSummary: Bool, groups: CompareGroup?, showsRenames: Bool) throws {
        self.rows = rows
        self.isSummary = isSummary
        self.allColumns = allColumns
        self.groups = groups.map { CompareGroups($0) }
        columns = showsRenames ? ComparisonRow.columns[...] : ComparisonRow.columns.dropLast()
        writer = isSummary || allColumns ? nil : rows.writer(columns.map(styledColumn))
    }

    func print(_ row: ComparisonRow) throws {
        groups?.add(row)
        if isSummary { return }
        if let limit = rows.limit, count >= limit { return }
        count += 1
        guard let writer else { return kept.append(row) }
        try writer.row(row.values.prefix(columns.count).map { Cell($0) })
    }

    func finish(_ summary: ComparisonSummary, _ options: CompareOptions) throws {
        try writer?.finish()
        if let groups { try groups.print(rows) } else if isSummary { try printSummary(summary, options) } else if allColumns { try printAllColumns() }
    }

    private func printSummary(_ summary: ComparisonSummary, _ options: CompareOptions) throws {
        let writer = rows.writer([Column("status"), styledColumn("files"), styledColumn("bytes")])
        let optional: [ComparisonStatus: Bool] = [.metadata: options.includesMetadata, .renamed: options.pairsRenames]
        for status in ComparisonStatus.allCases where optional[status] ?? true {
            let sum = summary[status]
            // Of equal names only the number is known where they were not looked at.
            let bytes: Cell = status == .equal && sum.bytes == 0 && sum.files > 0 ? .null : .integer(sum.bytes)
            try writer.row([.string(status.rawValue), .integer(sum.files), bytes])
        }
        try writer.finish()
    }

    /// Columns `<key>_left` and `<key>_right` for every key, in order of names, as snapshooter's data frame has them.
    private func printAllColumns() throws {
        var keys: Set<String> = []
        let members = kept.map { row in
            [row.left, row.right].map { side in
                Dictionary(
                    (side?.entry?.members() ?? []).map { (TerminalText.lossy($0.key), $0.json) },
                    uniquingKeysWith: { $1 })
            }
        }
        for row in members { for side in row { keys.formUnion(side.keys) } }
        keys.remove("name")
        let names = keys.flatMap { ["\($0)_left", "\($0)_right"] } + ["name", "status"]
        let columns = names.sorted()
        let writer = rows.writer(columns.map { Column($0) })
        for (row, sides) in zip(kept, members) {
            try writer.row(
                columns.map { column in
                    switch column {
                    case "name": .text(row.name.bytes)
                    case "status": .string(row.status.rawValue)
                    case _ where column.hasSuffix("_left"): Self.cell(sides[0][String(column.dropLast(5))])
                    default: Self.cell(sides[1][String(column.dropLast(6))])
                    }
                })
        }
        try writer.finish()
    }

    private static func cell(_ json: [UInt8]?) -> Cell {
        guard let json else { return .null }
        do throws(JSONScanner.Failure) {
            // A value alone is no document of ours: it is wrapped.
            let wrapped = try JSONValue(parsing: Array("{\"value\": ".utf8) + json + [UInt8(ascii: "}")])
            switch wrapped["value"] {
            case .string(let bytes): return .text(bytes)
            case .boolean(let value): return .boolean(value)
            case .null, nil: return .null
            case .number(let digits):
                if let integer = wrapped["value"]?.integerValue { return .integer(integer) }
                return Double(String(decoding: digits, as: UTF8.self)).map { .real($0) } ?? .json(json)
            case .array, .object: return .json(json)
            }
        } catch { return .json(json) }
    }
}
