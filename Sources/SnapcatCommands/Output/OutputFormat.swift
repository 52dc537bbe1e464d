/// How rows are printed: the values of `--format` (CLI.md).
package enum OutputFormat: String, CaseIterable, Sendable {
    /// Aligned columns, for people.
    case table
    /// One array of objects, one object a line; keys as `JSONRows` describes.
    case json
    /// One object a line.
    case jsonl
    /// The exact bytes, quoted; NULL and the empty text differ.
    case csv
    /// One line a row, escaped; NULL and the empty text do not differ.
    case tsv
    case markdown
}

/// What the output goes to.
package struct TerminalInfo: Sendable, Equatable {
    /// The width in cells, nil where the output is no terminal.
    package let columns: Int?
    /// True where escape sequences for colour are wanted.
    package let colour: Bool

    /// A width of 0 counts as none: a pseudo-terminal has it until its size is set.
    package init(columns: Int?, colour: Bool) {
        self.columns = columns.flatMap { $0 > 0 ? $0 : nil }
        self.colour = colour
    }

    /// A file or a pipe.
    package static let none = TerminalInfo(columns: nil, colour: false)
}
