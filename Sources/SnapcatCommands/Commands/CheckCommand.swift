import ArgumentParser
import Snapcat

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Read everything, and tell what is missing or damaged.",
        discussion: """
            Reads every snapshot and companion, looks for every object that they name, and compares the catalog with \
            them. Changes nothing. Exit 5 where something is missing or damaged.

            \(ExitStatus.help)
            """)

    @Flag(help: "Read every object too, and compare its md5.")
    var readData = false
    @OptionGroup var rows: RowOptions
    @OptionGroup var roots: RootOptions
    @OptionGroup var talk: TalkOptions

    func run() async throws {
        try rows.refuseSQL()
        let repository = try roots.existingRepository()
        let printer = RowPrinter<CheckFinding>(rows.writer(CheckFinding.columns)) { $0.cells }
        let readsData = readData
        let summary = try await talk.withMonitor { monitor, _ in
            try await repository.check(readsData: readsData, monitor: monitor) { try printer.print($0) }
        }
        try printer.finish()
        talk.say(summary.text(readsData: readsData))
        if summary.damages > 0 { throw ExitRequest(status: .damage) }
    }
}

extension CheckSummary {
    fileprivate func text(readsData: Bool) -> String {
        let read = readsData ? " read (\(HumanText.bytes(readBytes)))" : ""
        let found = damages == 0 ? "nothing missing or damaged" : "\(HumanText.count(damages)) damages"
        let noted = notes == 0 ? "" : ", \(HumanText.count(notes)) notes"
        return "snapcat: \(HumanText.count(snapshots)) snapshots, \(HumanText.count(lines)) entries, "
            + "\(HumanText.count(objects)) objects\(read): \(found)\(noted)"
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
