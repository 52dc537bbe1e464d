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
    @Test(arguments: 0..<12)
    func `The catalog equals brute force after any order of events`(round: Int) async throws {
        try await WorkerThread.run("test", cancellation: CancellationFlag()) { try Self.grow(round) }
    }

    private static func grow(_ round: Int) throws {
        let seed = UInt64(ProcessInfo.processInfo.environment["SNAPCAT_SEED"].flatMap { UInt64($0) } ?? 7_000 + UInt64(round))
        var history = RandomHistory(seed: seed)
        let repository = Repository(.init(snapRoot: history.storage, heapRoot: nil, catalog: nil))
        for _ in 0..<25 {
            let event = try history.step()
            try repository.sync(.silent)
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
        let repository = Repository(.init(snapRoot: history.storage, heapRoot: nil, catalog: nil))
        try repository.sync(.silent)
        try CatalogCheck(repository, history).run("round \(round)")
    }
}

/// A snap root in memory that things happen to, and what is in it.
private struct RandomHistory {
    let storage = MemoryStorage(pageSize: 3)
    private(set) var log: [String] = []
    /// The lines of each undamaged snapshot by name, those that count.
    private(set) var snapshots: [Int64: [[UInt8]: [UInt8]]] = [:]
    private(set) var nodes: [Int64: [[UInt8]: [UInt8]]] = [:]
    private(set) var damaged: Set<Int64> = []
    private var random: SplitMix64
    private var state: [[UInt8]: [UInt8]] = [:]
    private var nodeState: [[UInt8]: [UInt8]] = [:]

    private static let names: [[UInt8]] = [
        "a", "a-b", "a/b", "a/c", "b/x.TXT", "b/y.tar.gz", "é", "e\u{301}", "n\nl", "q\"uote", "zz/😀", "dir/deep/er/file",
    ].map { Array($0.utf8) } + [[0xff], Array("b/".utf8) + [0xc3, 0x28], [0x80, 0x41]]

    init(seed: UInt64) { random = SplitMix64(seed: seed) }

