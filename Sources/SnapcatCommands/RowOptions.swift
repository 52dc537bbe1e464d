import ArgumentParser
import Snapcat

extension OutputFormat: ExpressibleByArgument {}

/// How rows are printed: the options of every command that prints rows.
struct RowOptions: ParsableArguments {
    @Option(name: .shortAndLong, help: "table, json, jsonl, csv, tsv or markdown.")
    var format = OutputFormat.table
    @Option(help: ArgumentHelp("So many rows at most.", valueName: "n"))
    var limit: Int?
    @Flag(help: "Print the SQL that the command runs, and stop.")
    var sql = false

    func validate() throws {
        if let limit, limit < 0 { throw ValidationError("--limit must not be negative") }
    }

    /// For commands that do more than ask the catalog.
    func refuseSQL() throws {
        if sql { throw SnapcatError(.usage, "No SQL", reason: "the command reads files, it is no query") }
    }

    func writer(_ columns: [Column]) -> RowWriter {
        RowWriter(format: format, columns: columns, terminal: Terminal.info) { try Terminal.data($0) }
    }
}

/// Options of commands that read the history.
struct SyncOptions: ParsableArguments {
    @Flag(help: "Do not look for new snapshots first.")
    var noSync = false
}

extension Cell {
    init(_ value: QueryValue) {
        self =
            switch value {
            case .null: .null
            case .integer(let value): .integer(value)
            case .real(let value): .real(value)
            case .text(let bytes): .text(bytes)
            case .blob(let bytes): .blob(bytes)
            }
    }

    static func integer(_ value: Int64?) -> Cell { value.map { .integer($0) } ?? .null }
    static func real(_ value: Double?) -> Cell { value.map { .real($0) } ?? .null }
    static func md5(_ value: MD5Digest?) -> Cell { value.map { .text($0.hexBytes) } ?? .null }
    static func bytes(_ value: [UInt8]?) -> Cell { value.map { .text($0) } ?? .null }
}

/// How columns of these names are shown in a table.
func styledColumn(_ name: String) -> Column {
    switch name {
    case "size", "bytes", "new_bytes", "stored_bytes", "size_left", "size_right", "size_before", "size_after",
        "wasted_bytes", "freed_bytes", "size_change", "content_bytes", "catalog_bytes", "unique_bytes", "bytes_left", "bytes_right":
        Column(name, style: .bytes)
    case "mode", "mode_left", "mode_right": Column(name, style: .mode)
    case "files", "freed_objects", "added", "changed", "removed", "snapshots", "names", "versions", "contents": Column(name, style: .count)
    case "gap_seconds": Column(name, style: .duration)
    default: Column(name)
    }
}
