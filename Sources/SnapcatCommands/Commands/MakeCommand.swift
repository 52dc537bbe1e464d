import ArgumentParser
import Foundation
import Snapcat

struct MakeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "make", abstract: "Snapshot a folder; prints the path of the snapshot.",
        discussion: """
            Unchanged files are not read again: size, modification and status change time and inode tell. What the \
            heap lacks is stored. Files that cannot be read are named and left out (exit 3).

            \(ExitStatus.help)
            """,
        aliases: ["make-snapshot"])

    @Argument(help: ArgumentHelp("The folder to snapshot. [FILE_ROOT]", valueName: "file-root"))
    var folder: String?
    @OptionGroup var roots: RootOptions
    @OptionGroup var talk: TalkOptions
    @OptionGroup var lock: LockOptions
    @OptionGroup var scan: ScanArguments
    @Option(help: "text (the path) or json (a summary).")
    var format = SummaryFormat.text
    @Option(help: ArgumentHelp("Compression of new objects and the snapshot, 0-9.", valueName: "level"))
    var compression = 1
    @Option(help: ArgumentHelp("A tag; may be repeated.", valueName: "text"))
    var tag: [String] = []
    @Option(help: ArgumentHelp("A note.", valueName: "text"))
    var note = ""
    @Flag(name: [.customShort("n"), .long], help: "Write nothing; tell what would be read.")
    var dryRun = false
    @Flag(help: "Write no snapshot where nothing has changed.")
    var skipIfUnchanged = false
    @Flag(help: "Read every file, whatever its times say.")
    var rehash = false
    @Flag(help: "Compare each file that is read with the object of its md5, byte for byte (with --rehash: every file).")
    var paranoid = false
    @Flag(help: "Do not read a file again only because its status change time is new.")
    var ignoreCtime = false
    @Flag(help: "Do not read a file again only because its inode is new.")
    var ignoreInode = false
    @Flag(help: "Make a snapshot without files, or into an empty heap, even where the one before had some.")
    var allowEmpty = false
    @Flag(inversion: .prefixedNo, help: "Write the snapshot.")
    var saveSnapshot = true
    @Flag(inversion: .prefixedNo, help: "Store contents of unchanged files that the heap lacks.")
    var downloadMissingFiles = true
    @Option(help: ArgumentHelp("Threads that read and compress; 0: one per core.", valueName: "n"))
    var parallel = 0

    func validate() throws {
        if GzipLevel(compression) == nil { throw ValidationError("--compression must be 0 to 9, not \(compression)") }
        if parallel < 0 || parallel > 256 { throw ValidationError("--parallel must be 0 to 256") }
    }

    func run() async throws {
        let root = try roots.fileRootPath(folder)
        let repository = try roots.repository(needsHeap: !dryRun, waitSeconds: lock.seconds)
        let options = try options()
        let (summary, problems) = try await talk.withMonitor { monitor, counter in
            (try await repository.make(root, options: options, monitor: monitor), counter.problems)
        }
        if format == .json {
            try Terminal.report(summary.json)
        } else if let path = summary.path {
            try Terminal.report(path)
        }
        talk.say(summary.sentence(isDryRun: dryRun))
        if summary.hasProblems || problems > 0 { throw ExitRequest(status: .doneWithProblems) }
    }

    private func options() throws -> MakeOptions {
        var options = MakeOptions()
        options.scan = try scan.options()
        options.compression = GzipLevel(compression) ?? .standard
        options.tags = tag
        options.note = note
        options.isDryRun = dryRun
        options.skipsIfUnchanged = skipIfUnchanged
        options.rehashesAll = rehash
        options.comparesContents = paranoid
        options.ignoresCtime = ignoreCtime
        options.ignoresInode = ignoreInode
        options.allowsEmpty = allowEmpty
        options.savesSnapshot = saveSnapshot
        options.storesMissing = downloadMissingFiles
        options.parallelism = parallel
        return options
    }
}

/// How a summary is printed.
enum SummaryFormat: String, ExpressibleByArgument, CaseIterable { case text, json }

extension MakeSummary {
    fileprivate var json: String {
        var members: [(key: String, value: JSONValue)] = [
            ("message_type", .text("make")), ("path", path.map { .text($0) } ?? .null),
            ("taken_at", snapshot.map { .text($0.time.iso8601) } ?? .null), ("files", .integer(files)),
            ("bytes", .integer(bytes)), ("nodes", .integer(nodes)), ("added", .integer(added)),
            ("changed", .integer(changed)), ("removed", .integer(removed)), ("read_files", .integer(readFiles)),
            ("read_bytes", .integer(readBytes)), ("new_objects", .integer(newObjects)),
            ("stored_bytes", .integer(storedBytes)), ("excluded", .integer(excluded)),
            ("unreadable", .integer(unreadable)), ("unstable", .integer(unstable)),
            ("is_unchanged", .boolean(isUnchanged)),
        ]
        var elapsed: [UInt8] = []
        PythonNumber.appendRepr((seconds * 1000).rounded() / 1000, to: &elapsed)
        members.append(("seconds", .number(elapsed)))
        return String(decoding: JSONValue.object(members).bytes, as: UTF8.self)
    }

    fileprivate func sentence(isDryRun: Bool) -> String {
        let changes = "\(HumanText.count(added)) added, \(HumanText.count(changed)) changed, \(HumanText.count(removed)) removed"
        if isDryRun {
            return "snapcat: dry run: \(HumanText.count(files)) files, \(changes); "
                + "\(HumanText.count(readFiles)) would be read (\(HumanText.bytes(readBytes)))"
        }
        let what = path == nil ? (isUnchanged ? "nothing has changed, no snapshot" : "no snapshot") : "\(HumanText.count(files)) files, \(HumanText.bytes(bytes))"
        return "snapcat: \(what); \(changes); \(HumanText.count(readFiles)) read, "
            + "\(HumanText.bytes(storedBytes)) stored in \(HumanText.count(newObjects)) objects; \(HumanText.duration(seconds: seconds))"
    }
}
