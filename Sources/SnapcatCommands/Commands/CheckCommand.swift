import ArgumentParser
import Snapcat

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Read everything, and tell what is missing or damaged.",
        discussion: """
            Reads every snapshot and companion, looks for every object that they name, and compares the catalog with \
            them. Changes nothing. Exit 5 where something is missing or damaged.

            --read-data reads all objects. With --max-age, --budget or --time-budget it reads a part of them, the \
            longest unread first, and notes in the catalog what it has read: run every night with --max-age 30d \
            --budget 20G, it reads each object about once a month, and one that is killed goes on where it ended. What \
            is left is told at the end.

            \(ExitStatus.help)
            """)

    @Flag(help: "Read every object too, and compare its md5.")
    var readData = false
    @Option(help: ArgumentHelp("Read only objects that were not verified for so long: 30d, 12h.", valueName: "time"))
    var maxAge: String?
    @Option(help: ArgumentHelp("Read so many stored bytes at most: 500M, 20G.", valueName: "size"))
    var budget: String?
    @Option(help: ArgumentHelp("Begin no more objects after so long: 30m, 2h.", valueName: "time"))
    var timeBudget: String?
    @Flag(help: "Read those first that were verified the longest ago; so it is with the three others anyway.")
    var oldestFirst = false
    @OptionGroup var rows: RowOptions
    @OptionGroup var roots: RootOptions
    @OptionGroup var talk: TalkOptions

    func validate() throws { _ = try options() }

    private func options() throws -> CheckOptions {
        guard maxAge != nil || budget != nil || timeBudget != nil || oldestFirst else { return CheckOptions(readsData: readData) }
        if !readData {
            throw ValidationError("--max-age, --budget, --time-budget and --oldest-first choose what --read-data reads: give that too")
        }
        var bounds = ReadingBounds()
        bounds.maxAgeMicroseconds = try maxAge.map { try TimeArgument.microseconds($0, "--max-age") }
        bounds.budgetBytes = SizeText.bytes(budget ?? "")
        if let budget, bounds.budgetBytes == nil { throw ValidationError("--budget takes a size, as 500M, 20G or 1T, not '\(budget)'") }
        bounds.budgetNanoseconds = try timeBudget.map { try TimeArgument.microseconds($0, "--time-budget") }
            .map { $0.multipliedReportingOverflow(by: 1000) }.map { $0.overflow ? .max : $0.partialValue }
        return CheckOptions(readsData: true, bounds: bounds)
    }

    func run() async throws {
        try rows.refuseSQL()
        let options = try options()
        let repository = try roots.existingRepository(needsHeap: options.readsData)
        let printer = RowPrinter<CheckFinding>(rows.writer(CheckFinding.columns)) { $0.cells }
        let summary = try await talk.withMonitor { monitor, _ in
            try await repository.check(options, monitor: monitor) { try printer.print($0) }
        }
        try printer.finish()
        talk.say(summary.text(options))
        if summary.damages > 0 { throw ExitRequest(status: .damage) }
    }
}

extension CheckSummary {
    fileprivate func text(_ options: CheckOptions) -> String {
        let read =
            if !options.readsData {
                ""
            } else if options.bounds == nil {
                " read (\(HumanText.bytes(readBytes)))"
            } else {
                ", \(HumanText.count(readObjects)) of them read (\(HumanText.bytes(readStoredBytes)))"
            }
        let found = damages == 0 ? "nothing missing or damaged" : "\(HumanText.count(damages)) damages"
        let noted = notes == 0 ? "" : ", \(HumanText.count(notes)) notes"
        return "snapcat: \(HumanText.count(snapshots)) snapshots, \(HumanText.count(lines)) entries, "
            + "\(HumanText.count(objects)) objects\(read): \(found)\(noted)" + (unread.map { "; \($0.text)" } ?? "")
    }
}

extension UnreadObjects {
    fileprivate var text: String {
        if objects == 0 { return "nothing left to be read" }
        let age = oldest.map { "was verified at \($0.iso8601)" } ?? "was never verified"
        return "left to be read: \(HumanText.count(objects)) objects (\(HumanText.bytes(bytes))), the oldest of them \(age)"
    }
}

extension CheckFinding {
    fileprivate static let columns = ["severity", "kind", "place", "name", "message"].map { Column($0) }

    fileprivate var cells: [Cell] {
        [
            .string(isDamage ? "damage" : "note"), .string(kind.rawValue), .string(place),
            name.map { .text($0.bytes) } ?? .null, .string(message),
        ]
    }
}
