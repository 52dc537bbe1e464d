import Snapcat

/// The lines of a statement until it is complete.
struct StatementBuffer {
    private var text = ""

    var isEmpty: Bool { text.isEmpty }

    /// The statement once a `;` or an empty line ends it.
    mutating func add(_ line: String) -> String? {
        let isBlank = line.allSatisfy(\.isWhitespace)
        if isBlank && isEmpty { return nil }
        text += (isEmpty ? "" : "\n") + line
        guard isBlank || SQLText.isComplete(text) else { return nil }
        defer { text = "" }
        return text
    }

    mutating func clear() { text = "" }
}
