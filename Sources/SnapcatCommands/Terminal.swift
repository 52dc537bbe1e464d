import CPlatform
import Foundation
import Snapcat
import Synchronization

/// The two streams: stdout is data, stderr is talk. The only place that writes to either.
enum Terminal {
    /// One line on stderr. A progress bar there is wiped first.
    static func talk(_ line: String) {
        bar.withLock { isShown in
            let wipe = isShown ? "\r\u{1b}[K" : ""
            isShown = false
            writeAll(2, Array((wipe + line + "\n").utf8))
        }
    }

    /// Text on stderr without a line's end.
    static func ask(_ text: String) { bar.withLock { _ in _ = writeAll(2, Array(text.utf8)) } }

    /// Replaces the progress bar's line; nil wipes it.
    static func show(bar text: String?) {
        bar.withLock { isShown in
            if text == nil && !isShown { return }
            writeAll(2, Array(("\r\u{1b}[K" + (text ?? "")).utf8))
            isShown = text != nil
        }
    }

    private static let bar = Mutex(false)

    /// All of `bytes` to stdout. A reader that has gone ends the command quietly, as in any Unix pipe.
    static func data(_ bytes: [UInt8]) throws {
        guard writeAll(1, bytes) else {
            if cplatform_errno() == EPIPE { throw ExitRequest(status: .done) }
            throw SnapcatError(.failed, "Cannot write to the standard output", reason: String(cString: strerror(cplatform_errno())))
        }
    }

    static func line(_ text: String) throws { try data(Array((text + "\n").utf8)) }

    /// A line that tells of work that is done: where its reader has gone, the exit code is still the work's.
    static func report(_ text: String) throws {
        do { try line(text) } catch let request as ExitRequest where request.status == .done {
            // Nobody wants to know.
        }
    }

    @discardableResult
    private static func writeAll(_ descriptor: Int32, _ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { raw in
            var rest = raw[...]
            while !rest.isEmpty {
                let count = cplatform_write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count < 0 {
                    if cplatform_errno() == EINTR { continue }
                    return false
                }
                rest = rest.dropFirst(count)
            }
            return true
        }
    }

    /// Of stdout.
    static var info: TerminalInfo {
        let columns = Int(cplatform_terminal_columns(1))
        let plain = ProcessInfo.processInfo.environment["NO_COLOR"] != nil
        return columns == 0 ? .none : TerminalInfo(columns: columns, colour: !plain)
    }

    static var isInputTerminal: Bool { cplatform_terminal_columns(0) > 0 }
    static var isTalkOnTerminal: Bool { cplatform_terminal_columns(2) > 0 }
}

/// SIGINT and SIGTERM: the first asks all work to stop cleanly, the second ends the process.
///
/// At a prompt SIGINT ends the statement only, however often it comes.
enum Interruption {
    static let flag = CancellationFlag()
    private static let ended = Atomic<Bool>(false)
    private static let atPrompt = Atomic<Bool>(false)

    /// Whether the program is to end.
    static var hasEnded: Bool { ended.load(ordering: .relaxed) }

    static var isAtPrompt: Bool {
        get { atPrompt.load(ordering: .relaxed) }
        set { atPrompt.store(newValue, ordering: .relaxed) }
    }

    static func install() {
        // Made before a signal can come.
        _ = (flag, hasEnded, isAtPrompt)
        cplatform_on_interrupt { signal in
            if signal == SIGTERM || !Interruption.isAtPrompt {
                if Interruption.hasEnded { _exit(ExitStatus.interrupted.rawValue) }
                Interruption.ended.store(true, ordering: .relaxed)
            }
            Interruption.flag.cancel()
        }
    }
}
