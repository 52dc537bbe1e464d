import ArgumentParser
import Snapcat

struct GCCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gc", abstract: "Move objects that no snapshot names to the trash, and empty it of what is old.",
        discussion: """
            Reads every snapshot of every snap root that uses the heap: those that are remembered in the heap (make \
            notes its own), and those given by --snap-root, which may be repeated, and by SNAP_ROOT. Nothing is taken \
            away while one of them cannot be read (exit 5) or is missing. Objects younger than the grace stay, and what \
            is in the trash stays there for the grace; 'undelete' brings it back, and so does a make that needs it. \
            --grace 0s removes all at once: only where no other program writes to the heap. Forgotten snapshots are \
            removed like objects.

            \(ExitStatus.help)
            """)

    @Option(help: ArgumentHelp("How old unused objects, and those in the trash, must be: 24h, 7d, 0s.", valueName: "time"))
    var grace = "24h"
    @Option(help: ArgumentHelp("Forget a snap root that the heap remembers, and that is gone for good, by its folder or its id; may be repeated.", valueName: "dir"))
    var dropSnapRoot: [String] = []
    @Flag(help: "A snap root without snapshots is really empty.")
    var allowEmpty = false
    @Flag(name: [.customShort("n"), .long], help: "Move and remove nothing; tell what would be.")
    var dryRun = false
    @OptionGroup var rows: RowOptions
    @OptionGroup var roots: RootOptions
    @OptionGroup var talk: TalkOptions
    @OptionGroup var lock: LockOptions

    /// Of a snap root, as an error names it.
    private static func isID(_ text: String) -> Bool { text.utf8.count == 32 && text.allSatisfy(\.isHexDigit) }

    func validate() throws { _ = try TimeArgument.microseconds(grace, "--grace") }

    func run() async throws {
        try rows.refuseSQL()
        let repository = try roots.repository(needsHeap: true, waitSeconds: lock.seconds, takesSnapRoots: true)
        var options = CollectOptions()
        options.graceMicroseconds = try TimeArgument.microseconds(grace, "--grace")
        options.droppedSnapRoots = try dropSnapRoot.map { Self.isID($0) ? $0 : try StorageLocation($0).description }
        options.snapRoots = try roots.furtherSnapRoots(dropped: options.droppedSnapRoots)
        options.allowsEmpty = allowEmpty
        options.isDryRun = dryRun
        let printer = RowPrinter<CollectAction>(rows.writer(CollectAction.columns), limit: rows.limit, isReport: !dryRun) { $0.cells }
        let (summary, problems) = try await printer.during { [options] in
            try await talk.withMonitor { monitor, counter in
                (try await repository.collectGarbage(options, monitor: monitor) { try printer.print($0) }, counter.problems)
            }
        }
        talk.say(summary.gcSentence(isDryRun: dryRun))
        if problems > 0 { throw ExitRequest(status: .doneWithProblems) }
    }
}

extension CollectSummary {
    fileprivate func gcSentence(isDryRun: Bool) -> String {
        let back = restored == 0 ? "" : "\(HumanText.count(restored)) brought back; "
        let kept = young == 0 ? "" : "; \(HumanText.count(young)) unused ones are too young"
        return "snapcat: \(isDryRun ? "dry run: " : "")\(HumanText.count(snapshots)) snapshots name \(HumanText.count(contents)) contents; "
            + "\(back)\(HumanText.count(trashed)) to the trash (\(HumanText.bytes(trashedBytes))), "
            + "\(HumanText.count(removed)) removed (\(HumanText.bytes(removedBytes)))\(kept)"
    }
}

extension CollectAction {
    /// Of gc and of undelete.
    static let columns = ["action", "kind", "name", "stored_bytes", "reason"].map { styledColumn($0) }

    var cells: [Cell] {
        [.string(kind.rawValue), .string(subject.rawValue), .string(name), .integer(storedBytes), .string(reason)]
    }
}
