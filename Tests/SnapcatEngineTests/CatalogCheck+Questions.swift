import SnapcatCatalog
import SnapcatFormat
import SnapcatPlatform
import SnapcatStorage
import Testing

@testable import Snapcat

/// Functions, sums, membership and what forgetting frees, against brute force over the lines.
extension CatalogCheck {
    private func state(_ time: Int64) -> [[UInt8]: [UInt8]] { history.snapshots[time] ?? [:] }

    private func id(_ time: Int64) throws -> Int64 {
        guard case .integer(let id)? = try query("SELECT id FROM snapshot WHERE taken_at_us = \(time)").first?.first else { return -1 }
        return id
    }

    private func hex(_ md5: MD5Digest?) -> QueryValue { md5.map { .text($0.hexBytes) } ?? .null }

    /// The two roads of compare give the same rows, in both directions.
    mutating func roads(_ context: String) throws {
        for (left, right) in pairs(2) {
            func rows(_ road: CatalogCompare.Road) throws -> [[QueryValue]] {
                let sql = CatalogCompare(road: road, includesNodes: true).sql
                    .replacing(":left", with: "\(left)").replacing(":right", with: "\(right)")
                return try query("SELECT * FROM (\(sql)) WHERE status <> 'equal' ORDER BY name")
            }
            let byIndex = try rows(.changes)
            #expect(try rows(.pass) == byIndex && rows(.all) == byIndex, "\(left) to \(right); \(context)")
        }
    }

    mutating func functions(_ context: String) throws {
        guard let (left, right) = pairs(1).first else { return }
        let (leftId, rightId) = (try id(left), try id(right))
        let difference = try query("SELECT name, md5_left, md5_right FROM diff(\(leftId), \(rightId)) WHERE 'file' IN (type_left, type_right) ORDER BY 1")
        var expected: [[QueryValue]] = []
        for name in Set(state(left).keys).union(state(right).keys).sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            let (before, after) = (try fields(state(left)[name]), try fields(state(right)[name]))
            let isSame = before != nil && after != nil && before?.md5 == after?.md5 && before?.mode == after?.mode
                && before?.uid == after?.uid && before?.gid == after?.gid && Self.hasSameTime(before, after)
            if !isSame { expected.append([.text(name), hex(before?.md5), hex(after?.md5)]) }
        }
        #expect(difference == expected, "diff \(left) \(right): \(Self.contrast(difference, expected)); \(context)")

