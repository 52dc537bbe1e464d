import ArgumentParser
import Snapcat

struct LsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls", abstract: "The entries of a snapshot or of a folder in it.",
        discussion: "Names are relative to the file root.\n\n\(ExitStatus.help)")

    @Argument(help: ArgumentHelp("The snapshot (default: latest), with :FOLDER a folder of it.", valueName: "ref"))
    var reference: String?
    @Flag(name: .shortAndLong, help: "All levels below.")
    var recursive = false
    @OptionGroup var sorting: SortOptions
    @OptionGroup var rows: RowOptions
    @OptionGroup var roots: RootOptions
    @OptionGroup var sync: SyncOptions
    @OptionGroup var talk: TalkOptions

    func validate() throws { try sorting.check(["name", "type", "size", "md5", "mode", "mtime", "destination"]) }

    func run() async throws {
        let (reference, folder) = try ReferenceArgument.parse(self.reference ?? "latest")
        // A file needs no repository.
        let repository: Repository
        if case .file = reference {
            repository = Repository(.init(snapRoot: LocalStorage(root: "/"), heapRoot: nil, catalog: nil))
        } else {
            repository = try roots.existingRepository()
        }
        let printer = QueryPrinter(rows, isStyled: true)
        let (recursive, orders, limit, printsSQL) = (recursive, sorting.orders, rows.limit, rows.sql)
        try await talk.withMonitor { monitor, _ in
            if printsSQL {
                return try Terminal.line(
                    try await repository.listingSQL(reference, folder: folder ?? [], recursive: recursive, orders: orders, monitor: monitor))
            }
            try await repository.listing(
                reference, folder: folder ?? [], recursive: recursive, orders: orders, limit: limit, monitor: monitor,
                columns: { printer.begin($0) }, row: { try printer.print($0) })
        }
        if !printsSQL { try printer.finish() }
    }
}
