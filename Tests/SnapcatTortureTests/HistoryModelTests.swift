import Foundation
import SnapcatTestSupport
import Synchronization
import Testing

/// Goal: whatever happens in whatever order, every snapshot gives back what was there. Method: seeded random histories of
/// edits and of all commands that write, with a catalog that is lost and damaged on the way, against copies of every state.
@Suite(.serialized) struct HistoryModelTests {
    @Test func everySnapshotGivesBackWhatWasThere() async throws {
        let clock = ContinuousClock()
        let end = Torture.seconds.map { clock.now + .seconds($0) }
        var seed: UInt64 = 8_000
        repeat {
            let seeds = (0..<(Torture.runsAll ? 20 : 4)).map { seed + UInt64($0) }
            seed += UInt64(seeds.count)
            try await Torture.run("model", unit: "histories", label: "to see it again: SNAPCAT_SEED=<seed> Scripts/torture model", seeds) { seed in
                var model = try await HistoryModel(SeededRandom(seed: seed))
                for _ in 0..<25 {
                    let losses: [String]
                    do { losses = try await model.step() } catch { return ["\(error) after \(model.log.joined(separator: "; "))"] }
                    if !losses.isEmpty { return losses.map { "\($0) after \(model.log.joined(separator: "; "))" } }
                }
                return try await model.losses().map { "\($0) after \(model.log.joined(separator: "; "))" }
            }
        } while end.map { clock.now < $0 } ?? false
    }
}