        let files = try query("SELECT name, md5 FROM files_at(\(leftId)) ORDER BY 1")
        let listed = try state(left).sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { [.text($0.key), hex(try fields($0.value)?.md5)] }
        #expect(files == listed, "files_at \(left); \(context)")
        try growth(left, right, leftId, rightId, context)
        try histories(context)
    }

    private static func hasSameTime(_ left: Entry?, _ right: Entry?) -> Bool {
        if let left = left?.mtimeNanoseconds, let right = right?.mtimeNanoseconds { return left == right }
        func seconds(_ entry: Entry?) -> Double? { entry?.mtime ?? entry?.mtimeNanoseconds.map(PythonNumber.double(nanoseconds:)) }
        return seconds(left) == seconds(right)
    }

    private func growth(_ left: Int64, _ right: Int64, _ leftId: Int64, _ rightId: Int64, _ context: String) throws {
        let rows = try query("SELECT status, name, growth, new_bytes FROM growth(\(leftId), \(rightId)) ORDER BY name")
        var named: Set<MD5Digest> = []
        for time in times where time <= left {
            for line in state(time).values { if let md5 = try fields(line)?.md5 { named.insert(md5) } }
        }
        var expected: [[QueryValue]] = []
        for name in Set(state(left).keys).union(state(right).keys).sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            let (before, after) = (try fields(state(left)[name]), try fields(state(right)[name]))
            guard before == nil || after == nil || before?.md5 != after?.md5 else { continue }
            let status = before == nil ? "added" : after == nil ? "removed" : "changed"
            var new: Int64 = 0
            if let md5 = after?.md5, named.insert(md5).inserted { new = after?.size ?? 0 }
            expected.append([
                .text(Array(status.utf8)), .text(name), .integer((after?.size ?? 0) - (before?.size ?? 0)), .integer(new),
            ])
        }
        #expect(rows == expected, "growth \(left) \(right); \(context)")
    }

    private mutating func histories(_ context: String) throws {
        let names = Set(history.snapshots.values.flatMap(\.keys)).sorted { $0.lexicographicallyPrecedes($1) }
        for name in names.shuffled(using: &random).prefix(3) {
            let quoted = "CAST(x'\(name.map { String($0, radix: 16).count == 1 ? "0" + String($0, radix: 16) : String($0, radix: 16) }.joined())' AS TEXT)"
            let rows = try query("SELECT md5, is_current FROM history(\(quoted)) ORDER BY valid_from")
            var expected: [[QueryValue]] = []
            var last: [UInt8]?
            for time in times {
                if let line = state(time)[name], line != last { expected.append([hex(try fields(line)?.md5), .integer(0)]) }
                last = state(time)[name]
            }
            if last != nil, !expected.isEmpty { expected[expected.count - 1][1] = .integer(1) }
            #expect(rows == expected, "history of \(name); \(context)")
        }
    }

    /// The rows that only one side has, readable.
    private static func contrast(_ found: [[QueryValue]], _ expected: [[QueryValue]]) -> String {
        func text(_ row: [QueryValue]) -> String { row.map { $0.plainText ?? "NULL" }.joined(separator: " ") }
        return "found \(found.filter { !expected.contains($0) }.map(text)), expected \(expected.filter { !found.contains($0) }.map(text))"
    }

    mutating func folderSizes(_ context: String) throws {
        guard let time = times.randomElement(using: &random) else { return }
        var sums: [[UInt8]: (files: Int64, bytes: Int64)] = [:]
        for (name, line) in state(time) {
            var folder: [UInt8]? = Self.parent(name)
            while let current = folder {
                sums[current, default: (0, 0)].files += 1
                sums[current, default: (0, 0)].bytes += try fields(line)?.size ?? 0
                folder = current.isEmpty ? nil : Self.parent(current)
            }
        }
        let rows = try query("SELECT dir, files, bytes FROM folder_size WHERE snapshot_id = \(try id(time)) ORDER BY dir")
        let expected = sums.sorted { $0.key.lexicographicallyPrecedes($1.key) }
            .map { [QueryValue.text($0.key), .integer($0.value.files), .integer($0.value.bytes)] }
        #expect(rows == expected, "folder_size \(time); \(context)")
    }

    private static func parent(_ name: [UInt8]) -> [UInt8] {
        name.lastIndex(of: UInt8(ascii: "/")).map { Array(name[..<$0]) } ?? []
    }

    func heap(_ context: String) throws {
        var named: Set<MD5Digest> = []
        for time in times { for line in state(time).values { if let md5 = try fields(line)?.md5 { named.insert(md5) } } }
        let missing = try query("SELECT md5 FROM missing_object ORDER BY 1")
        #expect(missing == named.subtracting(history.held).sorted().map { [hex($0)] }, "missing; \(context)")
        let orphans = try query("SELECT md5 FROM orphan_object ORDER BY 1")
        #expect(orphans == history.held.subtracting(named).sorted().map { [hex($0)] }, "orphans; \(context)")
        let objects = try query("SELECT md5, present, reference_count > 0 FROM object ORDER BY 1")
        let expected = named.union(history.held).sorted().map { md5 in
            [hex(md5), .integer(history.held.contains(md5) ? 1 : 0), .integer(named.contains(md5) ? 1 : 0)]
        }
        #expect(objects == expected, "objects; \(context)")
    }

    /// What would forgetting a set of snapshots free: one query.
    mutating func freed(_ context: String) throws {
        let forgotten = Set(times.shuffled(using: &random).prefix(times.count / 2))
        guard !forgotten.isEmpty else { return }
        var (kept, lost): (Set<MD5Digest>, Set<MD5Digest>) = ([], [])
        for time in times {
            for line in state(time).values {
                guard let md5 = try fields(line)?.md5 else { continue }
                if forgotten.contains(time) { lost.insert(md5) } else { kept.insert(md5) }
            }
        }
        let ids = try forgotten.map { String(try id($0)) }.joined(separator: ", ")
        let rows = try query("SELECT md5 FROM (\(FreedContents.sql(forgetting: ids))) ORDER BY md5")
        #expect(rows == lost.subtracting(kept).sorted().map { [hex($0)] }, "freed by \(forgotten); \(context)")
    }

    func verification(_ context: String) throws {
        var differences: [CatalogDifference] = []
        let summary = try repository.verifyBlocking(.silent) { differences.append($0) }
        #expect(differences.isEmpty && summary.snapshots == Int64(times.count), "\(differences); \(context)")
    }
}
