import GRDB
import GRDBSQLite
import SnapcatPlatform

/// How a query runs.
public struct QueryOptions: Sendable {
    /// By name, without the `:`; bound as text, the column's affinity does the rest.
    public var parameters: [String: String] = [:]
    /// NULL where they are not given, and no error where the SQL does not have them.
    public var optionalParameters: Set<String> = []
    /// In nanoseconds; nil: none.
    public var timeoutNanoseconds: Int64?
    /// Rows beyond are cut, and it is told.
    public var mostRows: Int?
    /// Other SQLite files, by the schema name that they get; read-only.
    public var attachments: [(name: String, path: String)] = []

    public init() {}
}

/// What a query came to.
public struct QuerySummary: Sendable, Equatable {
    public var rows: Int
    /// `mostRows` cut it.
    public var isCut: Bool
}

/// Runs a user's SQL on a read-only connection of its own, row by row.
package final class CatalogQuery {
    private let queue: DatabaseQueue
    private let path: [UInt8]
    private let failure = FunctionFailure()

    /// `globs` compiles the patterns of the SQL function `path_match`.
    package init(
        _ catalog: Catalog, attachments: [(name: String, path: String)], scalars: [ScalarFunction],
        tables: [TableFunction], globs: @escaping @Sendable ([UInt8]) -> NameMatcher
    ) throws {
        let failure = failure
        path = Array(catalog.databasePath.utf8)
        var configuration = Configuration()
        configuration.readonly = true
        configuration.label = "query"
        configuration.busyMode = .timeout(10)
        do {
            queue = try DatabaseQueue(path: catalog.databasePath, configuration: configuration)
            try queue.inDatabase { db in
                if let connection = db.sqliteConnection { PatternFunctions.install(on: connection, globs: globs) }
                try db.execute(sql: "PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; PRAGMA cache_size = -32768")
                if let connection = db.sqliteConnection {
                    try SQLFunctions.install(scalars, tables, on: connection, failure: failure)
                }
                for attachment in attachments {
                    // Read-only, as the connection is.
                    try db.execute(sql: "ATTACH ? AS \(attachment.name.quotedDatabaseIdentifier)", arguments: [attachment.path])
                }
            }
        } catch let error as DatabaseError { throw Catalog.mapped(error, path) }
    }

    /// `columns` is called once, before the first row. Throws `.timedOut`, `.interrupted`, `.usage` for parameters
    /// that do not fit, `.failed` for SQL that is wrong or would write.
    package func run(
        _ sql: String, options: QueryOptions, cancellation: CancellationFlag, columns: ([String]) throws -> Void,
        row: ([QueryValue]) throws -> Void
    ) throws -> QuerySummary {
        try queue.inDatabase { db in
            guard let connection = db.sqliteConnection else { throw SnapcatError(.failed, "The catalog is closed") }
            let queryGuard = QueryGuard(timeoutNanoseconds: options.timeoutNanoseconds, cancellation: cancellation)
            queryGuard.install(on: connection)
            defer { queryGuard.remove(from: connection) }
            do {
                let statement = try Self.single(db, sql)
                try Self.bind(statement, options)
                return try withExtendedLifetime(queryGuard) {
                    try Self.step(statement, options, columns: columns, row: row)
                }
            } catch let error as DatabaseError {
                // A function's own error says more than SQLite's.
                if error.resultCode == .SQLITE_ERROR, let known = failure.error { throw known }
                throw Self.explained(error, queryGuard, options)
            }
        }
    }

    /// One statement: a second one would silently not run.
    private static func single(_ db: Database, _ sql: String) throws -> Statement {
        let statement = try Statement(db, sql)
        if statement.hasTail(in: sql) {
            throw SnapcatError(.usage, "More than one SQL statement", reason: "only one can be run at a time")
        }
        guard statement.columnCount > 0 else { throw SnapcatError(.usage, "No SQL that returns rows", advice: "write a SELECT") }
        return statement
    }

    private static func bind(_ statement: Statement, _ options: QueryOptions) throws {
        var unused = Set(options.parameters.keys).subtracting(options.optionalParameters)
        for position in 1...max(1, statement.parameterCount) where statement.parameterCount > 0 {
            guard let name = statement.parameterName(position)?.dropFirst() else {
                throw SnapcatError(.usage, "A parameter without a name", reason: "'?' cannot be set", advice: "write :name and give -p name=value")
            }
            guard let value = options.parameters[String(name)] else {
                // Not bound is NULL.
                if options.optionalParameters.contains(String(name)) { continue }
                throw SnapcatError(.usage, "The query needs a parameter", String(name), advice: "give -p \(name)=value")
            }
            unused.remove(String(name))
            statement.bind(position, text: value)
        }
        if let name = unused.sorted().first {
            throw SnapcatError(.usage, "The query has no parameter", name, advice: "write it as :\(name) in the SQL")
        }
    }

    private static func step(
        _ statement: Statement, _ options: QueryOptions, columns: ([String]) throws -> Void,
        row: ([QueryValue]) throws -> Void
    ) throws -> QuerySummary {
        try columns((0..<statement.columnCount).map { statement.columnName($0) })
        var summary = QuerySummary(rows: 0, isCut: false)
        defer { statement.reset() }
        while try statement.step() {
            if let most = options.mostRows, summary.rows >= most {
                summary.isCut = true
                break
            }
            try row((0..<statement.columnCount).map { statement.value($0) })
            summary.rows += 1
        }
        return summary
    }

    private static func explained(_ error: DatabaseError, _ queryGuard: QueryGuard, _ options: QueryOptions) -> SnapcatError {
        switch error.resultCode {
        case .SQLITE_INTERRUPT where queryGuard.hasTimedOut:
            let seconds = Double(options.timeoutNanoseconds ?? 0) / 1e9
            return SnapcatError(.timedOut, "The query took longer than \(seconds) s", advice: "raise --timeout, or narrow it")
        case .SQLITE_INTERRUPT: return SnapcatError(.interrupted, "Interrupted")
        case .SQLITE_AUTH, .SQLITE_READONLY:
            return SnapcatError(.failed, "The query may only read", reason: error.message ?? "")
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            return SnapcatError(.catalogDamage, "The catalog is damaged", reason: error.message ?? "", advice: "delete it: it is built anew from the snapshots")
        default: return SnapcatError(.failed, "The SQL does not work", reason: error.message ?? "\(error.resultCode)")
        }
    }
}

extension Statement {
    package func value(_ column: Int32) -> QueryValue {
        switch type(column) {
        case SQLITE_INTEGER: .integer(integer(column))
        case SQLITE_FLOAT: .real(real(column))
        case SQLITE_TEXT: .text(bytes(column))
        case SQLITE_BLOB: .blob(bytes(column))
        default: .null
        }
    }
}
