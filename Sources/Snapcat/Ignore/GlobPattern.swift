import SnapcatPlatform

/// One gitignore pattern over whole names (gitignore(5)): without a slash it fits any component, with one it starts
/// at the root; a folder that fits takes all below it along.
package struct GlobPattern: Sendable {
    let matcher: GlobMatcher
    /// Starts at the folder of its file; else it may begin at any component.
    let isAnchored: Bool
    let isFolderOnly: Bool

    package init(_ pattern: [UInt8]) {
        var text = pattern[...]
        isFolderOnly = text.last == UInt8(ascii: "/") && text.count > 1
        if isFolderOnly { text = text.dropLast() }
        isAnchored = text.contains(UInt8(ascii: "/"))
        if text.first == UInt8(ascii: "/") { text = text.dropFirst() }
        matcher = GlobMatcher(Array(text))
    }

    package func matches(_ path: [UInt8]) -> Bool { path.withUnsafeBytes { matches($0) } }

    /// True where the name or a folder on its way fits.
    package func matches(_ path: UnsafeRawBufferPointer) -> Bool {
        var end = 0
        while end <= path.count {
            if end == path.count || path[end] == UInt8(ascii: "/") {
                // Only the whole name can be a file: what is above it is a folder.
                let isLeaf = end == path.count
                if matchesExactly(UnsafeRawBufferPointer(rebasing: path[..<end])), !isLeaf || !isFolderOnly { return true }
            }
            end += 1
        }
        return false
    }

    /// The name itself, no folder above it.
    func matchesExactly(_ path: UnsafeRawBufferPointer) -> Bool {
        if isAnchored { return matcher.matches(path) }
        let slash = path.lastIndex(of: UInt8(ascii: "/"))
        return matcher.matches(UnsafeRawBufferPointer(rebasing: path[(slash.map { $0 + 1 } ?? 0)...]))
    }
}

/// A wildcard pattern, compiled. Runs in time proportional to pattern times name, whatever both are.
struct GlobMatcher: Sendable {
    private enum Token: Sendable {
        case byte(UInt8)
        /// `?`
        case any
        /// `*`: anything but a slash.
        case star
        /// `**` as a last component: anything.
        case all
        /// `**/`: nothing, or anything that ends in a slash.
        case folders
        case set([ClosedRange<UInt8>], isNegated: Bool)
        /// A set without its end fits nothing.
        case never
    }

    private let tokens: [Token]
    /// The pattern has no wildcard.
    private let literal: [UInt8]?
    /// `*` and these bytes.
    private let suffix: [UInt8]?

    init(_ pattern: [UInt8]) {
        tokens = Self.compile(pattern)
        literal = Self.bytes(tokens[...])
        if case .star? = tokens.first { suffix = Self.bytes(tokens.dropFirst()) } else { suffix = nil }
    }

    private static func bytes(_ tokens: ArraySlice<Token>) -> [UInt8]? {
        var result: [UInt8] = []
        for token in tokens {
            guard case .byte(let byte) = token else { return nil }
            result.append(byte)
        }
        return result
    }

    func matches(_ name: UnsafeRawBufferPointer) -> Bool {
        if let literal { return name.count == literal.count && name.elementsEqual(literal) }
        if let suffix {
            return name.count >= suffix.count && name.suffix(suffix.count).elementsEqual(suffix)
                && !name.dropLast(suffix.count).contains(UInt8(ascii: "/"))
        }
        return run(name)
    }

    /// All states at once: `states[i]` says that the first i tokens fit what was read so far.
    private func run(_ name: UnsafeRawBufferPointer) -> Bool {
        var states = [Bool](repeating: false, count: tokens.count + 1)
        states[0] = true
        close(&states, atComponentStart: true)
        for (index, byte) in name.enumerated() {
            var next = [Bool](repeating: false, count: tokens.count + 1)
            for (position, token) in tokens.enumerated() where states[position] {
                switch token {
                case .byte(let expected): if byte == expected { next[position + 1] = true }
                case .any: if byte != UInt8(ascii: "/") { next[position + 1] = true }
                case .star: if byte != UInt8(ascii: "/") { next[position] = true }
                case .all: next[position] = true
                case .folders: next[position] = true
                case .set(let ranges, let isNegated):
                    if byte != UInt8(ascii: "/") && ranges.contains(where: { $0.contains(byte) }) != isNegated {
                        next[position + 1] = true
                    }
                case .never: break
                }
            }
            // `**/` may end only after a slash.
            states = next
            close(&states, atComponentStart: byte == UInt8(ascii: "/"))
            if !states.contains(true) { return false }
            _ = index
        }
        return states[tokens.count]
    }

    /// Steps over tokens that fit nothing at all.
    private func close(_ states: inout [Bool], atComponentStart: Bool) {
        for (position, token) in tokens.enumerated() where states[position] {
            switch token {
            case .star, .all: states[position + 1] = true
            case .folders: if atComponentStart { states[position + 1] = true }
            default: break
            }
        }
    }

    private static func compile(_ pattern: [UInt8]) -> [Token] {
        var tokens: [Token] = []
        var rest = pattern[...]
        while let byte = rest.first {
            let isComponentStart = rest.startIndex == 0 || pattern[rest.startIndex - 1] == UInt8(ascii: "/")
            switch byte {
            case UInt8(ascii: "*"):
                let stars = rest.prefix { $0 == UInt8(ascii: "*") }.count
                rest = rest.dropFirst(stars)
                if stars == 2 && isComponentStart && rest.isEmpty {
                    tokens.append(.all)
                } else if stars == 2 && isComponentStart && rest.first == UInt8(ascii: "/") {
                    rest = rest.dropFirst()
                    tokens.append(.folders)
                } else {
                    tokens.append(.star)
                }
                continue
            case UInt8(ascii: "?"): tokens.append(.any)
            case UInt8(ascii: "["):
                tokens.append(set(&rest))
                continue
            case UInt8(ascii: "\\"):
                rest = rest.dropFirst()
                guard let escaped = rest.first else {
                    tokens.append(.never)
                    continue
                }
                tokens.append(.byte(escaped))
            default: tokens.append(.byte(byte))
            }
            rest = rest.dropFirst()
        }
        return tokens
    }

    /// `[a-z]`, `[!a]`, `[^a]`; a `]` right after the start is a member.
    private static func set(_ rest: inout ArraySlice<UInt8>) -> Token {
        rest = rest.dropFirst()
        let isNegated = rest.first == UInt8(ascii: "!") || rest.first == UInt8(ascii: "^")
        if isNegated { rest = rest.dropFirst() }
        var ranges: [ClosedRange<UInt8>] = []
        var isFirst = true
        while let byte = member(&rest, isFirst: isFirst) {
            isFirst = false
            if rest.first == UInt8(ascii: "-"), let end = rest.dropFirst().first, end != UInt8(ascii: "]") {
                rest = rest.dropFirst()
                guard let last = member(&rest, isFirst: false) else { break }
                if byte <= last { ranges.append(byte...last) }
            } else {
                ranges.append(byte...byte)
            }
        }
        guard rest.first == UInt8(ascii: "]") else {
            rest = []
            return .never
        }
        rest = rest.dropFirst()
        return .set(ranges, isNegated: isNegated)
    }

    private static func member(_ rest: inout ArraySlice<UInt8>, isFirst: Bool) -> UInt8? {
        guard let byte = rest.first, isFirst || byte != UInt8(ascii: "]") else { return nil }
        rest = rest.dropFirst()
        guard byte == UInt8(ascii: "\\") else { return byte }
        defer { rest = rest.dropFirst() }
        return rest.first
    }
}