    mutating func step() throws -> String {
        let event: String
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<9: event = try add(at: (snapshots.keys.max() ?? 1_000_000) + Int64.random(in: 1...5, using: &random) * 1_000)
        case 9..<13: event = try add(at: Int64.random(in: 1...60, using: &random) * 777)
        case 13..<16: event = try delete()
        case 16..<18: event = try replace()
        case 18: event = try damage()
        default: event = "nothing"
        }
        log.append(event)
        return event
    }

    private mutating func add(at time: Int64) throws -> String {
        guard snapshots[time] == nil, !damaged.contains(time) else { return "nothing" }
        mutate()
        try write(time)
        return "add \(time)"
    }

    private mutating func delete() throws -> String {
        guard let time = (Array(snapshots.keys) + Array(damaged)).sorted().randomElement(using: &random) else { return "nothing" }
        let name = SnapshotName(time: SnapshotTime(microseconds: time))
        let target = storage
        try WorkerThread.wait {
            try await target.delete(StorageKey(name.key))
            if try await target.status(of: StorageKey(name.companionKey)) != nil {
                try await target.delete(StorageKey(name.companionKey))
            }
        }
        snapshots[time] = nil
        nodes[time] = nil
        damaged.remove(time)
        return "delete \(time)"
    }

    private mutating func replace() throws -> String {
        guard let time = snapshots.keys.sorted().randomElement(using: &random) else { return "nothing" }
        mutate()
        try write(time)
        return "replace \(time)"
    }

    private mutating func damage() throws -> String {
        guard let time = snapshots.keys.sorted().randomElement(using: &random) else { return "nothing" }
        let name = SnapshotName(time: SnapshotTime(microseconds: time))
        let target = storage
        let cut = Int.random(in: 1...12, using: &random)
        try WorkerThread.wait {
            let bytes = try await target.contents(of: StorageKey(name.key))
            try await target.put(Array(bytes.dropLast(cut)), at: StorageKey(name.key), .replacing)
        }
        snapshots[time] = nil
        nodes[time] = nil
        damaged.insert(time)
        return "damage \(time)"
    }

    private mutating func mutate() {
        for name in Self.names where Int.random(in: 0..<4, using: &random) == 0 {
            state[name] = Int.random(in: 0..<4, using: &random) == 0 ? nil : line(name)
        }
        for name in ["d", "d/e", "link"].map({ Array($0.utf8) }) where Bool.random(using: &random) {
            nodeState[name] = Int.random(in: 0..<3, using: &random) == 0 ? nil : node(name)
        }
    }

    private mutating func node(_ name: [UInt8]) -> [UInt8] {
        Node(
            name: EntryName(name), kind: name == Array("link".utf8) ? .link : .directory,
            destination: name == Array("link".utf8) ? [0x41 + UInt8.random(in: 0...1, using: &random)] : nil, mode: 0o40755,
            uid: 0, gid: 0, mtimeNanoseconds: Int64.random(in: 0...2, using: &random)
        ).line
    }

    /// Lines of every shape, from few values, so that contents come back.
    private mutating func line(_ name: [UInt8]) -> [UInt8] {
        let md5 = MD5Digest(high: UInt64.random(in: 1...4, using: &random), low: 7)
        let mtime = Int64.random(in: -3...3, using: &random) * 1_500_000_001
        var line: [UInt8] = []
        switch Int.random(in: 0..<6, using: &random) {
        case 0: return azure(name, md5)
        case 1: return odd(name, md5)
        case 2:
            let local = EntryLine.Local(
                md5: md5, size: Int64(md5.high), mode: 33188, uid: 0, gid: 0, inode: 5, linkCount: 1, created: 1.5,
                mtime: PythonNumber.double(nanoseconds: mtime), mtimeNs: nil, ctimeNs: nil)
            name.withUnsafeBytes { EntryLine.append(local, name: $0, to: &line) }
        default:
            let local = EntryLine.Local(
                md5: md5, size: Int64(md5.high), mode: Int64.random(in: 33188...33189, using: &random), uid: 0, gid: 0,
                inode: 5, linkCount: 1, created: PythonNumber.double(nanoseconds: 99),
                mtime: PythonNumber.double(nanoseconds: mtime), mtimeNs: mtime, ctimeNs: 99)
            name.withUnsafeBytes { EntryLine.append(local, name: $0, to: &line) }
        }
        return line
    }

    private func azure(_ name: [UInt8], _ md5: MD5Digest) -> [UInt8] {
        var quoted: [UInt8] = []
        PythonString.appendQuoted(name, to: &quoted)
        return Array("{\"content_settings\": {\"content_md5\": null, \"x\": [1.50, 1e5]}, \"etag\": \"0x8D\", \"md5\": \"\(md5)\", \"name\": ".utf8)
            + quoted + Array(", \"size\": \(md5.high), \"tags\": null}".utf8)
    }

    /// Spelled in no canonical way.
    private func odd(_ name: [UInt8], _ md5: MD5Digest) -> [UInt8] {
        var quoted: [UInt8] = []
        PythonString.appendQuoted(name, to: &quoted)
        return Array("{\"name\":".utf8) + quoted
            + Array(",  \"md5\": \"\(md5)\", \"size\": \(md5.high), \"ino\": 99999999999999999999, \"mtime\": 1.50, \"uid\": null}".utf8)
    }

    private mutating func write(_ time: Int64) throws {
        let name = SnapshotName(time: SnapshotTime(microseconds: time))
        var lines = state.sorted { EntryName($0.key) < EntryName($1.key) }.map(\.value)
        if Int.random(in: 0..<4, using: &random) == 0 { lines.shuffle(using: &random) }
        if Int.random(in: 0..<5, using: &random) == 0, let first = lines.first {
            // The same file twice with one md5: the first line counts.
            lines.insert(first, at: 1)
        }
        if Int.random(in: 0..<6, using: &random) == 0 { lines.append([0x20]) }
        let bytes = try Gzip.compress(Array(lines.joined(separator: [0x0a])), level: .standard)
        var companion: [UInt8]?
        if Int.random(in: 0..<3, using: &random) > 0 {
            var facts = SnapshotFacts()
            facts.nodes = Int64(nodeState.count)
            let all = [facts.line] + nodeState.sorted { EntryName($0.key) < EntryName($1.key) }.map(\.value)
            companion = try Gzip.compress(Array(all.joined(separator: [0x0a])), level: .standard)
        }
        let target = storage
        let companionBytes = companion
        try WorkerThread.wait {
            if let companionBytes {
                try await target.put(companionBytes, at: StorageKey(name.companionKey), .replacing)
            } else if try await target.status(of: StorageKey(name.companionKey)) != nil {
                try await target.delete(StorageKey(name.companionKey))
            }
            try await target.put(bytes, at: StorageKey(name.key), .replacing)
        }
        snapshots[time] = state
        nodes[time] = companion == nil ? [:] : nodeState
    }
}

