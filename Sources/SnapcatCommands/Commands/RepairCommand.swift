import ArgumentParser
import Snapcat

struct RepairCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repair", abstract: "Move damaged objects aside, and fetch them and missing ones again from live files.",
        discussion: """
            Reads every object. A damaged one is moved to the heap's folder 'damaged', never deleted. Contents that \
            snapshots name are taken from the heap's trash, or from a file of the snapshotted folders that has the \
            same md5; --file-root names another folder to look into. All snap roots that the heap remembers count. Exit 5 \
            where something stays lost.

            It reads beside makes, and waits for their end before it moves or writes anything: an hour, or as long as \
            --wait says.

            \(ExitStatus.help)
            """)

    @Flag(name: [.customShort("n"), .long], help: "Move and write nothing; tell what would be.")
    var dryRun = false
    @OptionGroup var rows: RowOptions
    @OptionGroup var roots: RootOptions
    @OptionGroup var talk: TalkOptions
    @OptionGroup var lock: LockOptions

    func run() async throws {
        try rows.refuseSQL()
        let repository = try roots.existingRepository(needsHeap: true, waitSeconds: lock.seconds)
        var options = RepairOptions()
        if try roots.hasFileRoot { options.fileRoots = [try roots.fileRootPath()] }
        options.isDryRun = dryRun
        let printer = RowPrinter<RepairAction>(rows.writer(RepairAction.columns), limit: rows.limit, isReport: !dryRun) { $0.cells }
        let (summary, problems) = try await printer.during { [options] in
            try await talk.withMonitor { monitor, counter in
                (try await repository.repair(options, monitor: monitor) { try printer.print($0) }, counter.problems)
            }
        }
        talk.say(
            "snapcat: \(dryRun ? "dry run: " : "")\(HumanText.count(summary.objects)) objects read: "
                + "\(HumanText.count(summary.quarantined)) damaged, \(HumanText.count(summary.restored)) brought back, "
                + "\(HumanText.count(summary.lost)) lost")
        if summary.lost > 0 || problems > 0 { throw ExitRequest(status: .damage) }
    }
}

extension RepairAction {
    fileprivate static let columns = ["action", "md5", "place", "message"].map { Column($0) }
    fileprivate var cells: [Cell] { [.string(kind.rawValue), .md5(md5), .string(place), .string(message)] }
}
