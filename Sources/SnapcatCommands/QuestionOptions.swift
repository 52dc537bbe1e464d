import ArgumentParser
import Snapcat

/// The options of a command that asks the catalog one question, and how it is asked and answered.
struct QuestionOptions: ParsableArguments {
    @OptionGroup var rows: RowOptions
    @OptionGroup var roots: RootOptions
    @OptionGroup var sync: SyncOptions
    @OptionGroup var talk: TalkOptions

    /// Prints the answer, or the question itself for `--sql`, which needs no repository.
    func ask(_ question: Question) async throws {
        if rows.sql { return try Terminal.line(question.text) }
        try await ask { _, _ in question }
    }

    /// The same for a question that depends on the repository, as references do.
    func ask(_ phrase: (Repository, Monitor) async throws -> Question) async throws {
        let repository = try roots.existingRepository()
        let printer = QueryPrinter(rows, isStyled: true)
        try await talk.withMonitor { monitor, _ in
            let question = try await phrase(repository, monitor)
            if rows.sql { return try Terminal.line(question.text) }
            var options = question.options
            options.mostRows = rows.limit
            _ = try await repository.query(
                question.sql, options: options, syncs: syncs, monitor: monitor, columns: { printer.begin($0) },
                row: { try printer.print($0) })
            try printer.finish()
        }
    }

    var syncs: Bool { !sync.noSync }

    /// The time of a snapshot in microseconds.
    func microseconds(of reference: String, _ repository: Repository, _ monitor: Monitor) async throws -> Int64 {
        try await repository.microseconds(
            of: try SnapshotReference.parse(reference, clock: SystemClock()), syncs: syncs, monitor: monitor)
    }
}

/// `--sort`, over the columns that a command names.
struct SortOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Sort by a column, with :desc from the largest; may be repeated.", valueName: "column"))
    var sort: [String] = []

    var orders: [Question.Order] {
        sort.map { text in
            let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            return Question.Order(String(parts[0]), isDescending: parts.count == 2 && parts[1] == "desc")
        }
    }

    var sql: [String] { orders.map(\.sql) }

    func check(_ columns: [String]) throws {
        for (text, order) in zip(sort, orders) {
            guard columns.contains(order.column), [order.column, order.column + ":asc", order.column + ":desc"].contains(text)
            else {
                throw ValidationError("--sort takes one of \(columns.joined(separator: ", ")), with :desc where wanted, not '\(text)'")
            }
        }
    }
}
