import ArgumentParser
import Snapcat

struct CatalogCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "catalog", abstract: "The catalog itself: bring it up to the snapshots, build it anew, prove it, its size.",
        discussion: ExitStatus.help, subcommands: [Sync.self, Rebuild.self, Verify.self, Stats.self])

    struct Sync: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Index what is new or changed, take out what is gone.", discussion: ExitStatus.help)
        @OptionGroup var rows: RowOptions
        @OptionGroup var roots: RootOptions
        @OptionGroup var talk: TalkOptions

        func run() async throws {
            try rows.refuseSQL()
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
            try rows.refuseSQL()
            let repository = try roots.existingRepository()
            let summary = try await talk.withMonitor { monitor, _ in try await repository.rebuildCatalog(monitor: monitor) }
            try CatalogCommand.print(summary, rows)
        }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Compare the catalog with every snapshot, line by line.",
            discussion: "Prints where they differ (exit 5); 'snapcat catalog rebuild' mends it.\n\n\(ExitStatus.help)")
        @OptionGroup var rows: RowOptions
        @OptionGroup var roots: RootOptions
        @OptionGroup var talk: TalkOptions

        func run() async throws {
            try rows.refuseSQL()
            let repository = try roots.existingRepository()
            let printer = RowPrinter<CatalogDifference>(rows.writer(CatalogDifference.columns)) { $0.cells }
            let summary = try await talk.withMonitor { monitor, _ in
                try await repository.verifyCatalog(monitor: monitor) { try printer.print($0) }
            }
            try printer.finish()
            talk.say(
                "snapcat: \(HumanText.count(summary.snapshots)) snapshots, \(HumanText.count(summary.lines)) lines: "
                    + (summary.differences == 0 ? "the catalog is right" : "\(HumanText.count(summary.differences)) differences"))
            if summary.differences > 0 { throw ExitRequest(status: .damage) }
        }
    }

    struct Stats: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "What the catalog holds, in rows and bytes.", discussion: ExitStatus.help)
        @OptionGroup var rows: RowOptions
        @OptionGroup var roots: RootOptions
        @OptionGroup var sync: SyncOptions
        @OptionGroup var talk: TalkOptions

        func run() async throws {
            try rows.refuseSQL()
            let repository = try roots.existingRepository()
            let syncs = !sync.noSync
            let counts = try await talk.withMonitor { monitor, _ in
                try await repository.catalogCounts(syncs: syncs, monitor: monitor)
            }
            let writer = rows.writer([Column("what"), Column("count")])
            for item in counts { try writer.row([.string(item.what), .integer(item.count)]) }
            try writer.finish()
        }
    }

    private static func print(_ summary: CatalogSummary, _ rows: RowOptions) throws {
        let writer = rows.writer([Column("indexed"), Column("removed"), Column("damaged")])
        try writer.row([.int(summary.indexed), .int(summary.removed), .int(summary.damaged)])
        try writer.finish()
        if summary.damaged > 0 { throw ExitRequest(status: .damage) }
    }
}

extension CatalogDifference {
    fileprivate static let columns = ["snapshot", "kind", "name", "message"].map { Column($0) }

    fileprivate var cells: [Cell] {
        [.string(snapshot?.stem), .string(kind.rawValue), name.map { .text($0.bytes) } ?? .null, .string(message)]
    }
}
