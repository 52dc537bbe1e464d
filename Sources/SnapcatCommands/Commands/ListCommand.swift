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
    @OptionGroup var sorting: SortOptions
    @OptionGroup var catalog: QuestionOptions

    func validate() throws {
        if offset < 0 { throw ValidationError("--offset must not be negative") }
        try sorting.check(Self.sortable)
    }

    private static let sortable = [
        "taken_at", "path", "status", "files", "bytes", "new_bytes", "added", "changed", "removed", "host", "note",
    ]

    func run() async throws {
        let usual = catalog.rows.format == .table && !allColumns
        let columns = usual ? "taken_at, status, files, bytes, new_bytes, added, changed, removed, tags, note" : "*"
        let orders = sorting.sql + ["taken_at_us \(order.rawValue.uppercased())"]
        try await catalog.ask(
            Question(
                """
                SELECT \(columns) FROM snapshot
                ORDER BY \(orders.joined(separator: ", ")) LIMIT \(catalog.rows.limit ?? 10) OFFSET \(offset)
                """))
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
