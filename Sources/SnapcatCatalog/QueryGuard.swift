import Foundation
import GRDBSQLite
import SnapcatPlatform
import Synchronization

/// Keeps a user's SQL to reading, to its time and to a bounded size of each value: by SQLite's authorizer, limits and
/// interrupt, not by reading the text.
///
/// A thread of its own looks at the clock: it interrupts SQLite between two rows of any loop. One function over one
/// value (`instr` of two long texts) and the planning of a hostile statement cannot be interrupted: their caller is
/// told by `whenStuck`, and need not wait.
final class QueryGuard: Sendable {
    private let deadline: Int64?
    private let timeoutNanoseconds: Int64
    private let cancellation: CancellationFlag
    private let whenStuck: (@Sendable (SnapcatError) -> Void)?
    /// Only while the guard is in force, so that nobody interrupts a connection that is closed.
    private let connection = Mutex<Connection?>(nil)

    private struct Connection: @unchecked Sendable {
        // Unchecked: `sqlite3_interrupt` may be called from any thread; all else is the query's own thread's.
        let handle: OpaquePointer
    }

    /// Between two looks at the clock.
    private static let lookSeconds = 0.01
    /// From the interrupt on: SQLite needs microseconds, but for a value that is long in the making.
    private static let graceNanoseconds: Int64 = 25_000_000

    init(_ options: QueryOptions, _ cancellation: CancellationFlag) {
        timeoutNanoseconds = options.timeoutNanoseconds ?? 0
        deadline = options.timeoutNanoseconds.map { monotonicNanoseconds().addingReportingOverflow($0) }
            .map { $0.overflow ? .max : $0.partialValue }
        whenStuck = options.whenStuck
        self.cancellation = cancellation
    }

    /// In force until `remove`.
    func install(on connection: OpaquePointer, for sql: String, attachments: Int) {
        Self.declareTables(in: sql, connection)
        Self.setLimits(of: connection, attachments: attachments)
        sqlite3_set_authorizer(connection, { _, action, first, second, _, _ in
            QueryGuard.mayRun(action, first, second) ? SQLITE_OK : SQLITE_DENY
        }, nil)
        let guarded = Connection(handle: connection)
        self.connection.withLock { $0 = guarded }
        WorkerThread.detach("snapcat-guard", stackBytes: 256 << 10) { [self] in watch() }
    }

    func remove() {
        connection.withLock { current in
            if let current { sqlite3_set_authorizer(current.handle, nil, nil) }
            current = nil
        }
    }

    /// Why the query must end; nil while it may go on.
    var reason: SnapcatError? {
        if cancellation.isCancelled { return SnapcatError(.interrupted, "Interrupted") }
        guard let deadline, monotonicNanoseconds() > deadline else { return nil }
        let seconds = Double(timeoutNanoseconds) / 1e9
        return SnapcatError(.timedOut, "The query took longer than \(seconds) s", advice: "raise --timeout, or narrow it")
    }

    /// Throws once the query must end.
    func check() throws { if let reason { throw reason } }

    private func watch() {
        var interruptedAt: Int64?
        var isTold = false
        while true {
            Thread.sleep(forTimeInterval: Self.lookSeconds)
            let reason = reason
            let isOver = connection.withLock { connection in
                // Each time: SQLite forgets an interrupt that comes before the statement's first step.
                if reason != nil, let connection { sqlite3_interrupt(connection.handle) }
                return connection == nil
            }
            if isOver { return }
            guard let reason else { continue }
            let start = interruptedAt ?? monotonicNanoseconds()
            interruptedAt = start
            if !isTold && monotonicNanoseconds() - start > Self.graceNanoseconds {
                isTold = true
                whenStuck?(reason)
            }
        }
    }

    // MARK: What is allowed

    /// Bytes of one text or blob, and of a row.
    static let mostValueBytes: Int32 = 64 << 20

    private static func setLimits(of connection: OpaquePointer, attachments: Int) {
        let limits: [(Int32, Int32)] = [
            (SQLITE_LIMIT_LENGTH, mostValueBytes), (SQLITE_LIMIT_SQL_LENGTH, 1 << 20), (SQLITE_LIMIT_EXPR_DEPTH, 1000),
            // Some megabytes of program: the 500 parts that a compound may have, each of a view.
            (SQLITE_LIMIT_VDBE_OP, 250_000), (SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1000),
            (SQLITE_LIMIT_ATTACHED, Int32(attachments)), (SQLITE_LIMIT_WORKER_THREADS, 0),
        ]
        for (limit, value) in limits { sqlite3_limit(connection, limit, value) }
    }

    /// SQLite's own table-valued functions are declared at their first use, which the authorizer would take for a
    /// CREATE TABLE: those that the SQL may mean are used before it is in force.
    private static func declareTables(in sql: String, _ connection: OpaquePointer) {
        let words = Set(sql.lowercased().split { !($0.isLetter || $0.isNumber || $0 == "_") })
        for table in ownTables where words.contains(table) {
            var statement: OpaquePointer?
            // A table that this SQLite does not have is told by the user's own statement.
            sqlite3_prepare_v2(connection, "SELECT 1 FROM \(table)", -1, &statement, nil)
            sqlite3_finalize(statement)
        }
    }

    private static let ownTables: [Substring] =
        ["json_each", "json_tree", "dbstat"] + readingPragmas.union(tellingPragmas).map { "pragma_\($0)" }

    private static let readingPragmas: Set<String> = [
        "table_info", "table_xinfo", "table_list", "index_list", "index_info", "index_xinfo", "database_list",
        "foreign_key_list", "function_list", "collation_list", "compile_options", "pragma_list", "module_list",
    ]
    /// These tell without an argument, and set with one.
    private static let tellingPragmas: Set<String> = [
        "user_version", "application_id", "schema_version", "encoding", "page_count", "page_size", "freelist_count",
        "journal_mode", "data_version",
    ]
    /// Functions that reach out of the database.
    private static let refusedFunctions: Set<String> = ["load_extension", "writefile", "readfile", "edit", "fts3_tokenizer"]

    private static func mayRun(
        _ action: Int32, _ first: UnsafePointer<CChar>?, _ second: UnsafePointer<CChar>?
    ) -> Bool {
        func text(_ pointer: UnsafePointer<CChar>?) -> String { pointer.map { String(cString: $0).lowercased() } ?? "" }
        switch action {
        case SQLITE_SELECT, SQLITE_READ, SQLITE_RECURSIVE: return true
        case SQLITE_FUNCTION: return !refusedFunctions.contains(text(second))
        case SQLITE_PRAGMA:
            return readingPragmas.contains(text(first)) || tellingPragmas.contains(text(first)) && second == nil
        default: return false
        }
    }
}
