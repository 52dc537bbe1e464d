import ArgumentParser
import Snapcat

struct HistoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "The versions of one file, by time.",
        discussion: """
            status tells how a version began: added, changed, metadata (same content, other mode, owner or time) or \
            reappeared, with gap_seconds since it was last there. ending tells how it ended: replaced, removed, or \
            nothing while it is current. An unknown name has no rows.

            \(ExitStatus.help)
            """)

    @Argument(help: "The path relative to the file root.")
    var name: String
    @OptionGroup var catalog: QuestionOptions

    func validate() throws {
        if name.isEmpty { throw ValidationError("give a name") }
    }

    func run() async throws {
        let relative = name.hasPrefix("./") ? String(name.dropFirst(2)) : name
        try await catalog.ask(Question.history(relative))
    }
}
