import GRDBSQLite
import SnapcatPlatform

/// A table-valued function as a virtual table of SQLite: one that exists by its name alone, without CREATE.
///
/// The arguments are hidden columns behind the others; a call prepares the function's selection and steps it.
final class TableModule {
    private let function: TableFunction
    private let connection: OpaquePointer
    private let failure: FunctionFailure

    private init(_ function: TableFunction, _ connection: OpaquePointer, _ failure: FunctionFailure) {
        self.function = function
        self.connection = connection
        self.failure = failure
    }

    static func install(_ function: TableFunction, _ connection: OpaquePointer, _ failure: FunctionFailure) -> Int32 {
        let module = TableModule(function, connection, failure)
        return sqlite3_create_module_v2(
            connection, function.name, callbacks, Unmanaged.passRetained(module).toOpaque(),
            { data in if let data { Unmanaged<TableModule>.fromOpaque(data).release() } })
    }

    // MARK: What SQLite holds of ours

    // SQLite's struct first: its pointers are pointers to ours. Swift lays out a struct's fields in their order.
    private struct Table {
        var base = sqlite3_vtab()
        var module: Unmanaged<TableModule>
    }

    private struct Cursor {
        var base = sqlite3_vtab_cursor()
        var call: Unmanaged<Call>
    }

    /// One use of the function in a statement.
    private final class Call {
        var statement: Statement?
        var arguments: [QueryValue?] = []
        var row: Int64 = 0
        var isAtEnd = true
    }

    private static func module(_ table: UnsafeMutablePointer<sqlite3_vtab>) -> TableModule {
        UnsafeMutableRawPointer(table).assumingMemoryBound(to: Table.self).pointee.module.takeUnretainedValue()
    }

    private static func call(_ cursor: UnsafeMutablePointer<sqlite3_vtab_cursor>) -> Call {
        UnsafeMutableRawPointer(cursor).assumingMemoryBound(to: Cursor.self).pointee.call.takeUnretainedValue()
    }

    // MARK: Callbacks

    // Written once, before the first use, and only read afterwards: the one thing that is shared by connections.
    nonisolated(unsafe) private static let callbacks: UnsafePointer<sqlite3_module> = {
        let result = UnsafeMutablePointer<sqlite3_module>.allocate(capacity: 1)
        var module = sqlite3_module()
        module.xConnect = { connection, data, _, _, table, message in
            TableModule.connect(connection, data, table, message)
        }
        module.xBestIndex = { table, info in
            guard let table, let info else { return SQLITE_ERROR }
            return TableModule.module(table).plan(info)
        }
        module.xDisconnect = { table in
            UnsafeMutableRawPointer(table)?.assumingMemoryBound(to: Table.self).deallocate()
            return SQLITE_OK
        }
        module.xOpen = { _, cursor in
            let new = UnsafeMutablePointer<Cursor>.allocate(capacity: 1)
            new.initialize(to: Cursor(call: Unmanaged.passRetained(Call())))
            cursor?.pointee = UnsafeMutableRawPointer(new).assumingMemoryBound(to: sqlite3_vtab_cursor.self)
            return SQLITE_OK
        }
        module.xClose = { cursor in
            guard let cursor else { return SQLITE_OK }
            let own = UnsafeMutableRawPointer(cursor).assumingMemoryBound(to: Cursor.self)
            own.pointee.call.release()
            own.deallocate()
            return SQLITE_OK
        }
        module.xFilter = { cursor, _, plan, count, values in
            guard let cursor, let table = cursor.pointee.pVtab else { return SQLITE_ERROR }
            let given = (0..<Int(count)).map { QueryValue(values?[$0]) }
            let plan = plan.map { String(cString: $0) } ?? ""
            return TableModule.module(table).attempt(table) { try $0.begin(TableModule.call(cursor), plan, given) }
        }
        module.xNext = { cursor in
            guard let cursor, let table = cursor.pointee.pVtab else { return SQLITE_ERROR }
            return TableModule.module(table).attempt(table) { try $0.step(TableModule.call(cursor)) }
        }
        module.xEof = { cursor in cursor.map { TableModule.call($0).isAtEnd } ?? true ? 1 : 0 }
        module.xColumn = { cursor, context, column in
            guard let cursor, let table = cursor.pointee.pVtab else { return SQLITE_ERROR }
            TableModule.module(table).give(TableModule.call(cursor), column, to: context)
            return SQLITE_OK
        }
        module.xRowid = { cursor, rowid in
            guard let cursor else { return SQLITE_ERROR }
            rowid?.pointee = TableModule.call(cursor).row
            return SQLITE_OK
        }
        result.initialize(to: module)
        return UnsafePointer(result)
    }()

    private static func connect(
        _ connection: OpaquePointer?, _ data: UnsafeMutableRawPointer?,
        _ table: UnsafeMutablePointer<UnsafeMutablePointer<sqlite3_vtab>?>?,
        _ message: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
    ) -> Int32 {
        guard let data else { return SQLITE_ERROR }
        let module = Unmanaged<TableModule>.fromOpaque(data)
        let code = sqlite3_declare_vtab(connection, module.takeUnretainedValue().declaration)
        guard code == SQLITE_OK else {
            message?.pointee = sqliteCopy(sqlite3_errmsg(connection).map { String(cString: $0) } ?? "")
            return code
        }
        let new = UnsafeMutablePointer<Table>.allocate(capacity: 1)
        new.initialize(to: Table(module: module))
        table?.pointee = UnsafeMutableRawPointer(new).assumingMemoryBound(to: sqlite3_vtab.self)
        return SQLITE_OK
    }

