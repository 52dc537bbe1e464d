import SnapcatFormat
import SnapcatPlatform

/// Names, and all that is below them.
struct PurgedNames: Sendable {
    private let names: Set<[UInt8]>

    /// Throws `.usage` for none, and for one that would be everything.
    init(_ given: [[UInt8]]) throws(SnapcatError) {
        var names: Set<[UInt8]> = []
        for name in given {
            var trimmed = name[...]
            while trimmed.count > 1 && trimmed.last == UInt8(ascii: "/") { trimmed.removeLast() }
            let text = TerminalText.lossy(trimmed)
            guard !trimmed.isEmpty, text != ".", text != "/" else {
                throw SnapcatError(.usage, "Not a name in a snapshot", text, advice: "name files or folders below the file root")
            }
            names.insert(Array(trimmed))
        }
        if names.isEmpty { throw SnapcatError(.usage, "Nothing to purge", advice: "name a file or a folder") }
        self.names = names
    }

    /// Those that no snapshot should have, as one by one, with the reason: a restore would not write them.
    var strange: [(name: [UInt8], reason: String)] {
        sorted.compactMap { name in EntryName(name).restoreObjection.map { (name, $0) } }
    }

    /// By their bytes.
    var sorted: [[UInt8]] { names.sorted { $0.lexicographicallyPrecedes($1) } }

    /// Whether it is one of them, or below one.
    func contains(_ name: [UInt8]) -> Bool {
        if names.contains(name) { return true }
        return name.indices.contains { name[$0] == UInt8(ascii: "/") && names.contains(Array(name[..<$0])) }
    }

    /// Those that it is, or is below of.
    func those(of name: [UInt8]) -> [[UInt8]] {
        var result = names.contains(name) ? [name] : []
        for slash in name.indices where name[slash] == UInt8(ascii: "/") {
            let folder = Array(name[..<slash])
            if names.contains(folder) { result.append(folder) }
        }
        return result
    }
}
