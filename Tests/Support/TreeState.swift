import SnapcatFormat
import SnapcatPlatform

/// Everything below a folder as it is now, read without snapcat's engine: what a restore has to give back.
package struct TreeState: Equatable, Sendable {
    package struct Item: Equatable, Sendable {
        package var kind: FileStatus.Kind
        /// Permissions; of links nothing.
        var mode: UInt32
        var mtimeNanoseconds: Int64
        /// A file's content, a link's destination.
        package var bytes: [UInt8]
        /// Of several names of one file the first.
        var twin: [UInt8]?
    }

    /// By name, relative; the folder itself is the empty name.
    package var items: [[UInt8]: Item] = [:]

    package init() {}

    package init(_ path: String) throws {
        var links: [(name: [UInt8], inode: UInt64)] = []
        try read(Array(path.utf8), [], &links)
        var firsts: [UInt64: [UInt8]] = [:]
        for (name, inode) in links.sorted(by: { $0.name.lexicographicallyPrecedes($1.name) }) {
            if let first = firsts[inode] { items[name]?.twin = first } else { firsts[inode] = name }
        }
    }

    private mutating func read(_ path: [UInt8], _ name: [UInt8], _ links: inout [(name: [UInt8], inode: UInt64)]) throws {
        let status = try Descriptor.status(path)
        var item = Item(kind: status.kind, mode: status.mode & 0o7777, mtimeNanoseconds: status.mtimeNanoseconds, bytes: [])
        switch status.kind {
        case .regular:
            item.bytes = try Self.contents(path, count: Int(status.size))
            if status.linkCount > 1 { links.append((name, status.inode)) }
        case .link:
            item.mode = 0
            item.bytes = try FolderOperations.destination(ofLink: path, in: Descriptor.currentFolder)
        case .directory:
            for inner in try FolderListing.items(in: Descriptor.open(path, [.read, .folder])) {
                try read(path + [UInt8(ascii: "/")] + inner.name, name.isEmpty ? inner.name : name + [UInt8(ascii: "/")] + inner.name, &links)
            }
        case .other: break
        }
        items[name] = item
    }

    private static func contents(_ path: [UInt8], count: Int) throws -> [UInt8] {
        let file = try Descriptor.open(path, .read)
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let part = try bytes.withUnsafeMutableBytes { try file.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[filled...])) }
            if part == 0 { break }
            filled += part
        }
        return bytes
    }

    /// The state without a name and all below it.
    package func without(_ gone: [UInt8]) -> TreeState {
        var state = TreeState()
        state.items = items.filter { $0.key != gone && !$0.key.starts(with: gone + [UInt8(ascii: "/")]) }
        // Of the names of one file another may be the first now.
        var firsts: [[UInt8]: [UInt8]] = [:]
        for name in state.items.keys.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            let group = items[name]?.twin ?? name
            state.items[name]?.twin = firsts[group]
            if firsts[group] == nil { firsts[group] = name }
        }
        return state
    }

    package func without(_ gone: String) -> TreeState { without(Array(gone.utf8)) }

    /// The first name in which another state differs, with how; nil where both are equal.
    package func difference(from other: TreeState) -> String? {
        for name in Set(items.keys).union(other.items.keys).sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            let (mine, its) = (items[name], other.items[name])
            guard mine != its else { continue }
            let text = TerminalText.lossy(name)
            guard let mine, let its else { return "'\(text)' is \(mine == nil ? "missing" : "too many")" }
            return "'\(text)' is \(Self.tell(mine)) instead of \(Self.tell(its))"
        }
        return nil
    }

    private static func tell(_ item: Item) -> String {
        "\(item.kind) \(String(item.mode, radix: 8)) \(item.mtimeNanoseconds) \(item.bytes.count) bytes '\(TerminalText.lossy(Array(item.bytes.prefix(20))))'\(item.twin == nil ? "" : " linked")"
    }
}
