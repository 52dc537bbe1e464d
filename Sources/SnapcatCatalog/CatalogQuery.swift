import CSQLite
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
    /// Told where SQLite does not stop although the time is over or the query was interrupted: it is then inside
    /// one function, or planning. What calls may stop waiting; the thread ends when SQLite does.
    package var whenStuck: (@Sendable (SnapcatError) -> Void)?

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
    private let attachments: Int

    /// Bounds what SQLite may allocate in the whole process, this catalog's own connection included: for a program
    /// that does nothing else beside a query. What is larger (sorting, temporary tables) goes to temporary files.
    package static func limitMemory(bytes: Int64) { sqlite3_hard_heap_limit64(bytes) }

    /// Lets SQLite not count what it allocates: a first index is built in a tenth less time. `limitMemory` has no effect
    /// then. To be called before SQLite is used first in the process; later it changes nothing.
    package static func forgoMemoryLimit() { _ = csqlite_stop_counting_memory() }

    /// `globs` compiles the patterns of the SQL function `path_match`.
    package init(
        _ catalog: Catalog, attachments: [(name: String, path: String)], scalars: [ScalarFunction],
        tables: [TableFunction], globs: @escaping @Sendable ([UInt8]) -> NameMatcher
    ) throws {
        let failure = failure
        path = Array(catalog.databasePath.utf8)
        self.attachments = attachments.count
        var configuration = Configuration()
        configuration.readonly = true
        configuration.label = "query"
        configuration.busyMode = .timeout(10)
        do {
            queue = try DatabaseQueue(path: catalog.databasePath, configuration: configuration)
            try queue.inDatabase { db in
                if let connection = db.sqliteConnection { PatternFunctions.install(on: connection, globs: globs) }
                try db.execute(
                    sql: """
                        PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; PRAGMA cache_size = -32768;
                        PRAGMA temp_store = FILE
                        """)
                if let connection = db.sqliteConnection {
                    try SQLFunctions.install(scalars, tables, on: connection, failure: failure)
                }
                for attachment in attachments { try Self.attach(attachment.path, as: attachment.name, db) }
            }
        } catch let error as DatabaseError { throw Catalog.mapped(error, path) }
    }

    /// Read-only, as the connection is.
    private static func attach(_ path: String, as name: String, _ db: Database) throws {
        let status = try withSystemErrors("Cannot attach", Array(path.utf8)) {
            try Descriptor.status(Array(path.utf8), following: true)
        }
        guard status.kind == .regular else { throw SnapcatError(.failed, "Cannot attach", path, reason: "it is not a file") }
        // Never a URI, which could ask for more than reading, nor a name that SQLite takes for a database in memory.
        let file = path.hasPrefix("/") ? path : "./" + path
        do {
            try db.execute(sql: "ATTACH ? AS ?", arguments: [file, name])
        } catch let error as DatabaseError where error.resultCode == .SQLITE_ERROR {
            // The name is taken, or there are too many.
            throw SnapcatError(.usage, "Cannot attach", path, reason: error.message ?? "")
        } catch let error as DatabaseError {
            throw SnapcatError(.failed, "Cannot attach", path, reason: error.message ?? "\(error.resultCode)")
        }
    }

    /// `columns` is called once, before the first row. Throws `.timedOut`, `.interrupted`, `.usage` for parameters
    /// that do not fit, `.failed` for SQL that is wrong or would write.
    package func run(
        _ sql: String, options: QueryOptions, cancellation: CancellationFlag, columns: ([String]) throws -> Void,
        row: ([QueryValue]) throws -> Void
    ) throws -> QuerySummary {
        try queue.inDatabase { db in
            guard let connection = db.sqliteConnection else { throw SnapcatError(.failed, "The catalog is closed") }
            let queryGuard = QueryGuard(options, cancellation)
            queryGuard.install(on: connection, for: sql, attachments: attachments)
            defer { queryGuard.remove() }
            do {
                let statement = try Self.single(db, sql)
                try Self.bind(statement, options)
                return try Self.step(statement, options, queryGuard, columns: columns, row: row)
            } catch let error as DatabaseError {
                // A function's own error says more than SQLite's.
                if error.resultCode == .SQLITE_ERROR, let known = failure.error { throw known }
                throw explained(error, queryGuard)
            }
        }
    }

    /// One statement: a second one would silently not run.
    private static func single(_ db: Database, _ sql: String) throws -> Statement {
        if sql.utf8.contains(0) { throw SnapcatError(.usage, "The SQL has a NUL byte", reason: "SQLite ends there") }
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
        _ statement: Statement, _ options: QueryOptions, _ queryGuard: QueryGuard,
        columns: ([String]) throws -> Void, row: ([QueryValue]) throws -> Void
    ) throws -> QuerySummary {
        try columns((0..<statement.columnCount).map { statement.columnName($0) })
        var summary = QuerySummary(rows: 0, isCut: false)
        defer { statement.reset() }
        while try statement.step() {
            // One row may have taken longer than all the time there was.
            try queryGuard.check()
            if let most = options.mostRows, summary.rows >= most {
                summary.isCut = true
                break
            }
            try row((0..<statement.columnCount).map { statement.value($0) })
            summary.rows += 1
        }
        return summary
    }

    private func explained(_ error: DatabaseError, _ queryGuard: QueryGuard) -> SnapcatError {
        let reason = error.message ?? "\(error.resultCode)"
        switch error.resultCode {
        case .SQLITE_INTERRUPT: return queryGuard.reason ?? SnapcatError(.interrupted, "Interrupted")
        case .SQLITE_AUTH, .SQLITE_READONLY:
            return SnapcatError(.failed, "The query may only read", reason: reason)
        case .SQLITE_CORRUPT where attachments > 0, .SQLITE_NOTADB where attachments > 0:
            // Which one, SQLite does not tell: a good catalog must not be replaced for it.
            return SnapcatError(.damage, "The catalog or an attached file is damaged", reason: reason)
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            return SnapcatError(.catalogDamage, "The catalog is damaged", reason: reason, advice: "delete it: it is built anew from the snapshots")
        case .SQLITE_TOOBIG:
            return SnapcatError(.failed, "The query is too big", reason: reason, advice: "a value may have \(QueryGuard.mostValueBytes >> 20) MiB, the SQL 1 MiB")
        case .SQLITE_NOMEM: return SnapcatError(.failed, "The query needs too much memory", advice: "narrow it")
        case .SQLITE_FULL: return SnapcatError(.failed, "No room for the query's temporary files", advice: "narrow it, or set SQLITE_TMPDIR")
        default: return SnapcatError(.failed, "The SQL does not work", reason: reason)
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
