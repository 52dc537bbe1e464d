import SnapcatFormat
import SnapcatPlatform
import SnapcatStorage

/// What a snapshot and its companion have of some names.
struct FoundNames {
    private(set) var files: Int64 = 0
    private(set) var bytes: Int64 = 0
    private(set) var nodes: Int64 = 0
    /// Those of the names that it has, or that something in it is below of.
    private(set) var found: Set<[UInt8]> = []
    /// The companion has the names too, or tells numbers that will be others.
    private(set) var companionChanges = false
    /// Those of the watched contents that the names have.
    private(set) var contents: Set<MD5Digest> = []
    /// What an earlier purge has put into the trash and then not finished.
    private(set) var interrupted: SnapshotTrash.Item?

    private let store: SnapshotStore
    private let key: StorageKey
    private let names: PurgedNames
    private var remainingFiles: Int64 = 0
    private var remainingBytes: Int64 = 0
    private var remainingNodes: Int64 = 0
    /// The companion tells as many as there are. Where it does not, something is lost or mixed up: a number that fits
    /// afterwards would hide that, and the old one stays.
    private var filesFit = true
    private var nodesFit = true

    /// Reads both to their ends. Throws `.damage` where the snapshot cannot be read; a companion that cannot be, or that
    /// tells other numbers than there are, is told to `monitor`, and stays so.
    init(
        _ store: SnapshotStore, _ item: SnapshotStore.Item, _ names: PurgedNames, watching: Set<MD5Digest> = [], _ monitor: Monitor
    ) throws {
        (self.store, self.key, self.names) = (store, item.key, names)
        let entries = try store.entries(item.key)
        var lines = 0
        while try entries.advance() {
            lines += 1
            if lines & 0xffff == 0 { try monitor.cancellation.check() }
            let fields = try entries.parse()
            // Sizes that fit in no sum count no further.
            let size = fields.has(.size) ? max(0, fields.size) : 0
            if names.contains(entries.entryName) {
                files += 1
                bytes = bytes.addingSaturated(size)
                found.formUnion(names.those(of: entries.entryName))
                if let md5 = fields.md5, watching.contains(md5) { contents.insert(md5) }
            } else {
                remainingFiles += 1
                remainingBytes = remainingBytes.addingSaturated(size)
            }
        }
        guard let companion = try store.usableCompanion(of: item.key, monitor.problem) else { return }
        let facts = companion.facts
        while let node = try companion.nextNode() {
            guard names.contains(node.name.bytes) else { remainingNodes += 1; continue }
            nodes += 1
            found.formUnion(names.those(of: node.name.bytes))
        }
        for problem in facts.unstable + facts.errors { found.formUnion(names.those(of: problem.name.bytes)) }
        companionChanges = !found.isEmpty
        try compare(facts, item, monitor)
    }

    /// Whether the companion's numbers are those of before the purge.
    private mutating func compare(_ facts: SnapshotFacts, _ item: SnapshotStore.Item, _ monitor: Monitor) throws {
        func tell(_ told: Int64, _ found: Int64, _ what: String) {
            monitor.problem(
                SnapcatError(
                    .damage, "Damaged companion", store.displayPath(store.companionKey(of: key)),
                    reason: "it tells of \(told) \(what) and has \(found)", advice: "a purge leaves that as it is"))
        }
        nodesFit = facts.nodes == nodes + remainingNodes
        if !nodesFit { tell(facts.nodes, nodes + remainingNodes, "nodes") }
        let all = files + remainingFiles
        if facts.files == all { return }
        interrupted = try SnapshotTrash(store: store).interrupted(item, files: all)
        // One of the same names tells what remains already, whatever is left of it in the trash.
        filesFit = interrupted != nil || facts.files == remainingFiles
        if try !filesFit && isBehind(facts, item) {
            filesFit = true
            companionChanges = true
        }
        if !filesFit { tell(facts.files, all, "files") }
    }

    /// Whether an earlier purge of the same names could not read the companion, and went on without it: then it tells of the
    /// snapshot that the trash has.
    private func isBehind(_ facts: SnapshotFacts, _ item: SnapshotStore.Item) throws -> Bool {
        guard files == 0 else { return false }
        return try SnapshotTrash(store: store).items().contains { old in
            guard old.name == item.name else { return false }
            do {
                let entries = try store.entries(old.key)
                var (all, rest): (Int64, Int64) = (0, 0)
                while try entries.advance() {
                    try entries.parse()
                    all += 1
                    if !names.contains(entries.entryName) { rest += 1 }
                }
                return all == facts.files && rest == remainingFiles
            } catch let error as SnapcatError where error.isOfTheFile {
                // It proves nothing.
                return false
            }
        }
    }

    /// The companion's lines without the names; what else its first line tells stays, also what this program does not know.
    func forEachCompanionLine(_ body: ([UInt8]) throws -> Void) throws {
        let companionKey = store.companionKey(of: key)
        let name = store.displayPath(companionKey)
        let lines = LineReader(try GzipReader(try store.storage.source(companionKey), name: name), name: name)
        guard let first = try lines.next() else {
            throw SnapcatError(.damage, "Damaged companion", name, reason: "it is empty")
        }
        let value: JSONValue
        do throws(JSONScanner.Failure) { value = try JSONValue(parsing: Array(first)) } catch {
            throw SnapcatError(.damage, "Damaged companion", name, reason: error.reason)
        }
        try body(facts(value).bytes)
        let nodes = EntryReader(lines, name: name)
        while try nodes.advance() {
            try nodes.parse()
            if !names.contains(nodes.entryName) { try body(Array(nodes.line)) }
        }
    }

    private func facts(_ value: JSONValue) -> JSONValue {
        guard case .object(let members) = value else { return value }
        return .object(
            members.map { member in
                switch member.key {
                case "files" where filesFit: (member.key, .integer(remainingFiles))
                case "bytes" where filesFit: (member.key, .integer(remainingBytes))
                case "nodes" where nodesFit: (member.key, .integer(remainingNodes))
                case "unstable", "errors":
                    (member.key, .array(member.value.elements.filter { !names.contains($0["name"]?.stringBytes ?? []) }))
                default: (member.key, member.value)
                }
            })
    }
}
