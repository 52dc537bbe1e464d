import Foundation
import SnapcatFormat
import SnapcatPlatform
import SnapcatTestSupport
import Testing

/// Any damage to any file, then any command: no crash, no hang, one error at most, the exit code of CLI.md, nothing good
/// lost, and from what is derived the same answers as without the damage.
///
/// A seeded slice, of each place and kind of damage alike, runs by default, all cases under `Scripts/torture`.
@Suite struct DamageMatrixTests {
    private struct Case {
        var place: DamageSandbox.Place
        var damage: DamageSandbox.Damage
        var command: Int
    }

    private actor Counts {
        var cases = 0
        var failures: [String] = []

        func add(_ problems: [String]) {
            cases += 1
            failures += problems
            for problem in problems { DamageMatrixTests.tell("damage matrix: \(problem)") }
            if cases % 200 == 0 { DamageMatrixTests.tell("damage matrix: \(cases) cases, \(failures.count) failures") }
        }
    }

    /// At once, whatever becomes of the run.
    private static func tell(_ line: String) { FileHandle.standardError.write(Data((line + "\n").utf8)) }

    private static let mostInASlice = 40
    private static let mostTold = 40
    /// So many neighbouring bytes have all commands together.
    private static let turns = 12

    @Test func `Damage is found, told and costs nothing else`() async throws {
        var random = SeededRandom()
        let label = random.label
        let first = try await DamageSandbox()
        var cases = Self.cases(first)
        let total = cases.count
        cases = Self.mixed(cases, using: &random)
        if !Torture.runsAll { cases.removeLast(max(0, cases.count - Self.mostInASlice)) }
        let counts = Counts()
        let chosen = cases
        // Two processes at a time, each with a repository of its own.
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<2 {
                group.addTask {
                    let sandbox = try await DamageSandbox()
                    try await Self.run(stride(from: worker, to: chosen.count, by: 2).map { chosen[$0] }, sandbox, counts)
                }
            }
            try await group.waitForAll()
        }
        let failures = await counts.failures
        Self.tell("damage matrix: \(await counts.cases) of \(total) cases, \(failures.count) failures, \(label)")
        try Torture.tally("damage", "damages", chosen.count, losses: failures.count)
        for failure in failures.prefix(Self.mostTold) { Issue.record("\(failure)") }
        #expect(failures.isEmpty)
    }

    /// Every kind of damage at every place, every byte of the small files; of the large ones the start, and parts. The slice
    /// is taken from fewer bytes.
    private static func cases(_ sandbox: DamageSandbox) -> [Case] {
        let commands = DamageCommand.all(sandbox).indices
        var result: [Case] = []
        for place in DamageSandbox.Place.allCases {
            let whole: [DamageSandbox.Damage] = [.deleted, .folder, .linkToNothing, .linkInACircle, .linkToTheFile, .pipe, .unreadable, .appended]
            // A journal is made for each case; its size is about this.
            let size = place == .journal ? 60_000 : sandbox.size(place)
            var damages: [DamageSandbox.Damage] = []
            // The slice has as many of them whatever the sizes are, which differ from run to run: it stays the same one.
            let count = !Torture.runsAll ? 16 : place == .catalog || place == .journal ? 40 : size
            for offset in (0..<count).map({ $0 * size / count }) {
                damages += [.cut(to: offset), .flipped(bit: offset * 8 + (offset % 8))]
            }
            if count < size { damages += (0..<100).map { .flipped(bit: $0 * 8 + $0 % 8) } }
            let parts: [DamageSandbox.Damage] = [
                .zeroed(from: 0, count: size), .zeroed(from: 0, count: 16), .zeroed(from: size / 3, count: size / 3), .zeroed(from: max(0, size - 8), count: 8),
            ]
            let silent: [DamageSandbox.Damage] =
                place.isDerived ? [] : [.cut(to: 12), .flipped(bit: size * 4), .zeroed(from: 0, count: size)].map { .silently($0) }
            for damage in whole + parts + silent { result += commands.map { Case(place: place, damage: damage, command: $0) } }
            // What a command makes of a byte hardly depends on which: each has some of them, neighbours have all.
            for (index, damage) in damages.enumerated() {
                result += commands.filter { ($0 + index / 2) % turns == 0 }.map { Case(place: place, damage: damage, command: $0) }
            }
        }
        return result
    }

    /// In turn of each place and kind of damage, so that any part of them has all.
    private static func mixed(_ cases: [Case], using random: inout SeededRandom) -> [Case] {
        var counts: [String: Int] = [:]
        return cases.shuffled(using: &random).map { item in
            let kind = "\(item.place) \("\(item.damage)".prefix { !$0.isNumber })"
            counts[kind, default: 0] += 1
            return (rank: counts[kind] ?? 0, item)
        }.sorted { $0.rank < $1.rank }.map(\.1)
    }

    private static func run(_ cases: [Case], _ sandbox: DamageSandbox, _ counts: Counts) async throws {
        let commands = DamageCommand.all(sandbox)
        var good: [Int: SnapcatProcess.Result] = [:]
        for item in cases {
            let command = commands[item.command]
            if good[item.command] == nil {
                good[item.command] = try await sandbox.run(command.arguments)
                if try command.writes || !sandbox.tidyUp(.catalog) { try await sandbox.reset() }
            }
            try sandbox.damage(item.place, item.damage)
            let effect = try effect(item, sandbox)
            let before = try DamageSandbox.tree(sandbox.work)
            let result = try await sandbox.run(command.arguments)
            let judge = DamageJudge(sandbox: sandbox, place: item.place, damage: item.damage, effect: effect, command: command)
            let problems = try judge.problems(result, good: good[item.command], before: before)
            await counts.add(problems.map { "\(item.place) \(item.damage), \(command.name): \($0)\n\(result.stderr.prefix(600))" })
            if try command.writes || !sandbox.tidyUp(item.place) { try await sandbox.reset() }
        }
    }

    private static func effect(_ item: Case, _ sandbox: DamageSandbox) throws -> DamageCommand.Effect {
        if item.place.isDerived { return .none }
        switch item.damage {
        case .deleted: return .gone
        // An object that is a link to nothing is as good as missing; what has a snapshot's name is not.
        case .unreadable: return .unreadable
        default: return try sandbox.isSound(item.place) ? .none : .damaged
        }
    }
}
