import GRDB
import GRDBSQLite
import SnapcatFormat
import SnapcatPlatform

/// A prepared statement for bulk loops: GRDB's own execution took 2.1 times as long (PERFORMANCE.md).
///
/// Text is bytes: names that are not UTF-8 pass unchanged. Used on the connection's own queue only.
package final class Statement {
    private let handle: OpaquePointer
    private let connection: OpaquePointer

    package convenience init(_ db: Database, _ sql: String) throws {
        guard let connection = db.sqliteConnection else {
            throw SnapcatError(.failed, "The catalog is closed")
        }
        try self.init(connection: connection, sql)
    }

    package init(connection: OpaquePointer, _ sql: String) throws {
        self.connection = connection
        var handle: OpaquePointer?
        var usedBytes = 0
        let code = sql.withCString { text in
            var tail: UnsafePointer<CChar>?
            let code = sqlite3_prepare_v3(connection, text, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &handle, &tail)
            usedBytes = tail.map { $0 - text } ?? 0
            return code
        }
        guard code == SQLITE_OK else { throw Self.error(connection, code) }
        guard let handle else { throw SnapcatError(.usage, "No SQL", reason: "the text holds no statement") }
        self.handle = handle
        self.usedBytes = usedBytes
    }

    private let usedBytes: Int

    /// Whether more than space, semicolons and comments follows the first statement.
    package func hasTail(in sql: String) -> Bool {
        var rest = Array(sql.utf8.dropFirst(usedBytes)) + [0]
        while rest.count > 1 {
            var next: OpaquePointer?
            var usedBytes = 0
            let code = rest.withUnsafeBytes { raw in
                let text = raw.assumingMemoryBound(to: CChar.self).baseAddress
                var tail: UnsafePointer<CChar>?
                let code = sqlite3_prepare_v2(connection, text, -1, &next, &tail)
                if let text, let tail { usedBytes = tail - text }
                return code
            }
            sqlite3_finalize(next)
            if code != SQLITE_OK || next != nil { return true }
            if usedBytes == 0 { return false }
            rest.removeFirst(usedBytes)
        }
        return false
    }

    deinit { sqlite3_finalize(handle) }

    static func error(_ connection: OpaquePointer, _ code: Int32) -> any Error {
        DatabaseError(resultCode: ResultCode(rawValue: code), message: String(cString: sqlite3_errmsg(connection)))
    }

    // MARK: Binding, positions from 1

    @discardableResult
    package func bind(_ position: Int32, _ value: Int64?) -> Statement {
        if let value { sqlite3_bind_int64(handle, position, value) } else { sqlite3_bind_null(handle, position) }
        return self
    }

    @discardableResult
    package func bind(_ position: Int32, real value: Double?) -> Statement {
        if let value { sqlite3_bind_double(handle, position, value) } else { sqlite3_bind_null(handle, position) }
        return self
    }

    @discardableResult
    package func bind(_ position: Int32, text value: UnsafeRawBufferPointer) -> Statement {
        // A buffer without an address would bind NULL.
        let address = value.baseAddress ?? UnsafeRawPointer(bitPattern: 1)
        sqlite3_bind_text(
            handle, position, address?.assumingMemoryBound(to: CChar.self), Int32(value.count), Self.copied)
        return self
    }

    @discardableResult
    package func bind(_ position: Int32, text value: [UInt8]?) -> Statement {
        guard let value else {
            sqlite3_bind_null(handle, position)
            return self
        }
        return value.withUnsafeBytes { bind(position, text: $0) }
    }

    @discardableResult
    package func bind(_ position: Int32, text value: String?) -> Statement {
        bind(position, text: value.map { Array($0.utf8) })
    }

    @discardableResult
    package func bind(_ position: Int32, blob value: [UInt8]?) -> Statement {
        guard let value else {
            sqlite3_bind_null(handle, position)
            return self
        }
        return value.withUnsafeBytes { bind(position, blob: $0) }
    }

    @discardableResult
    private func bind(_ position: Int32, blob raw: UnsafeRawBufferPointer) -> Statement {
        let address = raw.baseAddress ?? UnsafeRawPointer(bitPattern: 1)
        sqlite3_bind_blob(handle, position, address, Int32(raw.count), Self.copied)
        return self
    }

    /// As its 16 bytes.
    @discardableResult
    package func bind(_ position: Int32, md5: MD5Digest?) -> Statement {
        guard let md5 else {
            sqlite3_bind_null(handle, position)
            return self
        }
        return md5.withRawBytes { bind(position, blob: $0) }
    }

    /// By name, without the `:`. Names that the statement does not have are left out.
    package func bind(named values: [String: QueryValue]) {
        for (name, value) in values {
            let position = sqlite3_bind_parameter_index(handle, ":" + name)
            if position > 0 { bind(position, value) }
        }
    }

    package func bind(_ position: Int32, _ value: QueryValue) {
        switch value {
        case .null: sqlite3_bind_null(handle, position)
        case .integer(let integer): bind(position, integer)
        case .real(let real): bind(position, real: real)
        case .text(let text): bind(position, text: text)
        case .blob(let blob): bind(position, blob: blob)
        }
    }

    private static let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    // MARK: Running

    /// True with a row to read, false at the end.
    package func step() throws -> Bool {
        switch sqlite3_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        case let code:
            let error = Self.error(connection, code)
            sqlite3_reset(handle)
            throw error
        }
    }

    package func reset() { sqlite3_reset(handle) }

    /// The rowid that this connection inserted last.
    package var lastInsertedId: Int64 { sqlite3_last_insert_rowid(connection) }

    /// Runs a statement that returns no rows, and makes it ready for the next.
    package func run() throws {
        while try step() {}
        reset()
    }

    /// The first row's value by `read`, nil without a row.
    package func first<R>(_ read: (Statement) throws -> R) throws -> R? {
        defer { reset() }
        return try step() ? try read(self) : nil
    }

    /// Calls `body` for each row.
    package func forEach(_ body: (Statement) throws -> Void) throws {
        defer { reset() }
        while try step() { try body(self) }
    }

    // MARK: Columns, positions from 0

    package func isNull(_ column: Int32) -> Bool { sqlite3_column_type(handle, column) == SQLITE_NULL }
    package func type(_ column: Int32) -> Int32 { sqlite3_column_type(handle, column) }
    package func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }
    package func optionalInteger(_ column: Int32) -> Int64? { isNull(column) ? nil : integer(column) }
    package func real(_ column: Int32) -> Double { sqlite3_column_double(handle, column) }
    package func optionalReal(_ column: Int32) -> Double? { isNull(column) ? nil : real(column) }

    /// Text or blob as bytes.
    package func bytes(_ column: Int32) -> [UInt8] { withBytes(column) { Array($0) } }

    /// Calls `body` with the bytes of a text or blob, which are valid during the call.
    package func withBytes<R>(_ column: Int32, _ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        let isText = type(column) == SQLITE_TEXT
        let address = isText
            ? sqlite3_column_text(handle, column).map { UnsafeRawPointer($0) } : sqlite3_column_blob(handle, column)
        let count = Int(sqlite3_column_bytes(handle, column))
        return try body(UnsafeRawBufferPointer(start: address, count: address == nil ? 0 : count))
    }

    /// A blob of 16 bytes; nil for anything else.
    package func md5(_ column: Int32) -> MD5Digest? { withBytes(column) { MD5Digest(raw: $0) } }

    package func optionalBytes(_ column: Int32) -> [UInt8]? { isNull(column) ? nil : bytes(column) }
    package func text(_ column: Int32) -> String { TerminalText.lossy(bytes(column)) }
    package func optionalText(_ column: Int32) -> String? { isNull(column) ? nil : text(column) }

    /// The column as the result of a function, whatever its type.
    func giveColumn(_ column: Int32, to context: OpaquePointer?) {
        sqlite3_result_value(context, sqlite3_column_value(handle, column))
    }

    static func isInterrupt(_ error: any Error) -> Bool {
        (error as? DatabaseError)?.resultCode == .SQLITE_INTERRUPT
    }

    package var columnCount: Int32 { sqlite3_column_count(handle) }
    package func columnName(_ column: Int32) -> String {
        sqlite3_column_name(handle, column).map { String(cString: $0) } ?? ""
    }
    /// False for SQL that could change anything but temporary tables.
    package var isReadOnly: Bool { sqlite3_stmt_readonly(handle) != 0 }
    package var parameterCount: Int32 { sqlite3_bind_parameter_count(handle) }
    /// With its `:`, `@` or `$`; nil for a bare `?`.
    package func parameterName(_ position: Int32) -> String? {
        sqlite3_bind_parameter_name(handle, position).map { String(cString: $0) }
    }
}
