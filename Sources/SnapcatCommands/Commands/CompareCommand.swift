import ArgumentParser
import Snapcat

extension ComparisonStatus: ExpressibleByArgument {}

struct CompareCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare", abstract: "What differs between two snapshots.",
        discussion: """
            Without arguments: the last two snapshots. With one: that one and the latest. 'live' is the file root as \
            it is now. Two paths of .jsonl.gz files need no repository.

            --fail-if may use added, removed (deleted), changed, metadata, renamed, equal, total_left, total_right, \
            added_pct, removed_pct (deleted_pct), changed_pct, renamed_pct (of the left side), bytes_left and \
            bytes_right.

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
    @Option(help: "Only this status (only_left, only_right, different, metadata, equal, renamed); may be repeated.")
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
    @Option(help: ArgumentHelp("With --summary: by dir:DEPTH (dir: all of it) or ext too.", valueName: "dir:n|ext"))
    var groupBy: CompareGroup?
    @Flag(help: "A file with another name and the same content is one row, renamed, with the column name_left.")
    var renames = false
    @Option(help: ArgumentHelp("Only rows for which SQL over the columns is true.", valueName: "sql"))
    var `where`: String?
    @Option(
        help: ArgumentHelp(
            "Exit 1 where SQL over the counts is true, as in 'deleted_pct > 10'; may be repeated.", valueName: "sql"))
    var failIf: [String] = []
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
        if renames && allColumns { throw ValidationError("--renames and --all-columns exclude each other") }
        if groupBy != nil && !summary { throw ValidationError("--group-by goes with --summary") }
        if groupBy != nil && rows.sql { throw ValidationError("--group-by has no SQL") }
    }

    func run() async throws {
        let references = try references()
        let repository = try chosenRepository(references)
        let options = options()
        let limits = try failIf.map { try SummaryCondition($0, cancellation: Interruption.flag) }
        let printer = try ComparePrinter(
            rows, allColumns: allColumns, isSummary: summary, groups: groupBy, showsRenames: renames)
        let liveRoot = references.left == .live || references.right == .live ? try roots.fileRootPath() : nil
        let outcome = try await talk.withMonitor { monitor, _ in
            if rows.sql { return try await printSQL(repository, references, options, monitor) }
            return try await repository.compare(
                references.left, references.right, liveRoot: liveRoot, options: options, monitor: monitor
            ) { try printer.print($0) }
        }
        guard let outcome else { return }
        try printer.finish(outcome, options)
        try refuse(outcome, limits)
        if outcome.unread > 0 { throw ExitRequest(status: .doneWithProblems) }
        if exitCode && options.shownDifferences(outcome) { throw ExitRequest(status: .differences) }
    }

    /// Every limit that is broken is told, with the numbers that it may speak of.
    private func refuse(_ summary: ComparisonSummary, _ limits: [SummaryCondition]) throws {
        let broken = try limits.filter { try $0.holds(summary) }
        if broken.isEmpty { return }
        let numbers = summary.numbers.map { "\($0.name)=\(Self.spelled($0.value))" }.joined(separator: " ")
        for limit in broken { Terminal.talk("snapcat: --fail-if '\(TerminalText.oneLine(limit.expression))' is true: \(numbers)") }
        throw ExitRequest(status: .differences)
    }

    private static func spelled(_ value: QueryValue) -> String {
        switch value {
        case .integer(let value): "\(value)"
        case .real(let value): "\((value * 100).rounded() / 100)"
        default: "null"
        }
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
        options.pairsRenames = renames || diffState.contains(.renamed)
        options.condition = self.where
        options.countsAll = !failIf.isEmpty
        return options
    }

    private func printSQL(
        _ repository: Repository, _ references: (left: SnapshotReference, right: SnapshotReference),
        _ options: CompareOptions, _ monitor: Monitor
    ) async throws -> ComparisonSummary? {
        let text = try await repository.compareSQL(references.left, references.right, options: options, isSummary: summary, monitor: monitor)
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
