import GRDBSQLite
import SnapcatPlatform

/// A function of SQL that gives one value.
package struct ScalarFunction: Sendable {
    package var name: String
    package var argumentCounts: [Int32]
    /// Equal arguments always give an equal value.
    package var isDeterministic: Bool
    package var body: @Sendable ([QueryValue], FunctionConnection) throws -> QueryValue

    package init(
        _ name: String, _ argumentCounts: [Int32], isDeterministic: Bool,
        _ body: @escaping @Sendable ([QueryValue], FunctionConnection) throws -> QueryValue
    ) {
        self.name = name
        self.argumentCounts = argumentCounts
        self.isDeterministic = isDeterministic
        self.body = body
    }
}

/// A function of SQL that gives rows: a SELECT that is made from its arguments.
package struct TableFunction: Sendable {
    /// What a call runs.
    package struct Selection: Sendable {
        package var sql: String
        package var parameters: [String: QueryValue]

        package init(_ sql: String, _ parameters: [String: QueryValue]) {
            self.sql = sql
            self.parameters = parameters
        }
    }

    package var name: String
    package var parameters: [String]
    /// The columns of every selection, in their order, with their types.
    package var columns: [(name: String, type: String)]
    /// Columns whose `=` becomes a condition of the selection, so that it uses an index.
    package var keys: Set<String>
    /// The arguments are as many as `parameters`; nil where one is not given.
    package var selection: @Sendable ([QueryValue?], FunctionConnection) throws -> Selection

    package init(
        _ name: String, _ parameters: [String], columns: [(name: String, type: String)], keys: Set<String> = [],
        _ selection: @escaping @Sendable ([QueryValue?], FunctionConnection) throws -> Selection
    ) {
        self.name = name
        self.parameters = parameters
        self.columns = columns
        self.keys = keys
        self.selection = selection
    }
}

/// The connection that a function is called on: for questions of its own.
package struct FunctionConnection {
    let handle: OpaquePointer

    package func rows(_ sql: String, _ parameters: [String: QueryValue] = [:]) throws -> [[QueryValue]] {
        let statement = try Statement(connection: handle, sql)
        statement.bind(named: parameters)
        var rows: [[QueryValue]] = []
        try statement.forEach { row in rows.append((0..<row.columnCount).map { row.value($0) }) }
        return rows
    }

    /// The file of the main database, nil for one in memory.
    package var path: String? {
        guard let name = sqlite3_db_filename(handle, "main"), name.pointee != 0 else { return nil }
        return String(cString: name)
    }
}

/// The error that a function threw: SQLite itself carries only its text.
package final class FunctionFailure {
    package var error: SnapcatError?

    package init() {}

    func note(_ error: any Error) -> String {
        let known = error as? SnapcatError
        self.error = known
        return known?.description ?? "\(error)"
    }
}

package enum SQLFunctions {
    /// Adds the functions to a connection; they live as long as it does.
    package static func install(
        _ scalars: [ScalarFunction], _ tables: [TableFunction], on connection: OpaquePointer, failure: FunctionFailure
    ) throws {
        for function in scalars {
            for count in function.argumentCounts {
                try check(connection, ScalarBinding(function, connection, failure).install(argumentCount: count))
            }
        }
        for function in tables {
            try check(connection, TableModule.install(function, connection, failure))
            // Its columns are declared at its first use, which an authorizer would take for a CREATE TABLE.
            _ = try Statement(connection: connection, "SELECT 1 FROM \(function.name)")
        }
    }

    private static func check(_ connection: OpaquePointer, _ code: Int32) throws {
        guard code == SQLITE_OK else { throw Statement.error(connection, code) }
    }
}

/// One scalar function on one connection, as SQLite's user data.
private final class ScalarBinding {
    private let function: ScalarFunction
    private let connection: OpaquePointer
    private let failure: FunctionFailure

    init(_ function: ScalarFunction, _ connection: OpaquePointer, _ failure: FunctionFailure) {
        self.function = function
        self.connection = connection
        self.failure = failure
    }

    func install(argumentCount: Int32) -> Int32 {
        let flags = SQLITE_UTF8 | (function.isDeterministic ? SQLITE_DETERMINISTIC : 0)
        return sqlite3_create_function_v2(
            connection, function.name, argumentCount, flags, Unmanaged.passRetained(self).toOpaque(),
            { context, count, values in
                guard let data = sqlite3_user_data(context) else { return }
                let binding = Unmanaged<ScalarBinding>.fromOpaque(data).takeUnretainedValue()
                binding.call(context, (0..<Int(count)).map { QueryValue(values?[$0]) })
            }, nil, nil,
            { data in if let data { Unmanaged<ScalarBinding>.fromOpaque(data).release() } })
    }

    private func call(_ context: OpaquePointer?, _ arguments: [QueryValue]) {
        do {
            try function.body(arguments, FunctionConnection(handle: connection)).setResult(context)
        } catch {
            sqlite3_result_error(context, failure.note(error), -1)
        }
    }
}