/// The answers of the catalog against those of the lines.
private struct CatalogCheck {
    let repository: Repository
    let history: RandomHistory
    let times: [Int64]

    init(_ repository: Repository, _ history: RandomHistory) {
        self.repository = repository
        self.history = history
        times = history.snapshots.keys.sorted()
    }

    func run(_ context: String) throws {
        try lines(context)
        try intervals(context)
        try snapshotView(context)
        try changeView(context)
        try comparisons(context)
        try objects(context)
        try nodeView(context)
    }

    private func query(_ sql: String) throws -> [[QueryValue]] {
        var rows: [[QueryValue]] = []
        _ = try repository.queryBlocking(
            sql, options: QueryOptions(), syncs: false, monitor: .silent, columns: { _ in }, row: { rows.append($0) })
        return rows
    }

    private func lines(_ context: String) throws {
        for time in times {
            var found: [[UInt8]: [UInt8]] = [:]
            try repository.catalog(.silent).read { db in
                try CatalogSnapshots.forEachLine(db, at: time) { found[$0] = $1 }
            }
            #expect(found == history.snapshots[time], "snapshot \(time); \(context)")
        }
        let statuses = try query("SELECT taken_at_us, status FROM snapshot ORDER BY 1")
        let expected = (times + history.damaged).sorted().map {
            [QueryValue.integer($0), .text(Array((history.damaged.contains($0) ? "damaged" : "complete").utf8))]
        }
        #expect(statuses == expected, "\(context)")
    }

    /// Versions are longest runs: their number is that of the runs in the lines.
    private func intervals(_ context: String) throws {
        var runs = 0
        for name in Set(history.snapshots.values.flatMap(\.keys)) {
            var last: [UInt8]?
            for time in times {
                let line = history.snapshots[time]?[name]
                if let line, line != last { runs += 1 }
                last = line
            }
        }
        #expect(try query("SELECT count(*) FROM file_version") == [[.integer(Int64(runs))]], "\(context)")
        let current = history.snapshots[times.last ?? 0]?.count ?? 0
        #expect(try query("SELECT count(*) FROM current_file") == [[.integer(Int64(current))]], "\(context)")
    }

    private func fields(_ line: [UInt8]?) throws -> Entry? { try line.map { try Entry(line: $0) } }

    private func snapshotView(_ context: String) throws {
        let rows = try query("SELECT taken_at_us, files, bytes, added, changed, removed, metadata_changed, new_bytes FROM snapshot WHERE status <> 'damaged' ORDER BY 1")
        var expected: [[QueryValue]] = []
        var before: [[UInt8]: [UInt8]] = [:]
        var seen: Set<MD5Digest> = []
        for time in times {
            let now = history.snapshots[time] ?? [:]
            var (added, changed, metadata, bytes, newBytes): (Int64, Int64, Int64, Int64, Int64) = (0, 0, 0, 0, 0)
            for (name, line) in now {
                let entry = try fields(line)
                bytes += entry?.size ?? 0
                if let md5 = entry?.md5, seen.insert(md5).inserted { newBytes += entry?.size ?? 0 }
                guard let old = before[name] else { added += 1; continue }
                if old == line { continue }
                if try fields(old)?.md5 != entry?.md5 { changed += 1 } else { metadata += 1 }
            }
            let removed = Int64(before.keys.filter { now[$0] == nil }.count)
            expected.append([time, Int64(now.count), bytes, added, changed, removed, metadata, newBytes].map { .integer($0) })
            before = now
        }
        #expect(rows == expected, "\(context)")
    }