    private var declaration: String {
        let columns = function.columns.map { "\"\($0.name)\" \($0.type)" } + function.parameters.map { "\"arg_\($0)\" HIDDEN" }
        return "CREATE TABLE x(\(columns.joined(separator: ", ")))"
    }

    // MARK: Planning

    /// Writes which arguments and keys the call gets, in this order: `a0 k3`.
    private func plan(_ info: UnsafeMutablePointer<sqlite3_index_info>) -> Int32 {
        var parts: [String] = []
        for index in 0..<Int(info.pointee.nConstraint) {
            let constraint = info.pointee.aConstraint[index]
            guard Int32(constraint.op) == SQLITE_INDEX_CONSTRAINT_EQ else { continue }
            let column = Int(constraint.iColumn)
            let isArgument = column >= function.columns.count
            if constraint.usable == 0 {
                // An argument that comes from another table: this order of the join cannot be.
                if isArgument { return SQLITE_CONSTRAINT }
                continue
            }
            if isArgument {
                parts.append("a\(column - function.columns.count)")
                info.pointee.aConstraintUsage[index].omit = 1
            } else if column >= 0, function.keys.contains(function.columns[column].name), isBinary(info, index) {
                parts.append("k\(column)")
            } else {
                continue
            }
            info.pointee.aConstraintUsage[index].argvIndex = Int32(parts.count)
        }
        let hasKey = parts.contains { $0.hasPrefix("k") }
        info.pointee.estimatedCost = hasKey ? 100 : 1_000_000
        info.pointee.estimatedRows = hasKey ? 10 : 100_000
        return setPlan(parts.joined(separator: " "), info)
    }

    private func isBinary(_ info: UnsafeMutablePointer<sqlite3_index_info>, _ index: Int) -> Bool {
        sqlite3_vtab_collation(info, Int32(index)).map { String(cString: $0) == "BINARY" } ?? false
    }

    private func setPlan(_ text: String, _ info: UnsafeMutablePointer<sqlite3_index_info>) -> Int32 {
        guard let copy = sqliteCopy(text) else { return SQLITE_NOMEM }
        info.pointee.idxStr = copy
        info.pointee.needToFreeIdxStr = 1
        return SQLITE_OK
    }

    // MARK: Running

    private func begin(_ call: Call, _ plan: String, _ given: [QueryValue]) throws {
        var arguments = [QueryValue?](repeating: nil, count: function.parameters.count)
        var conditions: [String] = []
        var keys: [String: QueryValue] = [:]
        for (part, value) in zip(plan.split(separator: " "), given) {
            guard let number = Int(part.dropFirst()) else { continue }
            if part.first == "a" {
                arguments[number] = value
            } else {
                conditions.append("\"\(function.columns[number].name)\" = :key_\(number)")
                keys["key_\(number)"] = value
            }
        }
        let selection = try function.selection(arguments, FunctionConnection(handle: connection))
        let filter = conditions.isEmpty ? "" : " WHERE " + conditions.joined(separator: " AND ")
        let names = function.columns.map { "\"\($0.name)\"" }.joined(separator: ", ")
        let statement = try Statement(connection: connection, "SELECT \(names) FROM (\(selection.sql))\(filter)")
        statement.bind(named: selection.parameters.merging(keys) { $1 })
        call.arguments = arguments
        call.statement = statement
        call.row = 0
        try step(call)
    }

    private func step(_ call: Call) throws {
        call.isAtEnd = try !(call.statement?.step() ?? false)
        call.row += 1
    }

    private func give(_ call: Call, _ column: Int32, to context: OpaquePointer?) {
        if Int(column) < function.columns.count {
            call.statement?.giveColumn(column, to: context)
        } else {
            (call.arguments[Int(column) - function.columns.count] ?? .null).setResult(context)
        }
    }

    private func attempt(_ table: UnsafeMutablePointer<sqlite3_vtab>, _ body: (TableModule) throws -> Void) -> Int32 {
        do {
            try body(self)
            return SQLITE_OK
        } catch {
            if Statement.isInterrupt(error) { return SQLITE_INTERRUPT }
            sqlite3_free(table.pointee.zErrMsg)
            table.pointee.zErrMsg = sqliteCopy(failure.note(error))
            return SQLITE_ERROR
        }
    }
}

/// A copy that SQLite frees.
private func sqliteCopy(_ text: String) -> UnsafeMutablePointer<CChar>? {
    let bytes = Array(text.utf8CString)
    guard let copy = sqlite3_malloc64(UInt64(bytes.count)) else { return nil }
    let characters = copy.assumingMemoryBound(to: CChar.self)
    for (index, byte) in bytes.enumerated() { characters[index] = byte }
    return characters
}
