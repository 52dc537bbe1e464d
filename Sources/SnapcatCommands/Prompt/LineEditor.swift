/// What a user has entered.
enum LineInput: Sendable, Equatable {
    /// Without its newline.
    case line(String)
    /// Ctrl-C: what was entered so far is dropped.
    case cleared
    /// Ctrl-D, the end of the input, or a signal that ends the program.
    case end
}

/// Where the prompt's lines come from. Its calls block, and come one at a time.
protocol LineEditor: Sendable {
    func read(prompt: String) throws -> LineInput
    /// For the arrow keys.
    func remember(_ line: String)
    func close()
}
