import ArgumentParser
import Snapcat

struct FindCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "find", abstract: "Files by name over all snapshots, one row a version.",
        discussion: """
            The pattern is a glob: without a slash it is tried on the last part of a name, with one on the whole name; \
            ** crosses folders. Quote it, so that the shell leaves it alone.

            \(ExitStatus.help)
            """)

    @Argument(help: "A glob; see --regex and --substring.")
    var pattern: String
    @Flag(help: "The pattern is an extended regular expression (grep -E), tried on any part of the whole name.")
    var regex = false
    @Flag(help: "The pattern is a part of the whole name, as it stands.")
    var substring = false
    @Flag(name: .shortAndLong, help: "Upper and lower case are the same.")
    var ignoreCase = false
    @Option(help: ArgumentHelp("Only versions that a snapshot has.", valueName: "ref"))
    var at: String?
    @Flag(help: "Only names that the latest snapshot does not have.")
    var deleted = false
    @OptionGroup var sorting: SortOptions
    @OptionGroup var catalog: QuestionOptions

    func validate() throws {
        if regex && substring { throw ValidationError("--regex and --substring exclude each other") }
        try sorting.check(Question.versionColumns)
    }

    func run() async throws {
        var options = FindOptions()
        options.syntax = regex ? .regex : substring ? .substring : .glob
        options.ignoresCase = ignoreCase
        options.onlyDeleted = deleted
        options.orders = sorting.orders
        guard let at else { return try await catalog.ask(try Question.find(pattern, options)) }
        try await catalog.ask { [options] repository, monitor in
            var options = options
            options.at = try await catalog.microseconds(of: at, repository, monitor)
            return try Question.find(pattern, options)
        }
    }
}
