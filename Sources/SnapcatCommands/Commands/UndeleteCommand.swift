import ArgumentParser
import Snapcat

struct UndeleteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "undelete", abstract: "Bring back from the trash what 'forget' and 'gc' have put there.",
        discussion: """
            A forgotten snapshot comes back with all contents that it needs. Without a name all that is in the trash \
            comes back; --dry-run shows what that is. Of several copies of one snapshot, as purges leave them, the last \
            one comes back; the name of a copy, WHEN--NAME, brings back any other.

            \(ExitStatus.help)
            """)

    @Argument(help: ArgumentHelp("Names of snapshots or of copies in the trash (or prefixes of them), md5s of objects.", valueName: "name"))
    var names: [String] = []
    @Flag(name: [.customShort("n"), .long], help: "Bring nothing back; tell what would be.")
    var dryRun = false
    @OptionGroup var rows: RowOptions
    @OptionGroup var roots: RootOptions
    @OptionGroup var talk: TalkOptions
    @OptionGroup var lock: LockOptions

    func run() async throws {
        try rows.refuseSQL()
        let repository = try roots.existingRepository(needsHeap: true, waitSeconds: lock.seconds)
        var options = UndeleteOptions()
        options.names = names
        options.isDryRun = dryRun
        let printer = RowPrinter<CollectAction>(rows.writer(CollectAction.columns), limit: rows.limit, isReport: !dryRun) { $0.cells }
        let (summary, damages) = try await printer.during { [options] in
            try await talk.withMonitor { monitor, counter in
                (try await repository.undelete(options, monitor: monitor) { try printer.print($0) }, counter.damages)
            }
        }
        talk.say("snapcat: \(dryRun ? "dry run: " : "")\(HumanText.count(summary.restored)) brought back")
        if damages > 0 { throw ExitRequest(status: .damage) }
    }
}
