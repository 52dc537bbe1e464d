import Snapcat

/// Prints what a job tells, each as a row, as it comes. Called by one thread at a time.
final class RowPrinter<Row>: @unchecked Sendable {
    // Unchecked: the job calls `print` from its one thread, and `finish` comes after it.
    private let writer: RowWriter
    private let limit: Int?
    private let isReport: Bool
    private let cells: (Row) -> [Cell]
    private var printed = 0
    /// The output takes no more.
    private var isBroken = false

    /// `isReport`: the rows only tell of work that counts without them. A reader that goes, as `head` does, ends the rows
    /// then, and not the work.
    init(_ writer: RowWriter, limit: Int? = nil, isReport: Bool = false, _ cells: @escaping (Row) -> [Cell]) {
        (self.writer, self.limit, self.isReport, self.cells) = (writer, limit, isReport, cells)
    }

    func print(_ row: Row) throws {
        if let limit, printed >= limit { return }
        printed += 1
        try write { try writer.row(cells(row)) }
    }

    func finish() throws { try write { try writer.finish() } }

    /// Runs the work that prints, and finishes the rows. What was done before an error or an interruption is told too.
    func during<R>(_ work: () async throws -> R) async throws -> R {
        let result: R
        do { result = try await work() } catch {
            if printed > 0 {
                do { try finish() } catch {
                    // The error of the work is the one that counts.
                }
            }
            throw error
        }
        try finish()
        return result
    }

    private func write(_ body: () throws -> Void) throws {
        if isBroken { return }
        do { try body() } catch {
            isBroken = true
            if isReport, let request = error as? ExitRequest, request.status == .done { return }
            throw error
        }
    }
}
