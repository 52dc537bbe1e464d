import ArgumentParser
import Foundation
import Snapcat
import Synchronization

/// How much is said on stderr.
struct TalkOptions: ParsableArguments {
    enum ProgressMode: String, ExpressibleByArgument, CaseIterable { case auto, always, never, json }
    enum LogLevel: String, ExpressibleByArgument, CaseIterable { case CRITICAL, ERROR, WARNING, INFO, DEBUG, NONE }

    @Option(help: "Show progress: auto (on a terminal), always, never, json (a line a second).")
    var progress = ProgressMode.auto
    @Flag(name: .shortAndLong, help: "Only errors.")
    var quiet = false
    @Flag(name: .shortAndLong, help: "More of what is done.")
    var verbose = false
    @Option(help: ArgumentHelp("snapshooter's log level. [LOGLEVEL]", valueName: "level"))
    var loglevel: LogLevel?

    private var isQuiet: Bool {
        let variable = ProcessInfo.processInfo.environment["LOGLEVEL"].flatMap { LogLevel(rawValue: $0) }
        switch loglevel ?? variable {
        case .CRITICAL, .ERROR, .NONE: return true
        default: return quiet
        }
    }

    /// Runs `body` with a monitor that talks on stderr, and shows progress meanwhile.
    func withMonitor<R>(showsProgress: Bool = true, _ body: (Monitor, ProblemCounter) async throws -> R) async throws -> R {
        let counter = ProblemCounter()
        let quiet = isQuiet
        let progress = WorkProgress()
        let display = showsProgress ? ProgressDisplay.start(self.progress, progress, isQuiet: quiet) : nil
        let monitor = Monitor(
            progress: progress, cancellation: Interruption.flag,
            note: { text in if !quiet { Terminal.talk("snapcat: \(text)") } },
            problem: { error in
                if counter.add(error) { Terminal.talk("snapcat: warning: \(error.description)") }
            })
        do {
            let result = try await body(monitor, counter)
            display?.stop()
            return result
        } catch {
            display?.stop()
            throw error
        }
    }

    func say(_ text: String) { if !isQuiet { Terminal.talk(text) } }
}

/// What went wrong without ending the command.
final class ProblemCounter: Sendable {
    private let counts = Mutex<(problems: Int, damages: Int, last: SnapcatError?)>((0, 0, nil))

    /// False for the same once more: two who read one damaged file tell it once.
    func add(_ error: SnapcatError) -> Bool {
        counts.withLock {
            if $0.last == error { return false }
            $0.last = error
            $0.problems += 1
            if error.code == .damage { $0.damages += 1 }
            return true
        }
    }

    var problems: Int { counts.withLock { $0.problems } }
    var damages: Int { counts.withLock { $0.damages } }
}