    private func changeView(_ context: String) throws {
        let rows = try query("SELECT taken_at_us, name, status, md5_before, md5_after FROM change ORDER BY 1, 2")
        var expected: [[QueryValue]] = []
        var before: [[UInt8]: [UInt8]] = [:]
        for time in times {
            let now = history.snapshots[time] ?? [:]
            for name in Set(now.keys).union(before.keys).sorted(by: { $0.lexicographicallyPrecedes($1) }) where now[name] != before[name] {
                let (old, new) = (try fields(before[name])?.md5, try fields(now[name])?.md5)
                let status = before[name] == nil ? "added" : now[name] == nil ? "removed" : old != new ? "changed" : "metadata"
                func hex(_ md5: MD5Digest?) -> QueryValue { md5.map { .text($0.hexBytes) } ?? .null }
                expected.append([.integer(time), .text(name), .text(Array(status.utf8)), hex(old), hex(new)])
            }
            before = now
        }
        #expect(rows == expected, "\(context)")
    }

    private func comparisons(_ context: String) throws {
        let all = try repository.catalog(.silent).read { try CatalogSnapshots.all($0) }.filter { !$0.isDamaged }
        for (left, right) in zip(all, all.shuffled()) {
            var options = CompareOptions()
            options.statuses = Set(ComparisonStatus.allCases)
            options.includesNodes = false
            var found: [[UInt8]: ComparisonStatus] = [:]
            var narrow: [[UInt8]: ComparisonStatus] = [:]
            _ = try repository.compareBlocking(.indexed(left), .indexed(right), options: options, monitor: .silent) {
                found[$0.name.bytes] = $0.status
            }
            options.statuses = nil
            let summary = try repository.compareBlocking(.indexed(left), .indexed(right), options: options, monitor: .silent) {
                narrow[$0.name.bytes] = $0.status
            }
            let expected = try statuses(left.name.time.microseconds, right.name.time.microseconds)
            #expect(found == expected, "\(left.name.time.microseconds) to \(right.name.time.microseconds); \(context)")
            #expect(narrow == expected.filter { $0.value != .equal }, "\(context)")
            #expect(summary[.equal].files == Int64(expected.count { $0.value == .equal }), "\(context)")
        }
    }

    private func statuses(_ left: Int64, _ right: Int64) throws -> [[UInt8]: ComparisonStatus] {
        let (left, right) = (history.snapshots[left] ?? [:], history.snapshots[right] ?? [:])
        var result: [[UInt8]: ComparisonStatus] = [:]
        for name in Set(left.keys).union(right.keys) {
            result[name] = left[name] == nil ? .onlyRight : right[name] == nil ? .onlyLeft
                : try fields(left[name])?.md5 == fields(right[name])?.md5 ? .equal : .different
        }
        return result
    }

    private func objects(_ context: String) throws {
        var firstSeen: [MD5Digest: Int64] = [:]
        for time in times {
            for line in history.snapshots[time]?.values.map({ $0 }) ?? [] {
                if let md5 = try fields(line)?.md5, firstSeen[md5] == nil { firstSeen[md5] = time }
            }
        }
        let rows = try query("SELECT o.md5, s.taken_at_us FROM object o JOIN snapshot s ON s.id = o.first_snapshot_id ORDER BY 1")
        #expect(rows == firstSeen.sorted { $0.key < $1.key }.map { [.text($0.key.hexBytes), .integer($0.value)] }, "\(context)")
    }

    private func nodeView(_ context: String) throws {
        let rows = try query("SELECT s.taken_at_us, n.name, n.destination, n.mtime_ns FROM snapshot_node n JOIN snapshot s ON s.id = n.snapshot_id ORDER BY 1, 2")
        var expected: [[QueryValue]] = []
        for time in times {
            for (name, line) in (history.nodes[time] ?? [:]).sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
                let node = try line.withUnsafeBytes { try Node(parsing: $0) }
                expected.append([.integer(time), .text(name), node.destination.map { .text($0) } ?? .null, .integer(node.mtimeNanoseconds)])
            }
        }
        #expect(rows == expected, "\(context)")
    }
}
