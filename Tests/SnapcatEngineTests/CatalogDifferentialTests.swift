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
    private static let seedsPerCase = ProcessInfo.processInfo.environment["SNAPCAT_SEEDS_PER_CASE"].flatMap { Int($0) } ?? 1

    @Test(arguments: 0..<12)
    func `The catalog equals brute force after any order of events`(number: Int) async throws {
        try await WorkerThread.run("test", cancellation: CancellationFlag()) {
            for round in 0..<Self.seedsPerCase { try Self.grow(7_000 + UInt64(number + 12 * round)) }
        }
    }

    private static func grow(_ seed: UInt64) throws {
        var history = RandomHistory(seed: seed)
        let repository = Repository(.init(snapRoot: history.storage, heapRoot: history.heap, catalog: nil))
        for _ in 0..<25 {
            let event = try history.step()
            try repository.sync(.silent)
            try repository.updateMembership(.silent)
            try CatalogCheck(repository, history).run("seed \(seed), \(history.log.joined(separator: "; ")); last: \(event)")
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
        try CatalogCheck(repository, history).run("round \(round)")
    }
}
