import Snapcat

/// Prints what a job tells, each as a row, as it comes. Called by one thread at a time.
final class RowPrinter<Row>: @unchecked Sendable {
    // Unchecked: the job calls `print` from its one thread, and `finish` comes after it.
    private let writer: RowWriter
    private let limit: Int?
    private let cells: (Row) -> [Cell]
    private var printed = 0

    init(_ writer: RowWriter, limit: Int? = nil, _ cells: @escaping (Row) -> [Cell]) {
        (self.writer, self.limit, self.cells) = (writer, limit, cells)
    }

    func print(_ row: Row) throws {
        if let limit, printed >= limit { return }
        printed += 1
        try writer.row(cells(row))
    }

    func finish() throws { try writer.finish() }
}
