import ArgumentParser
import Snapcat

struct CatalogCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "catalog", abstract: "The catalog itself: bring it up to the snapshots, or build it anew.",
        discussion: ExitStatus.help, subcommands: [Sync.self, Rebuild.self])

    struct Sync: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Index what is new or changed, take out what is gone.", discussion: ExitStatus.help)
        @OptionGroup var rows: RowOptions
        @OptionGroup var roots: RootOptions
        @OptionGroup var talk: TalkOptions

        func run() async throws {
            let repository = try roots.existingRepository()
            let summary = try await talk.withMonitor { monitor, _ in try await repository.syncCatalog(monitor: monitor) }
            try CatalogCommand.print(summary, rows)
        }
    }

    struct Rebuild: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Build the catalog anew from the snapshots.", discussion: ExitStatus.help)
        @OptionGroup var rows: RowOptions
        @OptionGroup var roots: RootOptions
        @OptionGroup var talk: TalkOptions

        func run() async throws {
            let repository = try roots.existingRepository()
            let summary = try await talk.withMonitor { monitor, _ in try await repository.rebuildCatalog(monitor: monitor) }
            try CatalogCommand.print(summary, rows)
        }
    }

    private static func print(_ summary: CatalogSummary, _ rows: RowOptions) throws {
        let writer = rows.writer([Column("indexed"), Column("removed"), Column("damaged")])
        try writer.row([.int(summary.indexed), .int(summary.removed), .int(summary.damaged)])
        try writer.finish()
        if summary.damaged > 0 { throw ExitRequest(status: .damage) }
    }
}
