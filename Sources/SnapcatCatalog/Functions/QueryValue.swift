import GRDBSQLite

/// A value of a query's row. Text is bytes: names need not be UTF-8.
public enum QueryValue: Sendable, Equatable {
    case null
    case integer(Int64)
    case real(Double)
    case text([UInt8])
    case blob([UInt8])
}

extension QueryValue {
    /// An argument of a function.
    init(_ value: OpaquePointer?) {
        switch sqlite3_value_type(value) {
        case SQLITE_INTEGER: self = .integer(sqlite3_value_int64(value))
        case SQLITE_FLOAT: self = .real(sqlite3_value_double(value))
        case SQLITE_TEXT: self = .text(Self.bytes(sqlite3_value_text(value).map { UnsafeRawPointer($0) }, value))
        case SQLITE_BLOB: self = .blob(Self.bytes(sqlite3_value_blob(value), value))
        default: self = .null
        }
    }

    private static func bytes(_ address: UnsafeRawPointer?, _ value: OpaquePointer?) -> [UInt8] {
        guard let address else { return [] }
        return Array(UnsafeRawBufferPointer(start: address, count: Int(sqlite3_value_bytes(value))))
    }

    /// As the result of a function.
    func setResult(_ context: OpaquePointer?) {
        // SQLITE_TRANSIENT: SQLite copies the bytes.
        let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        switch self {
        case .null: sqlite3_result_null(context)
        case .integer(let integer): sqlite3_result_int64(context, integer)
        case .real(let real): sqlite3_result_double(context, real)
        case .text(let bytes):
            bytes.withUnsafeBytes { raw in
                // A buffer without an address would give NULL.
                let address = raw.baseAddress ?? UnsafeRawPointer(bitPattern: 1)
                sqlite3_result_text(context, address?.assumingMemoryBound(to: CChar.self), Int32(raw.count), copied)
            }
        case .blob(let bytes):
            bytes.withUnsafeBytes { raw in
                sqlite3_result_blob64(context, raw.baseAddress ?? UnsafeRawPointer(bitPattern: 1), UInt64(raw.count), copied)
            }
        }
    }
}
