import SnapcatCatalog
import SnapcatFormat
import SnapcatPlatform
import SnapcatStorage
import SnapcatTestSupport
import Testing

@testable import Snapcat

/// The answers of the catalog against those of the lines.
struct CatalogCheck {
    let repository: Repository
    let history: RandomHistory
    let times: [Int64]
    /// Which snapshots and names are asked for: as many as time allows, others each time.
    var random: SeededRandom

    init(_ repository: Repository, _ history: RandomHistory, random: SeededRandom) {
        self.repository = repository
        self.history = history
        self.random = random
        times = history.snapshots.keys.sorted()
    }

    /// `count` pairs of undamaged snapshots, in both directions and each with itself.
    mutating func pairs(_ count: Int) -> [(left: Int64, right: Int64)] {
        guard !times.isEmpty else { return [] }
        return (0..<count).map { _ in
            (times[Int.random(in: 0..<times.count, using: &random)], times[Int.random(in: 0..<times.count, using: &random)])
        }
    }

    mutating func run(_ context: String) throws {
        try lines(context)
        try intervals(context)
        try snapshotView(context)
        try changeView(context)
        try comparisons(context)
        try objects(context)
        try nodeView(context)
        try roads(context)
        try functions(context)
        try folderSizes(context)
        try heap(context)
        try freed(context)
        try verification(context)
    }

    func query(_ sql: String) throws -> [[QueryValue]] {
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

    func fields(_ line: [UInt8]?) throws -> Entry? { try line.map { try Entry(line: $0) } }

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

    private mutating func comparisons(_ context: String) throws {
        let all = try repository.catalog(.silent).read { try CatalogSnapshots.all($0) }
        func snapshot(_ time: Int64) throws -> IndexedSnapshot {
            try #require(all.first { $0.name.time.microseconds == time }, "\(time); \(context)")
        }
        for pair in pairs(2) {
            let (left, right) = (try snapshot(pair.left), try snapshot(pair.right))
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
            let expected = try statuses(pair.left, pair.right)
            #expect(found == expected, "\(pair.left) to \(pair.right); \(context)")
            #expect(narrow == expected.filter { $0.value != .equal }, "\(context)")
            #expect(summary[.equal].files == Int64(expected.count { $0.value == .equal }), "\(context)")
            try fileRoad(left, right, context)
        }
    }

    /// The merge of the two files gives the rows and counts of the catalog, nodes and metadata too.
    private func fileRoad(_ left: IndexedSnapshot, _ right: IndexedSnapshot, _ context: String) throws {
        func rows(_ left: ComparisonSide, _ right: ComparisonSide, _ statuses: Set<ComparisonStatus>?) throws -> ([String], Int64) {
            var options = CompareOptions()
            options.statuses = statuses
            options.includesMetadata = true
            var result: [String] = []
            let summary = try repository.compareBlocking(left, right, options: options, monitor: .silent) { row in
                result.append("\(row.status) \(row.name.bytes) \(row.left?.type ?? "") \(row.right?.type ?? "") \(row.right?.mtime ?? 0)")
            }
            return (result.sorted(), summary[.equal].files)
        }
        func file(_ snapshot: IndexedSnapshot) -> ComparisonSide { .file(repository.snapshots, StorageKey(snapshot.key)) }
        for statuses in [nil, Set(ComparisonStatus.allCases)] {
            let (byCatalog, equal) = try rows(.indexed(left), .indexed(right), statuses)
            let (byFiles, equalOfFiles) = try rows(file(left), file(right), statuses)
            #expect(byFiles == byCatalog && equalOfFiles == equal, "\(left.name) to \(right.name); \(context)")
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
