import Foundation
import Snapcat

/// SQL statement by statement: the prompt of `snapcat query`.
struct QueryPrompt {
    let repository: Repository
    let options: QueryOptions
    let talk: TalkOptions
    let syncs: Bool
    let queries: [SavedQuery]
    var rows: RowOptions
    private var history: PromptHistory? = PromptHistory()
    private var buffer = StatementBuffer()
    private var isTimed = false
    private var hasListedObjects = false

    init(_ repository: Repository, _ options: QueryOptions, _ rows: RowOptions, _ talk: TalkOptions, syncs: Bool, queries: [SavedQuery]) {
        self.repository = repository
        self.options = options
        self.rows = rows
        self.talk = talk
        self.syncs = syncs
        self.queries = queries
    }

    /// Until the user ends it. The catalog follows the snapshots once, at the start.
    mutating func run() async throws {
        if syncs { try await talk.withMonitor { monitor, _ in _ = try await repository.list(monitor: monitor) } }
        let editor: any LineEditor = EditedLines(completion: Completion(queries: queries.map(\.name))) ?? PlainLines()
        defer { editor.close() }
        Interruption.isAtPrompt = true
        withHistory { history in for line in try history.lines() { editor.remember(line) } }
        talk.say("snapcat \(SnapcatVersion.text): SQL over the history. '.help' for help, Ctrl-D to end")
        while true {
            let prompt = buffer.isEmpty ? "snapcat> " : "    ...> "
            // A Ctrl-C after the last statement's end is none for the next one; from the line's end on it is.
            Interruption.flag.clear()
            // libedit blocks: not on Swift's pool.
            let input = try await WorkerThread.run("snapcat-prompt", cancellation: CancellationFlag()) {
                try editor.read(prompt: prompt)
            }
            if Interruption.hasEnded { throw SnapcatError(.interrupted, "Interrupted") }
            switch input {
            case .end: return Terminal.ask("\n")
            case .cleared: buffer.clear()
            case .line(let line):
                if !line.allSatisfy(\.isWhitespace) {
                    editor.remember(line)
                    withHistory { try $0.append(line) }
                }
                if try await !take(line) { return }
            }
            if Interruption.hasEnded { throw SnapcatError(.interrupted, "Interrupted") }
        }
    }

    /// A history that cannot be kept is told once, and no reason to end.
    private mutating func withHistory(_ body: (PromptHistory) throws -> Void) {
        guard let history else { return }
        do { try body(history) } catch {
            self.history = nil
            talk.say("snapcat: the history is not kept: \(error)")
        }
    }

    /// False where the user ends it.
    private mutating func take(_ line: String) async throws -> Bool {
        do {
            if buffer.isEmpty && line.hasPrefix(".") {
                let command = try PromptCommand(line)
                if command == .quit { return false }
                try perform(command)
            } else if let saved = savedQuery(line) {
                try await execute(saved)
            } else if let sql = buffer.add(line) {
                try await execute(sql, options)
            }
        } catch let error as SnapcatError { Terminal.talk("snapcat: error: \(error.description)") }
        return true
    }

    private func savedQuery(_ line: String) -> SavedQuery? {
        guard buffer.isEmpty else { return nil }
        let name = line.filter { !$0.isWhitespace && $0 != ";" }
        return queries.first { $0.name == name }
    }

    private mutating func perform(_ command: PromptCommand) throws {
        switch command {
        case .help: Terminal.talk(PromptCommand.helpText)
        case .quit: break
        case .timer: isTimed.toggle()
        case .format(let format): rows.format = format
        case .schema(let view): try SchemaCommand.show(view, rows)
        case .queries:
            let writer = rows.writer([Column("name"), Column("description")])
            for query in queries { try writer.row([.string(query.name), .string(query.description)]) }
            try writer.finish()
        }
    }

    /// With its parameters as they are by default: a prompt has no `-p`.
    private mutating func execute(_ saved: SavedQuery) async throws {
        let (repository, syncs) = (repository, syncs)
        let question = try await talk.withMonitor(showsProgress: false) { monitor, _ in
            try await repository.question(saved, parameters: [:], syncs: syncs, monitor: monitor)
        }
        var options = options
        options.parameters = question.parameters
        options.optionalParameters = question.optionalParameters
        try await execute(saved.sql, options)
    }

    private mutating func execute(_ sql: String, _ options: QueryOptions) async throws {
        // The heap is listed when it is first asked for.
        let listsObjects = syncs && !hasListedObjects && sql.lowercased().contains("object")
        let printer = QueryPrinter(rows, isStyled: false)
        let start = monotonicNanoseconds()
        let repository = repository
        let summary = try await talk.withMonitor(showsProgress: false) { monitor, _ in
            try await repository.query(
                sql, options: options, syncs: listsObjects, monitor: monitor, columns: { printer.begin($0) },
                row: { try printer.print($0) })
        }
        try printer.finish()
        hasListedObjects = hasListedObjects || listsObjects
        if summary.isCut { talk.say("snapcat: cut after \(summary.rows) rows") }
        if isTimed { talk.say("snapcat: \(summary.rows) rows in \(Double((monotonicNanoseconds() - start) / 1000) / 1000) ms") }
    }
}
