import ArgumentParser
import Snapcat

extension Question.GrowthGroup: ExpressibleByArgument {}

struct GrowthCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "growth", abstract: "What was added and removed since a snapshot, the largest growth first.",
        discussion: """
            size_change is the plain difference of sizes; new_bytes counts only contents that no snapshot named before, \
            each once, at the first path that has it.

            \(ExitStatus.help)
            """)

    @Option(help: ArgumentHelp("Against which snapshot (2026-11-20, 30d, latest~5).", valueName: "ref"))
    var since = "oldest"
    @Option(help: "A row for each path, dir, ext or snapshot.")
    var by = Question.GrowthGroup.path
    @Option(help: ArgumentHelp("With --by dir: so many folders of a path.", valueName: "n"))
    var depth: Int?
    @OptionGroup var catalog: QuestionOptions

    func validate() throws {
        if let depth, depth < 1 { throw ValidationError("--depth must be at least 1") }
        if depth != nil && by != .dir { throw ValidationError("--depth goes with --by dir") }
    }

    func run() async throws {
        try await catalog.ask { repository, monitor in
            let time = try await catalog.microseconds(of: since, repository, monitor)
            return Question.growth(since: time, by: by, depth: depth)
        }
    }
}
