import ArgumentParser
import Snapcat

enum ListOrder: String, ExpressibleByArgument, CaseIterable { case asc, desc }

struct ListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "The snapshots, newest first.",
        discussion: """
            The columns of the view 'snapshot'; the table shows the usual ones of them, the other formats all.

            \(ExitStatus.help)
            """)

    @Option(help: ArgumentHelp("So many are left out first.", valueName: "n"))
    var offset = 0
    @Option(help: "asc or desc.")
    var order = ListOrder.desc
    @Flag(help: "All columns in the table too.")
    var allColumns = false
    @OptionGroup var rows: RowOptions
    @OptionGroup var roots: RootOptions
    @OptionGroup var sync: SyncOptions
    @OptionGroup var talk: TalkOptions

    func validate() throws {
        if offset < 0 { throw ValidationError("--offset must not be negative") }
    }

    func run() async throws {
        let usual = rows.format == .table && !allColumns
        let columns = usual ? "taken_at, status, files, bytes, new_bytes, added, changed, removed, tags, note" : "*"
        let sql = "SELECT \(columns) FROM snapshot ORDER BY taken_at_us \(order.rawValue.uppercased()) LIMIT \(rows.limit ?? 10) OFFSET \(offset)"
        try await SQLCommand.run(sql, rows: rows, roots: roots, sync: sync, talk: talk)
    }
}

/// snapshooter's listing: bare paths.
struct ListSnapshotsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list-snapshots", abstract: "The paths of the snapshots.", discussion: ExitStatus.help,
        shouldDisplay: false)

    @Option(help: "So many at most.")
    var limit = 10
    @Option(help: "So many are left out first.")
    var offset = 0
    @Option(help: "asc or desc.")
    var order = ListOrder.desc
    @OptionGroup var roots: RootOptions
    @OptionGroup var talk: TalkOptions

    func validate() throws {
        if limit < 0 { throw ValidationError("--limit must not be negative") }
        if offset < 0 { throw ValidationError("--offset must not be negative") }
    }

    func run() async throws {
        let repository = try roots.existingRepository()
        let all = try await talk.withMonitor { monitor, _ in try await repository.list(monitor: monitor) }
        let ordered = order == .desc ? all.reversed() : all
        for snapshot in ordered.dropFirst(offset).prefix(limit) { try Terminal.line(snapshot.path) }
    }
}

/// A command that is one query over the views.
enum SQLCommand {
    static func run(
        _ sql: String, options: QueryOptions = QueryOptions(), rows: RowOptions, roots: RootOptions,
        sync: SyncOptions, talk: TalkOptions
    ) async throws {
        if rows.sql { return try Terminal.line(sql) }
        let repository = try roots.existingRepository()
        let printer = QueryPrinter(rows, isStyled: true)
        let syncs = !sync.noSync
        _ = try await talk.withMonitor { monitor, _ in
            try await repository.query(
                sql, options: options, syncs: syncs, monitor: monitor, columns: { printer.begin($0) },
                row: { try printer.print($0) })
        }
        try printer.finish()
    }
}
