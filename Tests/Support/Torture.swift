import Foundation
import Synchronization
import Testing

/// How the matrices run: a seeded slice in the test command, all cases under `Scripts/torture`, which gives
/// `SNAPCAT_TORTURE` (`all`), `SNAPCAT_TORTURE_SECONDS` (so long go those that are random) and `SNAPCAT_TORTURE_TALLY`
/// (a file for the counts).
package enum Torture {
    package static let runsAll = variable("SNAPCAT_TORTURE") == "all"
    /// For each suite of random cases; nil: as many as the test command can bear.
    package static let seconds = variable("SNAPCAT_TORTURE_SECONDS").flatMap { Double($0) }

    private static func variable(_ name: String) -> String? { ProcessInfo.processInfo.environment[name] }

    /// All cases, or so many of them by chance.
    package static func slice<Case>(_ cases: [Case], _ count: Int, _ random: inout SeededRandom) -> [Case] {
        runsAll ? cases : Array(cases.shuffled(using: &random).prefix(count))
    }

    /// Runs cases two at a time. What `body` returns, or throws, is a loss: an issue, and counted.
    ///
    /// `unit`: what one case is, for the table of `Scripts/torture`.
    package static func run<Case: Sendable>(
        _ matrix: String, unit: String, label: String, _ cases: [Case], _ body: @escaping @Sendable (Case) async throws -> [String]
    ) async throws {
        let work = Work()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<2 {
                group.addTask { @Sendable in
                    while let index = work.next(of: cases.count) {
                        do {
                            for loss in try await body(cases[index]) { work.lose("\(cases[index]): \(loss)") }
                        } catch {
                            work.lose("\(cases[index]): \(error)")
                        }
                        if index % 250 == 249 { tell("\(index + 1) of \(cases.count) \(unit)") }
                    }
                }
            }
            try await group.waitForAll()
        }
        let found = work.losses
        for loss in found.prefix(20) { Issue.record("\(loss) (\(label))") }
        if found.count > 20 { Issue.record("... and \(found.count - 20) more") }
        try tally(matrix, unit, cases.count, losses: found.count)
    }

    /// Which case is next, and what was lost so far.
    private final class Work: Sendable {
        private let state = Mutex<(next: Int, losses: [String])>((0, []))
        var losses: [String] { state.withLock { $0.losses } }
        func lose(_ loss: String) {
            state.withLock { $0.losses.append(loss) }
            tell("lost: \(loss)")
        }
        func next(of count: Int) -> Int? {
            state.withLock { state in
                guard state.next < count else { return nil }
                state.next += 1
                return state.next - 1
            }
        }
    }

    /// Adds a line to the table.
    package static func tally(_ matrix: String, _ unit: String, _ count: Int, losses: Int) throws {
        guard let path = variable("SNAPCAT_TORTURE_TALLY") else { return }
        let line = "\(matrix)\t\(unit)\t\(count)\t\(losses)\n"
        // Appended by one write: suites may end at the same time.
        guard let file = fopen(path, "a") else { throw SnapcatProcess.Failure(description: "cannot write \(path)") }
        fputs(line, file)
        fclose(file)
    }

    /// Long runs show how far they are, and what they find at once.
    private static func tell(_ text: String) {
        if runsAll { FileHandle.standardError.write(Data("torture: \(text)\n".utf8)) }
    }
}
