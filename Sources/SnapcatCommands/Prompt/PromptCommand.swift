import Snapcat

/// A line that begins with a dot is for the prompt itself.
enum PromptCommand: Equatable {
    case help, quit, queries, timer
    case schema(String?)
    case format(OutputFormat)

    static let names = [".help", ".quit", ".schema", ".queries", ".format", ".timer"]

    static let helpText = """
        .help           this text
        .quit           end (also Ctrl-D)
        .schema [VIEW]  the views and their columns
        .queries        the saved queries; a name alone runs one
        .format F       how rows are printed: \(OutputFormat.allCases.map(\.rawValue).joined(separator: ", "))
        .timer          show the time of each statement, or no longer
        A ';' or an empty line ends a statement. Ctrl-C interrupts it, or clears the line.
        """

    init(_ line: String) throws {
        let parts = line.split(separator: " ").map(String.init)
        let argument = parts.count > 1 ? parts[1] : nil
        guard parts.count <= 2 else { throw Self.unknown(line) }
        switch (parts[0], argument) {
        case (".help", nil): self = .help
        case (".quit", nil), (".exit", nil): self = .quit
        case (".queries", nil): self = .queries
        case (".timer", nil): self = .timer
        case (".schema", let view): self = .schema(view)
        case (".format", let name?):
            guard let format = OutputFormat(rawValue: name) else { throw SnapcatError(.usage, "No such format", name, advice: "see .help") }
            self = .format(format)
        default: throw Self.unknown(line)
        }
    }

    private static func unknown(_ line: String) -> SnapcatError {
        SnapcatError(.usage, "No such command", line, advice: "see .help")
    }
}
