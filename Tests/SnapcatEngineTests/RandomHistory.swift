import SnapcatCatalog
import SnapcatFormat
import SnapcatHeap
import SnapcatPlatform
import SnapcatStorage
import SnapcatTestSupport

/// A snap root in memory that things happen to, and what is in it.
struct RandomHistory {
    let storage = MemoryStorage(pageSize: 3)
    private(set) var log: [String] = []
    /// The lines of each undamaged snapshot by name, those that count.
    private(set) var snapshots: [Int64: [[UInt8]: [UInt8]]] = [:]
    private(set) var nodes: [Int64: [[UInt8]: [UInt8]]] = [:]
    private(set) var damaged: Set<Int64> = []
    /// The md5s that the heap holds now.
    private(set) var held: Set<MD5Digest> = []
    let heap = MemoryStorage(pageSize: 5)
    private var random: SeededRandom
    private var state: [[UInt8]: [UInt8]] = [:]
    private var nodeState: [[UInt8]: [UInt8]] = [:]

    private static let names: [[UInt8]] = [
        "a", "a-b", "a/b", "a/c", "b/x.TXT", "b/y.tar.gz", "é", "e\u{301}", "n\nl", "q\"uote", "zz/😀", "dir/deep/er/file",
    ].map { Array($0.utf8) } + [[0xff], Array("b/".utf8) + [0xc3, 0x28], [0x80, 0x41]]

    init(seed: UInt64) { random = SeededRandom(seed: seed) }

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
        try changeHeap()
        log.append(event)
        return event
    }

    /// Objects come and go behind the catalog's back; some are named by no snapshot.
    private mutating func changeHeap() throws {
        guard Int.random(in: 0..<3, using: &random) == 0 else { return }
        let md5 = MD5Digest(high: UInt64.random(in: 1...6, using: &random), low: 7)
        let key = HeapLayout.key(md5)
        let (target, isHeld) = (heap, held.contains(md5))
        try WorkerThread.wait {
            if isHeld { try await target.delete(key) } else { try await target.put([1, 2, 3], at: key, .exclusive) }
        }
        if isHeld { held.remove(md5) } else { held.insert(md5) }
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
