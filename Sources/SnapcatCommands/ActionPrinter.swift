import Snapcat

/// Prints the steps of gc and undelete. Called by one thread at a time.
final class ActionPrinter: @unchecked Sendable {
    // Unchecked: the job calls `print` from its one thread, and `finish` comes after it.
    private let writer: RowWriter
    private let limit: Int?
    private var printed = 0

    init(_ rows: RowOptions) {
        limit = rows.limit
        writer = rows.writer(["action", "kind", "name", "stored_bytes", "reason"].map { styledColumn($0) })
    }

    func print(_ action: CollectAction) throws {
        if let limit, printed >= limit { return }
        printed += 1
        try writer.row([
            .string(action.kind.rawValue), .string(action.subject.rawValue), .string(action.name),
            .integer(action.storedBytes), .string(action.reason),
        ])
    }

    func finish() throws { try writer.finish() }
}
