import ArgumentParser
import Snapcat

struct DupesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dupes", abstract: "Contents that a snapshot has under several names, the most wasteful first.",
        discussion: """
            wasted_bytes: what the files take beyond one of them. The heap keeps each content once anyway.

            \(ExitStatus.help)
            """)

    @Option(help: ArgumentHelp("In which snapshot.", valueName: "ref"))
    var at = "latest"
    @Option(help: ArgumentHelp("Leave out smaller files (5000, 100K, 2M, 1G).", valueName: "size"))
    var minSize = "1"
    @Flag(help: "A row for each name, not only for the first of a content.")
    var names = false
    @OptionGroup var catalog: QuestionOptions

    func validate() throws {
        if SizeText.bytes(minSize) == nil { throw ValidationError("--min-size takes a size, as 5000, 100K or 2M, not '\(minSize)'") }
    }

    func run() async throws {
        let reference = try SnapshotReference.parse(at, clock: SystemClock())
        try await catalog.ask { repository, monitor in
            let id = try await repository.snapshotId(of: reference, syncs: catalog.syncs, monitor: monitor)
            return Question.duplicates(snapshotId: id, minSize: SizeText.bytes(minSize) ?? 1, names: names)
        }
    }
}
