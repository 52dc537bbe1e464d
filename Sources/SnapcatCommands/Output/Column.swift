/// One column of a printed table: its name, and how a terminal may show it more readably.
///
/// The alignment is not set here: table format puts a column to the right where its cells are numbers.
package struct Column: Sendable, Equatable {
    /// How table format shows an integer on a terminal. Every other format, and a pipe, gets the bare value.
    package enum Style: Sendable, Equatable {
        case plain
        /// A size: 1.2 MiB.
        case bytes
        /// A `st_mode`: -rw-r--r--.
        case mode
        /// A number of things: 1,234,567.
        case count
        /// Seconds, also as a real: 1m 05s.
        case duration
    }

    package var name: String
    package var style: Style

    package init(_ name: String, style: Style = .plain) {
        self.name = name
        self.style = style
    }
}
