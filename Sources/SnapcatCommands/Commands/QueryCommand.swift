import ArgumentParser
import Snapcat

struct QueryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "query", abstract: "Read-only SQL over the history.",
        discussion: """
            Views: snapshot, file_version, snapshot_file, current_file, change, snapshot_node, object, \
            missing_object, orphan_object, problem, catalog_info; 'snapcat schema' describes their columns. '-' reads \
            the SQL from the standard input. One word is the name of a saved query: --list shows them; your own are \
            files NAME.sql in REPO/queries or ~/.config/snapcat/queries.
            Without SQL a terminal gets a prompt; any other standard input is read.

            \(ExitStatus.help)
            """,
        aliases: ["sql"])

    @Argument(help: ArgumentHelp("The SQL, the name of a saved query, or - for the standard input.", valueName: "sql"))
    var text: String?
    @Flag(help: "The saved queries, with their parameters.")
    var list = false
    @Option(help: ArgumentHelp("Read the SQL from a file.", valueName: "file"))
    var file: String?
    @Option(name: .customShort("p"), help: ArgumentHelp("Set :name in the SQL; may be repeated.", valueName: "name=value"))
    var parameter: [String] = []
    @Option(help: ArgumentHelp("Stop after this time (exit 7).", valueName: "30s"))
    var timeout: String?
    @Option(help: ArgumentHelp("Cut after so many rows, and say so.", valueName: "n"))
    var maxRows: Int?
    @Option(help: ArgumentHelp("Another SQLite file, read-only, as a schema name.", valueName: "name=file"))
    var attach: [String] = []
    @OptionGroup var rows: RowOptions
    @OptionGroup var roots: RootOptions
    @OptionGroup var sync: SyncOptions
    @OptionGroup var talk: TalkOptions

    func validate() throws {
        if text != nil && file != nil { throw ValidationError("give the SQL or --file, not both") }
        if list && (text != nil || file != nil) { throw ValidationError("--list goes without SQL") }
        if let maxRows, maxRows < 0 { throw ValidationError("--max-rows must not be negative") }
    }

    func run() async throws {
        if list { return try SavedQueryList.print(try roots.savedQueries(), rows) }
        if text == nil && file == nil && Terminal.isInputTerminal { return try await prompt() }
        let saved = try text.flatMap { SavedQuery.isName($0) ? try roots.savedQueries().query($0) : nil }
        let sql = try saved?.sql ?? readSQL()
        if rows.sql { return try Terminal.line(sql) }
        let repository = try roots.existingRepository()
        Repository.limitQueryMemory(bytes: Self.mostMemoryBytes)
        let given = try options()
        let printer = QueryPrinter(rows, isStyled: false)
        let (syncs, talk) = (!sync.noSync, talk)
        let summary = try await talk.withMonitor { monitor, _ in
            var options = given
            if let saved {
                let question = try await repository.question(saved, parameters: given.parameters, syncs: syncs, monitor: monitor)
                options.parameters = question.parameters
                options.optionalParameters = question.optionalParameters
            }
            return try await repository.query(
                sql, options: options, syncs: syncs, monitor: monitor, columns: { printer.begin($0) },
                row: { try printer.print($0) })
        }
        try printer.finish()
        if summary.isCut { talk.say("snapcat: cut after \(summary.rows) rows") }
    }

    private func readSQL() throws -> String {
        if let file { return try SQLInput.read(file: file) }
        guard let text, text != "-" else { return try SQLInput.readStandardInput() }
        return text
    }

    private func prompt() async throws {
        if rows.sql || !parameter.isEmpty {
            throw SnapcatError(.usage, "No SQL", advice: "--sql and -p are for one statement")
        }
        let repository = try roots.existingRepository()
        Repository.limitQueryMemory(bytes: Self.mostMemoryBytes)
        var prompt = QueryPrompt(repository, try options(), rows, talk, syncs: !sync.noSync, queries: try roots.savedQueries().all())
        try await prompt.run()
    }

    /// A query is all that this process does with SQLite, but for the sync before it.
    private static let mostMemoryBytes: Int64 = 512 << 20

    private func options() throws -> QueryOptions {
        var options = QueryOptions()
        for pair in parameter {
            let (name, value) = try Self.split(pair, "-p")
            options.parameters[name] = value
        }
        for pair in attach {
            let (name, value) = try Self.split(pair, "--attach")
            options.attachments.append((name, value))
        }
        options.timeoutNanoseconds = try timeout.map { try DurationText.nanoseconds($0) }
        options.mostRows = [maxRows, rows.limit].compactMap { $0 }.min()
        return options
    }

    private static func split(_ pair: String, _ option: String) throws -> (String, String) {
        guard let equals = pair.firstIndex(of: "="), equals > pair.startIndex else {
            throw SnapcatError(.usage, "Not name=value", pair, advice: "write \(option) name=value")
        }
        return (String(pair[..<equals]), String(pair[pair.index(after: equals)...]))
    }
}

/// Prints a query's rows. Called by one thread at a time.
final class QueryPrinter: @unchecked Sendable {
    // Unchecked: the query calls `begin` and `print` from its one thread, and `finish` comes after it.
    private let rows: RowOptions
    /// Known columns are shown as what they are (sizes, modes); a user's own SQL names columns as it likes.
    private let isStyled: Bool
    private var writer: RowWriter?

    init(_ rows: RowOptions, isStyled: Bool) {
        self.rows = rows
        self.isStyled = isStyled
    }

    func begin(_ columns: [String]) { writer = rows.writer(columns.map { isStyled ? styledColumn($0) : Column($0) }) }
    func print(_ values: [QueryValue]) throws { try writer?.row(values.map { Cell($0) }) }
    func finish() throws { try writer?.finish() }
}
