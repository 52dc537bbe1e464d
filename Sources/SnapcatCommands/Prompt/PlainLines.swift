import CPlatform
import Snapcat

/// Lines of the standard input as the terminal gives them: where there is no libedit.
final class PlainLines: LineEditor {
    private static let mostBytes = 1 << 20

    func read(prompt: String) throws -> LineInput {
        Terminal.ask(prompt)
        var bytes: [UInt8] = []
        while bytes.count < Self.mostBytes {
            while cplatform_wait_readable(0, 50) == 0 {
                if Interruption.hasEnded { return .end }
                guard Interruption.flag.isCancelled else { continue }
                Interruption.flag.clear()
                Terminal.talk("")
                return .cleared
            }
            // A terminal gives one line at most. Its start alone is never taken: Ctrl-C drops what is not yet read.
            var chunk = [UInt8](repeating: 0, count: 4096)
            let count = cplatform_read(0, &chunk, chunk.count)
            if count < 0 { throw SnapcatError(.failed, "Cannot read the standard input") }
            if count == 0 && bytes.isEmpty { return .end }
            bytes += chunk[..<count]
            if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() } else if count > 0 { continue }
            return .line(TerminalText.lossy(bytes))
        }
        throw SnapcatError(.failed, "The line is too long")
    }

    func remember(_ line: String) {}
    func close() {}
}
