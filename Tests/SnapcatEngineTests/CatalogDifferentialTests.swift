import Foundation
import SnapcatCatalog
import SnapcatFormat
import SnapcatPlatform
import SnapcatStorage
import SnapcatTestSupport
import Testing

@testable import Snapcat

/// Goal: whatever happens to a snap root, in whatever order, the catalog says what the files say. Method: seeded
/// random histories against brute force over the lines.
@Suite struct CatalogDifferentialTests {
    /// Seeds per case: one in the test command, as many as wanted by `Scripts/seeds`.
    private static let seedsPerCase = number("SNAPCAT_SEEDS_PER_CASE") ?? 1
    /// Other seeds than those of the test command.
    private static let firstSeed = UInt64(number("SNAPCAT_FIRST_SEED") ?? 7_000)

    private static func number(_ variable: String) -> Int? { ProcessInfo.processInfo.environment[variable].flatMap { Int($0) } }

    @Test(arguments: 0..<12)
    func `The catalog equals brute force after any order of events`(number: Int) async throws {
        try await WorkerThread.run("test", cancellation: CancellationFlag()) {
            for round in 0..<Self.seedsPerCase {
                let seed = Self.firstSeed + UInt64(number + 12 * round)
                try Self.grow(seed)
                if number == 0 && round % 10 == 9 {
                    FileHandle.standardError.write(Data("\(12 * (round + 1)) seeds done, to about \(seed)\n".utf8))
                }
            }
        }
    }

    private static func grow(_ seed: UInt64) throws {
        var history = RandomHistory(seed: seed)
        let repository = Repository(.init(snapRoot: history.storage, heapRoot: history.heap, catalog: nil))
        for step in 0..<25 {
            let event = try history.step()
            try repository.sync(.silent)
            try repository.updateMembership(.silent)
            // Many histories say more than many looks at each.
            if seedsPerCase > 1 && step % 4 != 0 { continue }
            var check = CatalogCheck(repository, history, random: SeededRandom(seed: seed &+ UInt64(step)))
            try check.run("seed \(seed), \(history.log.joined(separator: "; ")); last: \(event)")
        }
    }

    @Test(arguments: 0..<3)
    func `A catalog built anew equals one that grew`(round: Int) async throws {
        try await WorkerThread.run("test", cancellation: CancellationFlag()) { try Self.build(round) }
    }

    private static func build(_ round: Int) throws {
        var history = RandomHistory(seed: 9_000 + UInt64(round))
        for _ in 0..<30 { _ = try history.step() }
        let repository = Repository(.init(snapRoot: history.storage, heapRoot: history.heap, catalog: nil))
        try repository.sync(.silent)
        try repository.updateMembership(.silent)
        var check = CatalogCheck(repository, history, random: SeededRandom(seed: UInt64(round)))
        try check.run("round \(round)")
    }
}
