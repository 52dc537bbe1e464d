import ArgumentParser
import Snapcat

extension ComparisonStatus: ExpressibleByArgument {}

struct CompareCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare", abstract: "What differs between two snapshots.",
        discussion: """
            Without arguments: the last two snapshots. With one: that one and the latest. 'live' is the file root as \
            it is now. Two paths of .jsonl.gz files need no repository.

            \(ExitStatus.help)
            """,
        aliases: ["diff", "compare-snapshots"])

    @Argument(help: ArgumentHelp("The left snapshot.", valueName: "left"))
    var left: String?
    @Argument(help: ArgumentHelp("The right snapshot.", valueName: "right"))
    var right: String?
    @Option(help: ArgumentHelp("The left snapshot's file.", valueName: "path"))
    var path1: String?
    @Option(help: ArgumentHelp("The left one: the newest at or before a time.", valueName: "time"))
    var latest1: String?
    @Option(help: ArgumentHelp("The right snapshot's file.", valueName: "path"))
    var path2: String?
    @Option(help: ArgumentHelp("The right one: the newest at or before a time.", valueName: "time"))
    var latest2: String?
    @Option(help: "Only this status (only_left, only_right, different, metadata, equal); may be repeated.")
    var diffState: [ComparisonStatus] = []
    @Flag(help: "Tell other modes, times and owners too.")
    var metadata = false
    @Option(help: ArgumentHelp("Only names in a folder.", valueName: "folder"))
    var pathPrefix: String?
    @Option(help: ArgumentHelp("Only names that fit a glob; may be repeated.", valueName: "glob"))
    var include: [String] = []
    @Option(help: ArgumentHelp("No names that fit a glob; may be repeated.", valueName: "glob"))
    var exclude: [String] = []
    @Flag(help: "Counts and bytes per status.")
    var summary = false
    @Flag(help: "Every key of both lines, as snapshooter shows them.")
    var allColumns = false
    @Flag(help: "Exit 1 where something differs.")
    var exitCode = false
    @OptionGroup var rows: RowOptions
    @OptionGroup var roots: RootOptions
    @OptionGroup var sync: SyncOptions
    @OptionGroup var talk: TalkOptions

    func validate() throws {
        if left != nil && (path1 != nil || latest1 != nil) || right != nil && (path2 != nil || latest2 != nil) {
            throw ValidationError("give a snapshot as argument or as option, not both")
        }
        if path1 != nil && latest1 != nil || path2 != nil && latest2 != nil {
            throw ValidationError("--path and --latest exclude each other")
        }
    }

    func run() async throws {
        let references = try references()
        let repository = try chosenRepository(references)
        let options = options()
        let printer = try ComparePrinter(rows, allColumns: allColumns, isSummary: summary)
        let liveRoot = references.left == .live || references.right == .live ? try roots.fileRootPath() : nil
        let outcome = try await talk.withMonitor { monitor, _ in
            if rows.sql { return try await printSQL(repository, references, options, monitor) }
            return try await repository.compare(
                references.left, references.right, liveRoot: liveRoot, options: options, monitor: monitor
            ) { try printer.print($0) }
        }
        guard let outcome else { return }
        try printer.finish(outcome, options)
        if exitCode && options.shownDifferences(outcome) { throw ExitRequest(status: .differences) }
    }

    private func references() throws -> (left: SnapshotReference, right: SnapshotReference) {
        let clock = SystemClock()
        func parse(_ argument: String?, _ path: String?, _ latest: String?) throws -> SnapshotReference? {
            if let path { return .file(path) }
            return try (argument ?? latest).map { try SnapshotReference.parse($0, clock: clock) }
        }
        let first = try parse(left, path1, latest1)
        let second = try parse(right, path2, latest2)
        return (first ?? (second == nil ? .latest(back: 1) : .latest(back: 0)), second ?? .latest(back: 0))
    }

    /// Two files need no repository at all.
    private func chosenRepository(
        _ references: (left: SnapshotReference, right: SnapshotReference)
    ) throws -> Repository {
        if case .file = references.left, case .file = references.right {
            return Repository(.init(snapRoot: LocalStorage(root: "/"), heapRoot: nil, catalog: nil))
        }
        return try roots.existingRepository()
    }

    private func options() -> CompareOptions {
        var options = CompareOptions()
        options.statuses = diffState.isEmpty ? nil : Set(diffState)
        options.includesMetadata = metadata || diffState.contains(.metadata)
        options.includesEntries = allColumns
        options.pathPrefix = Array((pathPrefix ?? "").utf8)
        options.include = include.map { Array($0.utf8) }
        options.exclude = exclude.map { Array($0.utf8) }
        return options
    }

    private func printSQL(
        _ repository: Repository, _ references: (left: SnapshotReference, right: SnapshotReference),
        _ options: CompareOptions, _ monitor: Monitor
    ) async throws -> ComparisonSummary? {
        let text = try await repository.compareSQL(references.left, references.right, options: options, monitor: monitor)
        try Terminal.line(text)
        return nil
    }
}

extension CompareOptions {
    /// Something that is shown, other than equal names.
    fileprivate func shownDifferences(_ summary: ComparisonSummary) -> Bool {
        shownStatuses.contains { $0 != .equal && summary[$0].files > 0 }
    }
}
