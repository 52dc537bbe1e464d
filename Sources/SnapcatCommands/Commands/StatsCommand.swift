import ArgumentParser
import Snapcat

struct StatsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats", abstract: "The numbers of a repository, in one row.",
        discussion: """
            files and bytes are those of the latest snapshot; contents and content_bytes count each content that a \
            snapshot names once; stored_bytes is NULL where the sizes in the heap are not known.

            \(ExitStatus.help)
            """)

    @OptionGroup var catalog: QuestionOptions

    func run() async throws { try await catalog.ask(Question.stats) }
}
