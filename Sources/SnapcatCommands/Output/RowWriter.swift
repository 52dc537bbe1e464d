/// Prints rows in one of the formats of CLI.md, as a stream: a million rows need no more memory than 200.
///
/// The bytes are collected and handed on in chunks of about 64 KiB, the last one by `finish()`. Once `write`
/// has thrown, the writer is of no further use. Not safe for use by two threads at once.
package final class RowWriter {
    /// A chunk is handed on as soon as it holds this much: so it is at most one row longer (for table
    /// format, one sample of rows).
    static let chunkBytes = 1 << 16

    private let columnCount: Int
    private let write: ([UInt8]) throws -> Void
    private var encoder: any RowEncoder
    private var buffer: [UInt8] = []
    private var isFinished = false

    /// `terminal` matters to table format only. Nothing is written before the first row or `finish()`.
    package init(
        format: OutputFormat, columns: [Column], terminal: TerminalInfo,
        write: @escaping ([UInt8]) throws -> Void
    ) {
        columnCount = columns.count
        self.write = write
        encoder =
            switch format {
            case .table: TableRows(columns: columns, terminal: terminal)
            case .json: JSONRows(columns: columns, isArray: true)
            case .jsonl: JSONRows(columns: columns, isArray: false)
            case .csv: CSVRows(columns: columns)
            case .tsv: TSVRows(columns: columns)
            case .markdown: MarkdownRows(columns: columns)
            }
        encoder.start(&buffer)
    }

    /// Prints one row; `cells` has one value for each column. Throws what `write` throws.
    package func row(_ cells: [Cell]) throws {
        precondition(!isFinished, "a row after finish()")
        precondition(cells.count == columnCount, "\(cells.count) cells for \(columnCount) columns")
        encoder.append(cells, to: &buffer)
        if buffer.count >= Self.chunkBytes { try flush() }
    }

    /// Prints what is left; called once, after the last row. Throws what `write` throws.
    package func finish() throws {
        precondition(!isFinished, "finish() twice")
        isFinished = true
        encoder.finish(&buffer)
        if !buffer.isEmpty { try flush() }
    }

    private func flush() throws {
        try write(buffer)
        buffer.removeAll(keepingCapacity: true)
    }
}

/// Turns rows into the bytes of one format.
protocol RowEncoder {
    /// What stands before the first row.
    mutating func start(_ buffer: inout [UInt8])
    /// One row; an encoder may hold a bounded number of them back.
    mutating func append(_ cells: [Cell], to buffer: inout [UInt8])
    /// Rows held back, and what stands after the last row.
    mutating func finish(_ buffer: inout [UInt8])
}
