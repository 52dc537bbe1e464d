import ArgumentParser
import Snapcat

struct PurgeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "purge", abstract: "Take files or folders out of all snapshots.",
        discussion: """
            Every snapshot that has one of the names is written anew without it, with its companion; --dry-run shows \
            which. The old ones lie in the trash until 'gc' removes them ('undelete NAME' brings one back), and so do \
            contents that nothing names any more; 'gc --grace 0s' removes both for good, and snapshots that were forgotten \
            before, which are not purged. The catalog loses the names at once; what else may have them or their contents \
            is named, to be removed by hand. Exclude a file that still exists: the next make would take it in again. Run \
            it again where it was interrupted.

            \(ExitStatus.help)
            """)

    @Argument(help: ArgumentHelp("A file, a link, or a folder with all below it, from the file root.", valueName: "name"))
    var names: [String]
    @Flag(name: [.customShort("n"), .long], help: "Write nothing; tell which snapshots have it.")
    var dryRun = false
    @OptionGroup var rows: RowOptions
    @OptionGroup var roots: RootOptions
    @OptionGroup var talk: TalkOptions
    @OptionGroup var lock: LockOptions

    func run() async throws {
        try rows.refuseSQL()
        let repository = try roots.existingRepository(waitSeconds: lock.seconds)
        var options = PurgeOptions()
        options.names = names.map { Array($0.utf8) }
        options.isDryRun = dryRun
        let printer = RowPrinter<PurgedSnapshot>(rows.writer(PurgedSnapshot.columns), limit: rows.limit, isReport: !dryRun) { $0.cells }
        let (summary, counter) = try await printer.during { [options] in
            try await talk.withMonitor { monitor, counter in
                (try await repository.purge(options, monitor: monitor) { try printer.print($0) }, counter)
            }
        }
        let what = summary.changed == 0
            ? counter.problems == 0 ? "none has it" : "none of those that could be read has it"
            : "\(HumanText.count(summary.changed)) \(dryRun ? "would be " : "")written without "
                + "\(HumanText.count(summary.files)) files and \(HumanText.count(summary.nodes)) other nodes"
        talk.say("snapcat: \(dryRun ? "dry run: " : "")\(HumanText.count(summary.snapshots)) snapshots: \(what)")
        if counter.damages > 0 { throw ExitRequest(status: .damage) }
        if counter.problems > 0 { throw ExitRequest(status: .doneWithProblems) }
    }
}

extension PurgedSnapshot {
    fileprivate static let columns = ["taken_at", "path", "files", "bytes", "nodes"].map { styledColumn($0) }

    fileprivate var cells: [Cell] {
        [.string(name.time.iso8601), .string(path), .integer(files), .integer(bytes), .integer(nodes)]
    }
}
