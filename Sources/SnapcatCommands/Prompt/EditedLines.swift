import CEdit
import CPlatform
import Snapcat

/// Lines edited with libedit: keys, history, completion.
final class EditedLines: LineEditor, @unchecked Sendable {
    // Unchecked: libedit is called by one thread at a time, as the protocol asks.
    private let editor: OpaquePointer
    private let completion: CompletionBox

    /// libedit keeps a plain pointer to it.
    private final class CompletionBox {
        let completion: Completion
        init(_ completion: Completion) { self.completion = completion }
    }

    /// nil where there is no libedit, or the terminal cannot be edited on.
    init?(completion: Completion) {
        let box = CompletionBox(completion)
        let opened = cedit_open(
            Int32(PromptHistory.mostLines),
            { context, text, length in
                guard let context, let text else { return cedit_completion(inserted: nil, choices: nil) }
                let box = Unmanaged<CompletionBox>.fromOpaque(context).takeUnretainedValue()
                let bytes = UnsafeRawBufferPointer(start: text, count: length)
                let answer = box.completion.answer(TerminalText.lossy(bytes))
                return cedit_completion(
                    inserted: strdup(answer.inserted), choices: strdup(answer.choices.joined(separator: "  ")))
            },
            Unmanaged.passUnretained(box).toOpaque(), { Interruption.hasEnded ? 1 : 0 })
        guard let opened else { return nil }
        editor = opened
        self.completion = box
    }

    func read(prompt: String) throws -> LineInput {
        var line: UnsafePointer<CChar>?
        let kind = prompt.withCString { cedit_read(editor, $0, &line) }
        guard kind == CEDIT_LINE, let line else { return kind == CEDIT_CLEARED ? .cleared : .end }
        let text = String(cString: line)
        return .line(text.hasSuffix("\n") ? String(text.dropLast()) : text)
    }

    func remember(_ line: String) { cedit_remember(editor, line) }

    func close() { cedit_close(editor) }
}
