import SnapcatFormat
import SnapcatPlatform
import SnapcatStorage
import SnapcatTestSupport
import Testing

@testable import Snapcat

/// Two snapshots by their files: whatever of the rows is held back, and where, the answer is that of a dictionary.
@Suite struct CompareFilesTests {
    private let store = SnapshotStore(BlockingStorage(MemoryStorage()), isRepository: false)

    /// By name: the last digit of the md5.
    private typealias Side = [String: Int]

    private func line(_ name: String, _ content: Int) -> [UInt8] {
        Array(#"{"name": "\#(name)", "size": 1, "md5": "\#(String(repeating: "0", count: 31))\#(content)"}"#.utf8)
    }

    private func place(_ key: String, _ side: Side, isSorted: Bool) throws -> SnapshotPlace {
        var names = side.keys.sorted()
        if !isSorted { names.swapAt(names.count / 3, names.count - 1) }
        let key = StorageKey(key)
        try store.storage.write(key, .replacing) { sink in
            let lines = try SnapshotWriter(into: sink, level: .standard)
            for name in names { try lines.write(line: line(name, side[name] ?? 0)) }
            try lines.finish()
        }
        return SnapshotPlace(store: store, key: key)
    }

    private func expected(_ left: Side, _ right: Side, includesEqual: Bool) -> [String] {
        Set(left.keys).union(right.keys).sorted().compactMap { name in
            guard let old = left[name] else { return "only_right \(name)" }
            guard let new = right[name] else { return "only_left \(name)" }
            return old != new ? "different \(name)" : includesEqual ? "equal \(name)" : nil
        }
    }

    @Test(arguments: [true, false], [false, true])
    func `Rows are those of a dictionary, in memory, in a file, and where neither holds them`(isSorted: Bool, includesEqual: Bool) async throws {
        try await WorkerThread.run("test", cancellation: CancellationFlag()) { try check(isSorted, includesEqual) }
    }

    private func check(_ isSorted: Bool, _ includesEqual: Bool) throws {
        var random = SeededRandom()
        for round in 0..<6 {
            var (left, right): (Side, Side) = ([:], [:])
            for number in 0..<600 {
                let name = "folder/\(number)"
                if next(&random, 8) > 0 { left[name] = next(&random, 2) }
                if next(&random, 8) > 0 { right[name] = next(&random, 4) > 0 ? left[name] ?? 1 : next(&random, 2) }
            }
            let places = (try place("l.jsonl.gz", left, isSorted: true), try place("r.jsonl.gz", right, isSorted: isSorted))
            let equal = left.filter { right[$0.key] == $0.value }.count
            // All in memory; most of them in a file; too many of them to be held.
            for (mostHeld, mostInMemory) in [(1 << 20, 1 << 20), (1 << 20, 100), (1000, 1 << 20)] {
                let wishes = MergeWishes(
                    includesEqual: includesEqual, includesMetadata: false, includesEntries: round % 2 == 0, filter: NameFilter(),
                    cancellation: CancellationFlag())
                let comparison = FileComparison(
                    left: places.0, right: places.1, wishes: wishes, usesNodes: false, mostHeld: mostHeld, mostInMemory: mostInMemory)
                var rows: [String] = []
                let passed = try comparison.run { rows.append("\($0.status.rawValue) \($0.name)") }
                let label = "\(random.label), round \(round), held \(mostHeld), in memory \(mostInMemory)"
                #expect(rows == expected(left, right, includesEqual: includesEqual), "\(label)")
                #expect(passed == (includesEqual ? 0 : Int64(equal)), "\(label)")
            }
        }
    }

    private func next(_ random: inout SeededRandom, _ bound: UInt64) -> Int { Int(random.next() % bound) }

    @Test func `A name that comes twice with two contents is damage, wherever it is met`() async throws {
        try await WorkerThread.run("test", cancellation: CancellationFlag()) { try checkTwice() }
    }

    private func checkTwice() throws {
        let key = StorageKey("twice.jsonl.gz")
        try store.storage.write(key, .replacing) { sink in
            let lines = try SnapshotWriter(into: sink, level: .standard)
            for number in 0..<100 { try lines.write(line: line("a\(number / 10)\(number % 10)", 1)) }
            try lines.write(line: line("a99", 2))
            try lines.finish()
        }
        let empty = try place("empty.jsonl.gz", ["a": 1], isSorted: true)
        for mostHeld in [1 << 20, 1000] {
            let wishes = MergeWishes(
                includesEqual: false, includesMetadata: false, includesEntries: false, filter: NameFilter(), cancellation: CancellationFlag())
            let comparison = FileComparison(
                left: SnapshotPlace(store: store, key: key), right: empty, wishes: wishes, usesNodes: false, mostHeld: mostHeld)
            var rows = 0
            #expect(throws: SnapcatError.self) { _ = try comparison.run { _ in rows += 1 } }
            #expect(rows == 0)
        }
    }
}

/// Bytes that are kept for a while.
@Suite struct SpooledBytesTests {
    @Test(arguments: [0, 1, 1000, 1 << 20])
    func `What was written is read, again and again, wherever it is kept`(mostInMemory: Int) throws {
        var random = SeededRandom()
        let spool = SpooledBytes(mostInMemory: mostInMemory)
        var all: [UInt8] = []
        #expect(try spool.source().readAll(limit: 1).isEmpty)
        for _ in 0..<100 {
            let part = random.bytes(Int(random.next() % 300))
            try spool.write(part)
            all += part
        }
        #expect(spool.count == all.count)
        for _ in 0..<2 { #expect(try spool.source().readAll(limit: 1 << 20) == all) }
        try spool.write([1, 2])
        #expect(try spool.source().readAll(limit: 1 << 20) == all + [1, 2])
    }
}
