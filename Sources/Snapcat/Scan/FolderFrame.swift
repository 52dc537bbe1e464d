import SnapcatFormat
import SnapcatPlatform

/// One folder on the way of a walk: its names in the order of snapshots, packed.
///
/// A folder stands twice among its siblings: once as a node, by its name, and once as what is below it, by its name
/// and a slash. So the files come in the order of full paths, and so do the nodes.
struct FolderFrame {
    enum Kind: UInt8 { case leaf, folderNode, folderContents }

    struct Item {
        var offset: UInt32
        var length: UInt16
        var kind: Kind
        /// `leaf` may still turn out to be anything but a folder.
    }

    /// Bytes of the path up to and with the slash.
    let prefixLength: Int
    let device: UInt64
    var rules: IgnoreRules
    /// Names, each followed by a slash (for order) and a NUL (for system calls).
    private(set) var names: [UInt8] = []
    private(set) var items: [Item] = []
    var next = 0
    /// The tag file of a cache, or an ignore file, is among the names.
    private(set) var hasIgnoreFile = false
    private(set) var hasCacheTag = false

    init(prefixLength: Int, device: UInt64, rules: IgnoreRules) {
        self.prefixLength = prefixLength
        self.device = device
        self.rules = rules
    }

    /// Reads and sorts the names. The root's own node goes among them as `.`.
    mutating func list(_ folder: Descriptor, isRoot: Bool) throws {
        if isRoot { add(Node.rootName.bytes.withUnsafeBytes { Array($0) }, .folderNode) }
        var hasIgnoreFile = false
        var hasCacheTag = false
        var unknown: [[UInt8]] = []
        var found: [([UInt8], FileStatus.Kind)] = []
        try FolderListing.forEach(in: folder) { name, kind in
            if name.first == UInt8(ascii: "."), name.elementsEqual(ScanOptions.ignoreFileName) { hasIgnoreFile = true }
            if name.first == UInt8(ascii: "C"), name.elementsEqual("CACHEDIR.TAG".utf8) { hasCacheTag = true }
            guard let kind else { return unknown.append(Array(name)) }
            add(name, kind)
        }
        for name in unknown {
            let status = try Descriptor.statusIfPresent(name, in: folder.raw)
            found.append((name, status?.kind ?? .regular))
        }
        for (name, kind) in found { name.withUnsafeBytes { add($0, kind) } }
        self.hasIgnoreFile = hasIgnoreFile
        self.hasCacheTag = hasCacheTag
        sort()
    }

    private mutating func add(_ name: UnsafeRawBufferPointer, _ kind: FileStatus.Kind) {
        if kind == .directory {
            add(name, .folderNode)
            add(name, .folderContents)
        } else {
            add(name, .leaf)
        }
    }

    private mutating func add(_ name: some Collection<UInt8>, _ kind: Kind) {
        // The two items of a folder share one copy of its name.
        let offset = kind == .folderContents ? Int(items[items.count - 1].offset) : names.count
        items.append(Item(offset: UInt32(offset), length: UInt16(name.count), kind: kind))
        if kind == .folderContents { return }
        names.append(contentsOf: name)
        names.append(UInt8(ascii: "/"))
        names.append(0)
    }

    private mutating func sort() {
        names.withUnsafeBytes { names in
            items.sort { left, right in
                NameOrder.compare(Self.sortKey(left, names), Self.sortKey(right, names)) < 0
            }
        }
    }

    private static func sortKey(_ item: Item, _ names: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        let start = Int(item.offset)
        let length = Int(item.length) + (item.kind == .folderContents ? 1 : 0)
        return UnsafeRawBufferPointer(rebasing: names[start..<start + length])
    }

    func name(_ item: Item) -> ArraySlice<UInt8> { names[Int(item.offset)..<Int(item.offset) + Int(item.length)] }
}
