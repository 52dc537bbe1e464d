import Foundation
import SnapcatTestSupport
import Testing

/// Goal: whatever call fails, once or from then on, the command tells it in one line and with the right exit code, and
/// nothing is lost. Method: the n-th call of each kind fails, for every n, with the errors that it may have in turn.
@Suite(.serialized) struct FaultMatrixTests {
    private struct Case: Sendable, CustomStringConvertible {
        var scenario: Scenario
        var fault: CallFault
        var description: String { "\(scenario), \(fault)" }
    }

    /// What a kind of call fails with; 0: it takes half of the bytes.
    private static func errors(_ kind: CallFault.Kind) -> [Int32] {
        switch kind {
        case .write: [0, EIO, ENOSPC]
        case .create, .mkdir: [EDQUOT, EACCES, EROFS]
        case .rename, .link: [EIO, ENOSPC, EACCES]
        case .unlink: [EIO, EACCES]
        case .sync, .truncate: [EIO, ENOSPC]
        case .metadata: [EPERM]
        case .open: [EIO, EACCES]
        case .read, .list, .stat: [EIO]
        }
    }

    private static func fault(_ kinds: [CallFault.Kind], _ number: Int, _ errors: [Int32], forever: Bool) -> CallFault {
        // One after the other: neighbouring calls are much alike.
        let error = errors[number % errors.count]
        return CallFault(kinds, number: number, error == 0 ? .shorten(forever: forever) : .fail(error, forever: forever))
    }

    /// Every call of each kind, once and for ever; and the weather: from one call on all fail that change something, which
    /// is also what happens to writes for ever.
    private static func faults(_ counts: [CallFault.Kind: Int]) -> [CallFault] {
        var faults: [CallFault] = []
        for kind in CallFault.Kind.allCases {
            // Most looks at files are those at the heap's 256 folders.
            for number in stride(from: 1, through: (counts[kind] ?? 0) + 1, by: kind == .stat ? 5 : 1) {
                faults.append(fault([kind], number, errors(kind), forever: false))
                guard CallFault.Kind.changing.contains(kind), kind != .write else { continue }
                faults.append(fault([kind], number, errors(kind), forever: true))
            }
        }
        let changing = CallFault.Kind.changing.reduce(0) { $0 + (counts[$1] ?? 0) }
        return faults + (1...changing + 1).map { fault(CallFault.Kind.changing, $0, [EIO, ENOSPC, EROFS, EDQUOT], forever: true) }
    }

    @Test func whateverCallFailsItIsToldAndNothingIsLost() async throws {
        let world = try await TortureWorld()
        var random = SeededRandom(seed: 20_261_122)
        var cases: [Case] = []
        // What cannot be read is a fault of its own.
        for scenario in Scenario.all(world) where scenario.denied == nil {
            let counts = try await TortureCase(world, scenario).run().counts
            cases += Torture.slice(Self.faults(counts).map { Case(scenario: scenario, fault: $0) }, 3, &random)
        }
        // A run that is stopped early has seen something of all.
        cases.shuffle(using: &random)
        try await Torture.run("fault", unit: "failing calls", label: random.label, cases) { item in
            let sound = try await TortureCase(world, item.scenario)
            let result = try await sound.run(item.fault)
            let losses = sound.wrongTalk(result.process)
            if sound.isDone(result.process) { return try await losses + sound.losses().map { "it said it was done, but \($0)" } }
            return try await losses + sound.lossesAfterNextRun()
        }
    }
}
