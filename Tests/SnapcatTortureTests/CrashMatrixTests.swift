import SnapcatTestSupport
import Testing

/// Goal: whenever a command is killed, nothing is lost, and the next run goes on. Method: the binary is killed before its
/// n-th call that changes a file system (SQLite's too), and in the middle of a write; then at times that are chance.
@Suite(.serialized) struct CrashMatrixTests {
    private struct Case: Sendable, CustomStringConvertible {
        var scenario: Scenario
        var fault: CallFault
        var description: String { "\(scenario), \(fault)" }
    }

    @Test func killedAtAnyCallNothingIsLost() async throws {
        let world = try await TortureWorld()
        var random = SeededRandom()
        var cases: [Case] = []
        for scenario in Scenario.all(world) {
            let counted = try await TortureCase(world, scenario).run()
            #expect(counted.process.status == scenario.status && counted.calls > 4, "\(scenario): \(counted.process.status) \(counted.process.stderr)")
            // Threads share the work: another run may need a few calls more.
            let kills = (1...counted.calls + 3).map { Case(scenario: scenario, fault: CallFault(number: $0, .kill)) }
            let tears = (1...(counted.counts[.write] ?? 0) + 1).map { Case(scenario: scenario, fault: CallFault([.write], number: $0, .tear)) }
            cases += Torture.slice(kills, 2, &random) + Torture.slice(tears, 1, &random)
        }
        try await Torture.run("crash", unit: "kills at a call", label: random.label, cases) { try await Self.judge(world, $0) }
    }

    @Test func killedAtAnyTimeNothingIsLost() async throws {
        let world = try await TortureWorld()
        var random = SeededRandom(seed: 20_261_121)
        let clock = ContinuousClock()
        let end = Torture.seconds.map { clock.now + .seconds($0) }
        var durations: [String: Int] = [:]
        repeat {
            var cases: [Case] = []
            for scenario in Torture.slice(Scenario.all(world), 8, &random) {
                let duration: Int
                if let known = durations[scenario.name] { duration = known } else {
                    let sound = try await TortureCase(world, scenario)
                    let spent = try await clock.measure { _ = try await sound.run() }
                    duration = Int(spent / .microseconds(1))
                    durations[scenario.name] = duration
                }
                for _ in 0..<(Torture.runsAll ? 10 : 1) {
                    var fault = CallFault()
                    fault.killAfterMicroseconds = Int.random(in: 1...duration, using: &random)
                    cases.append(Case(scenario: scenario, fault: fault))
                }
            }
            try await Torture.run("crash", unit: "kills at a time", label: random.label, cases) { try await Self.judge(world, $0) }
        } while end.map { clock.now < $0 } ?? false
    }

    private static func judge(_ world: TortureWorld, _ item: Case) async throws -> [String] {
        let sound = try await TortureCase(world, item.scenario)
        let result = try await sound.run(item.fault)
        if !result.wasKilled { return sound.isDone(result.process) ? try await sound.losses() : ["it ended with \(result.process.status): \(result.process.stderr)"] }
        return try await sound.lossesAfterKill() + sound.lossesAfterNextRun()
    }
}
