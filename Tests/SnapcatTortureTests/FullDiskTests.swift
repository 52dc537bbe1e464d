import Foundation
import SnapcatTestSupport
import Testing

/// Goal: a disk that is full at any moment costs the command, and nothing else. Method: a small file system, 16 KiB
/// larger at each step, until the command succeeds.
@Suite(.serialized) struct FullDiskTests {
    private static let stepKilobytes = 16

    @Test func aDiskOfAnySizeLosesNothing() async throws {
        guard let disk = try SmallDisk.mount(kilobytes: 64 << 10) else { return }
        let world = try await TortureWorld()
        var random = SeededRandom(seed: 20_261_123)
        for scenario in Torture.slice(Scenario.all(world), 3, &random) {
            var room = 0
            var sizes = 0
            var losses: [String] = []
            while true {
                let sound = try await TortureCase(world, scenario, in: disk.path)
                try disk.resize(leavingKilobytes: room)
                let result = try await sound.run().process
                try disk.resize(kilobytes: 64 << 10)
                var found = sound.wrongTalk(result)
                // An index can be done in memory: from then on the room is told by what the command says.
                let isDone = sound.isDone(result)
                if isDone { found += try await sound.losses() }
                found += try await sound.lossesAfterNextRun()
                losses += found.map { "\(scenario), \(room) KiB left: \($0)" }
                sizes += 1
                if isDone && !result.stderr.contains("temporary one serves") && !result.stderr.contains("No space") { break }
                // Of the test command: some steps.
                room += Torture.runsAll ? Self.stepKilobytes : Self.stepKilobytes * 6
                if room > 4 << 10 { losses.append("\(scenario) does not succeed with \(room) KiB"); break }
            }
            for loss in losses.prefix(10) { Issue.record("\(loss)") }
            try Torture.tally("disk", "disk sizes", sizes, losses: losses.count)
        }
    }
}
