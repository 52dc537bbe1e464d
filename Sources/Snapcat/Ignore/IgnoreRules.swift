/// Which names are left out: patterns of the command line and of `.snapcatignore` files, with the meaning of
/// gitignore(5). Immutable; a folder's rules are those above it and its own.
package struct IgnoreRules: Sendable {
    private struct Rule: Sendable {
        var pattern: GlobPattern
        var isNegated: Bool
    }

    /// The patterns of one source, relative to one folder.
    private final class Group: Sendable {
        let rules: [Rule]
        /// Bytes of the folder's name and its slash.
        let prefixLength: Int
        let parent: Group?

        init(rules: [Rule], prefixLength: Int, parent: Group?) {
            self.rules = rules
            self.prefixLength = prefixLength
            self.parent = parent
        }
    }

    private let last: Group?

    private init(_ last: Group?) { self.last = last }

    package static let none = IgnoreRules(nil)

    package var isEmpty: Bool { last == nil }

    /// Adds patterns relative to the root, one per element.
    package func adding(patterns: [[UInt8]], source: String) -> IgnoreRules {
        adding(patterns.compactMap(Self.rule), prefixLength: 0)
    }

    /// Adds the lines of an ignore file found in a folder; the root is the empty name.
    package func adding(fileContents: [UInt8], inFolder folder: [UInt8]) -> IgnoreRules {
        var contents = fileContents[...]
        if contents.starts(with: [0xef, 0xbb, 0xbf]) { contents = contents.dropFirst(3) }
        let rules = contents.split(separator: 0x0a).compactMap { line in
            Self.rule(Array(line.last == 0x0d ? line.dropLast() : line))
        }
        return adding(rules, prefixLength: folder.isEmpty ? 0 : folder.count + 1)
    }

    private func adding(_ rules: [Rule], prefixLength: Int) -> IgnoreRules {
        rules.isEmpty ? self : IgnoreRules(Group(rules: rules, prefixLength: prefixLength, parent: last))
    }

    private static func rule(_ line: [UInt8]) -> Rule? {
        var text = line[...]
        if text.first == UInt8(ascii: "#") { return nil }
        // Trailing spaces go, unless the last one is quoted.
        while text.last == 0x20 {
            let slashes = text.dropLast().reversed().prefix { $0 == UInt8(ascii: "\\") }.count
            if slashes % 2 == 1 { break }
            text = text.dropLast()
        }
        let isNegated = text.first == UInt8(ascii: "!")
        if isNegated { text = text.dropFirst() }
        if text.isEmpty || text.elementsEqual("/".utf8) { return nil }
        return Rule(pattern: GlobPattern(Array(text)), isNegated: isNegated)
    }

    /// Whether the name is left out. The caller walks from the top and enters no folder that is: so only the name
    /// itself is looked at. Deeper files win over those above, later patterns over earlier ones.
    package func excludes(_ path: UnsafeRawBufferPointer, isFolder: Bool) -> Bool {
        var group = last
        while let current = group {
            let relative = UnsafeRawBufferPointer(rebasing: path[min(current.prefixLength, path.count)...])
            for rule in current.rules.reversed() where isFolder || !rule.pattern.isFolderOnly {
                if rule.pattern.matchesExactly(relative) { return !rule.isNegated }
            }
            group = current.parent
        }
        return false
    }
}
