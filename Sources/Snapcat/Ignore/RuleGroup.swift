/// The patterns of one source, relative to one folder, and a reference to those that they win over.
final class RuleGroup: Sendable {
    private struct Rule: Sendable {
        var glob: Glob
        /// Written with a `!`: takes back in what an earlier pattern left out.
        var isNegated: Bool
    }

    private let table: GlobTable
    private let rules: [Rule]
    /// With a slash at its end; empty for the root.
    private let folder: [UInt8]
    private let above: RuleGroup?

    /// Nil where no line has a pattern that can fit.
    init?(lines: [ArraySlice<UInt8>], folder: [UInt8], above: RuleGroup?) {
        var table = GlobTable()
        rules = lines.compactMap { line in
            guard var text = Self.pattern(ofLine: line) else { return nil }
            let isNegated = text.first == UInt8(ascii: "!")
            if isNegated { text.removeFirst() }
            return table.add(text).map { Rule(glob: $0, isNegated: isNegated) }
        }
        if rules.isEmpty { return nil }
        self.table = table
        self.folder = folder.isEmpty ? [] : folder + [UInt8(ascii: "/")]
        self.above = above
    }

    /// Nil for a comment. Spaces at the end go unless a backslash quotes them; a NUL ends the line, as in
    /// git.
    private static func pattern(ofLine line: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        if line.first == UInt8(ascii: "#") { return nil }
        let text = line.prefix { $0 != 0 }
        var end = text.startIndex
        var position = text.startIndex
        while position < text.endIndex {
            let byte = text[position]
            position += byte == UInt8(ascii: "\\") ? 2 : 1
            if byte != UInt8(ascii: " ") { end = min(position, text.endIndex) }
        }
        return text[..<end]
    }

    /// What the last fitting pattern says, of the groups from this one up; nil if none fits.
    ///
    /// `name` is the last component of `path`.
    static func verdict(
        _ group: RuleGroup?, _ path: UnsafeRawBufferPointer, name: UnsafeRawBufferPointer, isFolder: Bool
    ) -> Bool? {
        var next = group
        while let group = next {
            if let verdict = group.verdict(path, name: name, isFolder: isFolder) { return verdict }
            next = group.above
        }
        return nil
    }

    private func verdict(
        _ path: UnsafeRawBufferPointer, name: UnsafeRawBufferPointer, isFolder: Bool
    ) -> Bool? {
        guard path.count > folder.count, path.starts(with: folder) else { return nil }
        let relative = UnsafeRawBufferPointer(rebasing: path[folder.count...])
        return table.withMatcher { matcher in
            rules.withUnsafeBufferPointer { rules in
                var index = rules.count
                while index > 0 {
                    index -= 1
                    let glob = rules[index].glob
                    if glob.isFolderOnly && !isFolder { continue }
                    if matcher.fits(glob, glob.isAnchored ? relative : name) {
                        return !rules[index].isNegated
                    }
                }
                return nil
            }
        }
    }
}
