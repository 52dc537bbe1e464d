import Foundation
import Snapcat

/// Shows a progress on stderr until it is stopped: a bar on a terminal, or JSON lines.
final class ProgressDisplay: Sendable {
    private let stopped = CancellationFlag()
    private let thread: Promise<Result<Void, any Error>>

    /// nil where nothing is to be shown.
    static func start(_ mode: TalkOptions.ProgressMode, _ progress: WorkProgress, isQuiet: Bool) -> ProgressDisplay? {
        switch mode {
        case .never: return nil
        case .auto: if isQuiet || !Terminal.isTalkOnTerminal { return nil }
        case .always, .json: break
        }
        return ProgressDisplay(progress, isJSON: mode == .json)
    }

    private init(_ progress: WorkProgress, isJSON: Bool) {
        let stopped = stopped
        thread = WorkerThread.start("snapcat-progress") {
            let started = Date()
            var ticks = 0
            while !stopped.isCancelled {
                Thread.sleep(forTimeInterval: 0.1)
                ticks += 1
                // Short work shows nothing at all.
                if isJSON ? ticks % 10 == 0 : ticks >= 5 && ticks % 2 == 0 {
                    let text = isJSON ? Self.json(progress) : Self.bar(progress, Date().timeIntervalSince(started))
                    if isJSON { Terminal.talk(text) } else { Terminal.show(bar: text) }
                }
            }
            Terminal.show(bar: nil)
        }
    }

    func stop() {
        stopped.cancel()
        _ = thread.wait()
    }

    private static func bar(_ progress: WorkProgress, _ seconds: Double) -> String {
        var text = "\(progress.phase) \(HumanText.count(progress.files))"
        if let total = progress.totalFiles, total > 0 {
            let share = min(1, Double(progress.files) / Double(total))
            text += " of \(HumanText.count(total)) files (\(Int(share * 100)) %)"
            if share > 0.02 && seconds > 2 { text += ", \(HumanText.duration(seconds: seconds / share - seconds)) left" }
        } else {
            text += " files"
        }
        if progress.bytes > 0 {
            text += ", \(HumanText.bytes(progress.bytes)), \(HumanText.bytes(Int64(Double(progress.bytes) / max(seconds, 0.1))))/s"
        }
        return text
    }

    private static func json(_ progress: WorkProgress) -> String {
        var members: [(key: String, value: JSONValue)] = [
            ("message_type", .text("progress")), ("phase", .text(progress.phase)),
            ("files", .integer(progress.files)), ("bytes", .integer(progress.bytes)),
        ]
        if let total = progress.totalFiles { members.append(("total_files", .integer(total))) }
        return String(decoding: JSONValue.object(members).bytes, as: UTF8.self)
    }
}
