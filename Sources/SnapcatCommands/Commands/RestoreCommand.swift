import ArgumentParser
import Foundation
import Snapcat

extension RestoreOptions.Overwrite: ExpressibleByArgument {}

struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Make the file root equal to a snapshot.",
        discussion: """
            What is there now is snapshotted first, so that nothing is lost; what the snapshot does not have is \
            deleted. REF:FOLDER restores that folder only, at its place in the file root. Each file's md5 is checked \
            while it is written.

            \(ExitStatus.help)
            """,
        aliases: ["restore-snapshot"])

    @Argument(help: ArgumentHelp("The snapshot: latest, a time, a name; with :FOLDER a part of it.", valueName: "ref"))
    var reference: String?
    @Option(help: ArgumentHelp("The snapshot's file.", valueName: "path"))
    var path: String?
    @Option(help: ArgumentHelp("The newest snapshot at or before a time.", valueName: "time"))
    var latest: String?
    @OptionGroup var roots: RootOptions
    @OptionGroup var talk: TalkOptions
    @OptionGroup var lock: LockOptions
    @Option(name: .shortAndLong, help: "table, json, jsonl, csv, tsv or markdown: of the plan; json also prints a summary.")
    var format: OutputFormat?
    @Flag(name: [.customShort("n"), .long], help: "Print the plan; write nothing.")
    var dryRun = false
    @Option(help: ArgumentHelp("Only names that fit a glob; may be repeated.", valueName: "glob"))
    var include: [String] = []
    @Option(help: ArgumentHelp("No names that fit a glob; may be repeated.", valueName: "glob"))
    var exclude: [String] = []
    @Flag(inversion: .prefixedNo, help: "Delete what the snapshot does not have.")
    var delete = true
    @Flag(help: "Delete also what the snapshot was told to leave out (by make's excludes), or could not read.")
    var deleteExcluded = false
    @Flag(help: "Read every file of the file root: bytes that have changed behind size and times are found.")
    var rehash = false
    @Option(help: "always, if-changed (size or time differ), if-newer or never.")
    var overwrite = RestoreOptions.Overwrite.always
    @Flag(inversion: .prefixedNo, help: "Snapshot the present state first (default: where there is something).")
    var saveSnapshotBefore: Bool?
    @Flag(inversion: .prefixedNo, help: "Snapshot the restored state (default: where the history is this folder's).")
    var saveSnapshotAfter: Bool?
    @Flag(inversion: .prefixedNo, help: "Set owner and group, as root.")
    var owner = true
    @Flag(help: "Restore even an empty snapshot, or onto / or the home folder.")
    var force = false
    @Option(help: ArgumentHelp("Threads that inflate and write; 0: one per core.", valueName: "n"))
    var parallel = 0

    func validate() throws {
        if [reference, path, latest].compactMap({ $0 }).count > 1 {
            throw ValidationError("give one of REF, --path and --latest")
        }
        if parallel < 0 || parallel > 256 { throw ValidationError("--parallel must be 0 to 256") }
    }

    func run() async throws {
        let repository = try roots.repository(needsHeap: !dryRun, waitSeconds: lock.seconds)
        if path == nil { try repository.requireExisting() }
        let target = try roots.fileRootPath()
        var options = options()
        let chosen = try chosenReference()
        options.folder = chosen.folder ?? []
        let plan = dryRun ? RestoreAction.printer(format ?? .table) : nil
        let (summary, damages) = try await talk.withMonitor { [options] monitor, counter in
            let summary = try await repository.restore(
                chosen.reference, to: target, options: options, monitor: monitor, action: { try plan?.print($0) })
            return (summary, counter.damages)
        }
        if let plan {
            try plan.finish()
            if summary.damaged > 0 || damages > 0 { throw ExitRequest(status: .damage) }
            if summary.unread > 0 { throw ExitRequest(status: .doneWithProblems) }
            return
        }
        if format == .json { try Terminal.report(summary.json) }
        talk.say(summary.sentence)
        if summary.damaged > 0 || damages > 0 { throw ExitRequest(status: .damage) }
        if summary.failed > 0 { throw ExitRequest(status: summary.hasDoneNothing ? .failed : .doneWithProblems) }
        if summary.unread > 0 { throw ExitRequest(status: .doneWithProblems) }
    }

    private func chosenReference() throws -> (reference: SnapshotReference, folder: [UInt8]?) {
        if let path { return (.file(path), nil) }
        let text = reference ?? latest ?? "latest"
        return try ReferenceArgument.parse(text)
    }

    private func options() -> RestoreOptions {
        var options = RestoreOptions()
        options.overwrite = overwrite
        options.deletes = delete
        options.deletesExcluded = deleteExcluded
        options.rehashesAll = rehash
        options.savesSnapshotBefore = saveSnapshotBefore
        options.savesSnapshotAfter = saveSnapshotAfter
        options.include = include.map { Array($0.utf8) }
        options.exclude = exclude.map { Array($0.utf8) }
        options.isDryRun = dryRun
        options.isForced = force
        options.setsOwner = owner
        options.parallelism = parallel
        return options
    }
}

/// `REF` or `REF:NAME` of a command line.
enum ReferenceArgument {
    static func parse(_ text: String) throws -> (reference: SnapshotReference, folder: [UInt8]?) {
        let parsed = try SnapshotReference.parse(argument: Array(text.utf8), clock: SystemClock())
        return (parsed.reference, parsed.rest)
    }
}

extension RestoreSummary {
    fileprivate var json: String {
        let members: [(key: String, value: JSONValue)] = [
            ("message_type", .text("restore")), ("written_files", .integer(writtenFiles)),
            ("written_bytes", .integer(writtenBytes)), ("links", .integer(links)), ("hard_links", .integer(hardLinks)),
            ("folders", .integer(folders)), ("deleted", .integer(deleted)), ("metadata", .integer(metadata)),
            ("unchanged", .integer(unchanged)), ("damaged", .integer(damaged)), ("failed", .integer(failed)), ("unread", .integer(unread)),
            ("snapshot_before", snapshotBefore.map { .text($0) } ?? .null),
            ("snapshot_after", snapshotAfter.map { .text($0) } ?? .null),
        ]
        return String(decoding: JSONValue.object(members).bytes, as: UTF8.self)
    }

    fileprivate var sentence: String {
        var text = "snapcat: \(HumanText.count(writtenFiles)) files written (\(HumanText.bytes(writtenBytes))), "
            + "\(HumanText.count(deleted)) deleted, \(HumanText.count(unchanged)) unchanged"
        if damaged > 0 { text += ", \(HumanText.count(damaged)) NOT restored" }
        if failed > 0 { text += ", \(HumanText.count(failed)) failed" }
        if unread > 0 { text += ", \(HumanText.count(unread)) unread and left as they are" }
        if let snapshotBefore { text += "; the state before is \(snapshotBefore)" }
        return text + "; \(HumanText.duration(seconds: seconds))"
    }
}

extension RestoreAction {
    /// Prints a plan, as rows of its own format: restore has no other rows.
    fileprivate static func printer(_ format: OutputFormat) -> RowPrinter<RestoreAction> {
        let columns = [Column("action"), Column("name"), Column("type"), styledColumn("size"), Column("reason")]
        return RowPrinter(RowWriter(format: format, columns: columns, terminal: Terminal.info) { try Terminal.data($0) }) { $0.cells }
    }

    private var cells: [Cell] {
        [.string(kind.rawValue), .text(name.bytes), .string(type), .integer(size), .string(reason)]
    }
}
