import SnapcatFormat
import SnapcatPlatform
import SnapcatStorage

/// One side of a comparison: the entries and nodes of a snapshot in one order of names, a stream.
final class SnapshotSide {
    private let entries: EntryReader
    private let nodes: CompanionReader?
    private var node: Node?
    private var hasEntry = false
    private var lastEntryName: [UInt8] = []
    private var lastMD5: MD5Digest?
    /// So far no name came before the one that it sorts after.
    private(set) var isOrdered = true
    private var isStarted = false

    /// The facts of the snapshot, nil without a companion.
    let facts: SnapshotFacts?
    /// Folders, links and special files are a part of it.
    var hasNodes: Bool { nodes != nil }
    /// The current name; meaningless at the end.
    private(set) var name: [UInt8] = []
    private(set) var isAtEnd = false
    /// The current item is a node.
    private(set) var isNode = false

    /// `usesNodes`: false leaves the companion's nodes out.
    init(entries: EntryReader, companion: CompanionReader?, usesNodes: Bool) {
        self.entries = entries
        facts = companion?.facts
        nodes = usesNodes ? companion : nil
    }

    /// Opens a snapshot; where its lines are not sorted they are sorted in memory.
    ///
    /// `isSorted`: where the caller has asked already; else the snapshot is read once more for it.
    static func open(
        _ store: SnapshotStore, _ key: StorageKey, usesNodes: Bool, isSorted known: Bool? = nil
    ) throws -> SnapshotSide {
        let reader = try store.entries(key)
        let companion = usesNodes ? try store.companion(of: key) : nil
        return SnapshotSide(
            entries: try known ?? isSorted(store, key) ? reader : EntryReader(try SortedLines(reader), name: reader.name),
            companion: companion, usesNodes: usesNodes)
    }

    /// Reads all lines once: also finds any damage before anything depends on it.
    static func isSorted(_ store: SnapshotStore, _ key: StorageKey) throws -> Bool {
        let reader = try store.entries(key)
        var last: [UInt8] = []
        var lastMD5: MD5Digest?
        var isFirst = true
        var sorted = true
        while try reader.advance() {
            let fields = try reader.parse()
            if !isFirst {
                let order = last.withUnsafeBytes { last in
                    reader.entryName.withUnsafeBytes { NameOrder.compare(last, $0) }
                }
                if order > 0 { sorted = false }
                if order == 0 && fields.md5 != lastMD5 {
                    throw reader.damage("'\(TerminalText.lossy(reader.entryName))' comes twice with different contents")
                }
            }
            isFirst = false
            // Into the same memory: keeping the reader's own would make it a new one for each line.
            last.removeAll(keepingCapacity: true)
            last.append(contentsOf: reader.entryName)
            lastMD5 = fields.md5
        }
        return sorted
    }

    /// Steps to the next name.
    func advance() throws {
        if !isStarted {
            isStarted = true
            try advanceEntry()
            node = try nodes?.nextNode()
        } else if isNode {
            node = try nodes?.nextNode()
        } else {
            try advanceEntry()
        }
        switch (hasEntry, node) {
        case (false, nil): isAtEnd = true
        case (true, nil): isNode = false
        case (false, .some): isNode = true
        case (true, .some(let node)):
            isNode = node.name.bytes.withUnsafeBytes { left in
                entries.entryName.withUnsafeBytes { NameOrder.compare(left, $0) < 0 }
            }
        }
        name = isAtEnd ? [] : isNode ? node?.name.bytes ?? [] : entries.entryName
    }

    private func advanceEntry() throws {
        while true {
            hasEntry = try entries.advance()
            if !hasEntry { return }
            let md5 = try entries.parse().md5
            let order = lastEntryName.withUnsafeBytes { last in
                entries.entryName.withUnsafeBytes { NameOrder.compare(last, $0) }
            }
            if order == 0 && !lastEntryName.isEmpty {
                // Of lines with one name the first counts.
                if md5 == lastMD5 { continue }
                throw entries.damage("'\(TerminalText.lossy(lastEntryName))' comes twice with different contents")
            }
            if order > 0 { isOrdered = false }
            lastEntryName.removeAll(keepingCapacity: true)
            lastEntryName.append(contentsOf: entries.entryName)
            lastMD5 = md5
            return
        }
    }

    /// The current item, copied.
    func item() throws -> SideItem {
        if isNode, let node { return SideItem(node) }
        return SideItem(try entries.entry())
    }

    /// Of the current entry, without a copy.
    func fields() throws -> EntryFields { try entries.parse() }
    var line: UnsafeRawBufferPointer { entries.line }
    var currentNode: Node? { isNode && !isAtEnd ? node : nil }
    var isFolder: Bool { currentNode?.kind == .directory }
}

/// An entry or a node, as compare shows it.
public struct SideItem: Sendable, Equatable {
    /// "file", or the kind of the node.
    public var type: String
    public var md5: MD5Digest?
    public var size: Int64?
    /// Seconds since 1970.
    public var mtime: Double?
    public var mtimeNanoseconds: Int64?
    public var mode: Int64?
    public var uid: Int64?
    public var gid: Int64?
    /// Of a link.
    public var destination: [UInt8]?
    /// The line of an entry. nil for a node, and where the options do not ask for it.
    public var entry: Entry?
    /// Of a folder on another device than the one above it.
    var device: Int64?

    init(type: String) { self.type = type }

    init(_ entry: Entry) {
        type = "file"
        md5 = entry.md5
        size = entry.size
        mtimeNanoseconds = entry.mtimeNanoseconds
        mtime = entry.mtime ?? entry.mtimeNanoseconds.map(PythonNumber.double(nanoseconds:))
        mode = entry.mode
        uid = entry.uid
        gid = entry.gid
        self.entry = entry
    }

    init(_ node: Node) {
        type = node.kind.rawValue
        mtimeNanoseconds = node.mtimeNanoseconds
        mtime = PythonNumber.double(nanoseconds: node.mtimeNanoseconds)
        mode = node.mode
        uid = node.uid
        gid = node.gid
        destination = node.destination
        device = node.device
    }

    /// Same md5 (of nodes: type and destination), whatever the metadata.
    func hasSameContent(as other: SideItem) -> Bool {
        type == other.type && md5 == other.md5 && destination == other.destination
    }

    /// Mode, owner and modification time; exact nanoseconds where both sides have them.
    func hasSameMetadata(as other: SideItem) -> Bool {
        guard mode == other.mode, uid == other.uid, gid == other.gid else { return false }
        if let left = mtimeNanoseconds, let right = other.mtimeNanoseconds { return left == right }
        return mtime == other.mtime
    }
}
