import GRDB
import SnapcatPlatform

/// A user's SQL condition over named values of ours: a prepared statement on a database in memory that holds nothing,
/// under the guard of queries, so that it can neither write nor read anything.
package final class RowCondition {
    private let queue: DatabaseQueue
    private let queryGuard: QueryGuard
    private let statement: Statement
    private let expression: String

    /// `columns` are the names that the condition may use. Throws `.usage` for what is no condition over them.
    package init(_ expression: String, columns: [String], cancellation: CancellationFlag = CancellationFlag()) throws {
        self.expression = expression
        let queryGuard = QueryGuard(QueryOptions(), cancellation)
        self.queryGuard = queryGuard
        let values = columns.enumerated().map { "?\($0.offset + 1) AS \($0.element)" }.joined(separator: ", ")
        // The line breaks end a comment in the condition.
        let sql = "SELECT (\n\(expression)\n) IS TRUE FROM (SELECT \(values))"
        do {
            queue = try DatabaseQueue()
            statement = try queue.inDatabase { db in
                guard let connection = db.sqliteConnection else { throw SnapcatError(.failed, "No database in memory") }
                PatternFunctions.install(on: connection, globs: nil)
                queryGuard.install(on: connection, for: sql, attachments: 0)
                let statement = try Statement(db, sql)
                guard !statement.hasTail(in: sql), statement.columnCount == 1, statement.parameterCount == columns.count,
                    // A named one of the user's would take the number of one of ours.
                    (1...statement.parameterCount).allSatisfy({ statement.parameterName($0)?.hasPrefix("?") == true })
                else {
                    throw Self.wrong(expression, "it is not one expression")
                }
                return statement
            }
        } catch let error as DatabaseError { throw Self.wrong(expression, error.message ?? "\(error.resultCode)") }
    }

    deinit { queryGuard.remove() }

    /// Whether it is true for these values, one for each column. NULL is not true.
    package func holds(_ values: [QueryValue]) throws -> Bool {
        do {
            return try queue.inDatabase { _ in
                for (index, value) in values.enumerated() { statement.bind(Int32(index + 1), value) }
                return try statement.first { $0.integer(0) != 0 } ?? false
            }
        } catch let error as DatabaseError {
            if error.resultCode == .SQLITE_INTERRUPT { throw SnapcatError(.interrupted, "Interrupted") }
            throw Self.wrong(expression, error.message ?? "\(error.resultCode)")
        }
    }

    private static func wrong(_ expression: String, _ reason: String) -> SnapcatError {
        SnapcatError(.usage, "Not a condition", expression, reason: reason)
    }
}
