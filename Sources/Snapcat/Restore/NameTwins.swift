import Foundation
import SnapcatFormat

/// Finds names of one folder that some file system takes for one: the same but for case, or but for the Unicode
/// normalisation (RELIABILITY.md 6).
///
/// Names are added in the order of snapshots, in which all that is below a folder comes in one run. So memory is that
/// of the folders on the way to the current name, as in a walk, and of what is found.
package struct NameTwins {
    package struct Pair: Hashable, Sendable {
        /// With a slash at its end; empty for the root.
        package var folder: [UInt8]
        /// The last components, the first one found first.
        package var left: [UInt8]
        package var right: [UInt8]

        package init(folder: [UInt8], left: [UInt8], right: [UInt8]) {
            self.folder = folder
            self.left = left
            self.right = right
        }
    }

    /// In the order in which they were found.
    package private(set) var pairs: [Pair] = []
    private var found: Set<Pair> = []
    private var path: [UInt8] = []
    private var levels = [Level(pathLength: 0)]

    /// The names of one folder, packed, and where the first of each folded spelling is.
    private struct Level {
        let pathLength: Int
        var names: [UInt8] = []
        var firsts: [UInt64: Range<Int>] = [:]
    }

    package init() {}

    package mutating func add(_ name: [UInt8]) {
        while levels.count > 1 && !name.starts(with: path) {
            levels.removeLast()
            path.removeSubrange(levels[levels.count - 1].pathLength...)
        }
        var start = path.count
        while let slash = name[start...].firstIndex(of: UInt8(ascii: "/")) {
            addComponent(name[start..<slash])
            path.append(contentsOf: name[start...slash])
            levels.append(Level(pathLength: path.count))
            start = slash + 1
        }
        addComponent(name[start...])
    }

    private mutating func addComponent(_ component: ArraySlice<UInt8>) {
        let hash = NameFold.hash(component)
        let last = levels.count - 1
        guard let first = levels[last].firsts[hash] else {
            let start = levels[last].names.count
            levels[last].names.append(contentsOf: component)
            levels[last].firsts[hash] = start..<start + component.count
            return
        }
        let other = levels[last].names[first]
        if other == component || NameFold.folded(other) != NameFold.folded(component) { return }
        let pair = Pair(folder: path, left: Array(other), right: Array(component))
        if found.insert(pair).inserted { pairs.append(pair) }
    }
}

/// The spelling that names have in common which any file system may fold to one: more than each single one folds.
package enum NameFold {
    /// Case folded and decomposed, ignorable characters left out. Of bytes that are not UTF-8 only ASCII is folded.
    package static func folded(_ name: ArraySlice<UInt8>) -> [UInt8] {
        if isASCII(name) { return name.map(lowercase) }
        guard let text = String(validating: name, as: UTF8.self) else { return name.map(lowercase) }
        // Up and down again: so `ß` meets `SS`, and the long s and the Kelvin sign their letters.
        let cased = text.decomposedStringWithCanonicalMapping.uppercased().lowercased()
        var result = String.UnicodeScalarView()
        for scalar in cased.unicodeScalars where !scalar.properties.isDefaultIgnorableCodePoint { result.append(scalar) }
        return Array(String(result).decomposedStringWithCanonicalMapping.utf8)
    }

    /// Equal for names that fold to one (FNV-1a); most names need no copy for it.
    static func hash(_ name: ArraySlice<UInt8>) -> UInt64 {
        if !isASCII(name) { return hash(bytes: folded(name)[...]) }
        return hash(bytes: name)
    }

    private static func hash(bytes: ArraySlice<UInt8>) -> UInt64 {
        var result: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes { result = (result ^ UInt64(lowercase(byte))) &* 0x100_0000_01b3 }
        return result
    }

    private static func isASCII(_ name: ArraySlice<UInt8>) -> Bool { name.allSatisfy { $0 < 0x80 } }

    private static func lowercase(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
}
