import GRDBSQLite
import SnapcatPlatform

/// Keeps a user's SQL to reading, and to its time: by SQLite's authorizer and progress handler, not by reading the
/// text.
final class QueryGuard {
    private let deadline: Int64?
    private let cancellation: CancellationFlag
    private(set) var hasTimedOut = false

    /// Steps of SQLite's machine between two looks at the clock: some tens of microseconds.
    private static let stepsPerLook: Int32 = 2000

    init(timeoutNanoseconds: Int64?, cancellation: CancellationFlag) {
        deadline = timeoutNanoseconds.map { monotonicNanoseconds() + $0 }
        self.cancellation = cancellation
    }

    /// In force until `remove`; the guard must live as long.
    func install(on connection: OpaquePointer) {
        let context = Unmanaged.passUnretained(self).toOpaque()
        sqlite3_set_authorizer(connection, { _, action, first, second, _, _ in
            QueryGuard.mayRun(action, first, second) ? SQLITE_OK : SQLITE_DENY
        }, nil)
        sqlite3_progress_handler(connection, Self.stepsPerLook, { context in
            guard let context else { return 0 }
            return Unmanaged<QueryGuard>.fromOpaque(context).takeUnretainedValue().mustStop() ? 1 : 0
        }, context)
    }

    func remove(from connection: OpaquePointer) {
        sqlite3_progress_handler(connection, 0, nil, nil)
        sqlite3_set_authorizer(connection, nil, nil)
    }

    private func mustStop() -> Bool {
        if cancellation.isCancelled { return true }
        if let deadline, monotonicNanoseconds() > deadline { hasTimedOut = true }
        return hasTimedOut
    }

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
        // What SQLite asks when it sets up a table-valued function such as json_each; the schema itself can only be
        // written by a connection that is not read-only, and with writable_schema.
        case SQLITE_UPDATE: return text(first) == "sqlite_master"
        case SQLITE_FUNCTION: return !refusedFunctions.contains(text(second))
        case SQLITE_PRAGMA:
            return readingPragmas.contains(text(first)) || tellingPragmas.contains(text(first)) && second == nil
        default: return false
        }
    }
}
