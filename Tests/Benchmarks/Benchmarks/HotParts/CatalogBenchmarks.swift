import Benchmark
import Snapcat
import SnapcatFormat
import SnapcatStorage

/// SQLite's bulk load, the indexing of changes, and the comparison by SQL, of 10,000 entries.
func catalogBenchmarks() {
    Benchmark("catalog: index a first snapshot") { benchmark, storage in
        let repository = Repository(.init(snapRoot: storage, heapRoot: nil, catalog: nil))
        let summary = try await repository.syncCatalog()
        precondition(summary.indexed == 1)
    } setup: {
        try await snapshots([Lines.snapshot()])
    }

    Benchmark("catalog: index ten more, 1 % changed in each") { benchmark, storage in
        let repository = Repository(.init(snapRoot: storage, heapRoot: nil, catalog: nil))
        let summary = try await repository.syncCatalog()
        precondition(summary.indexed == 11)
    } setup: {
        try await snapshots((0...10).map { Lines.snapshot(changing: $0 == 0 ? 0 : 90 + $0) })
    }
}

private func snapshots(_ contents: [[UInt8]]) async throws -> MemoryStorage {
    let storage = MemoryStorage()
    for (number, lines) in contents.enumerated() {
        let name = SnapshotName(time: SnapshotTime(microseconds: Int64(number + 1) * 1_000_000))
        try await storage.put(try Gzip.compress(lines, level: .standard), at: StorageKey(name.key), .exclusive)
    }
    return storage
}
