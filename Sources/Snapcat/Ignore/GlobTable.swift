/// Compiled patterns, and how one is tried on a name.

/// One step of a pattern with wildcards.
enum GlobToken: Sendable {
    case byte(UInt8)
    /// `?`
    case any
    /// `*`: any bytes but a slash.
    case star
    /// `**` at the end: any bytes.
    case all
    /// `**/`: nothing, or any bytes up to and with a slash.
    case folders
    /// `[…]`: its place among the sets of the table.
    case set(UInt32)
}

/// One compiled pattern: a place in a `GlobTable`.
struct Glob: Sendable {
    enum Shape: Sendable {
        /// Bytes that are equal.
        case literal
        /// `*` and the bytes that a component ends in.
        case suffix
        case tokens
    }

    var shape: Shape
    /// Tried on a whole name, relative to the folder of the pattern; else on one component.
    var isAnchored: Bool
    /// Written with a slash at the end: fits folders only.
    var isFolderOnly: Bool
    var start: Int
    var count: Int
}

/// Patterns, packed: each is a place in memory they share, so trying one counts no references.
struct GlobTable: Sendable {
    private var bytes: [UInt8] = []
    private var tokens: [GlobToken] = []
    private var sets: [ByteSet] = []

    /// Adds a gitignore pattern without the `!`; nil for one that fits no name.
    mutating func add(_ pattern: ArraySlice<UInt8>) -> Glob? {
        var text = pattern
        let isFolderOnly = text.last == UInt8(ascii: "/")
        if isFolderOnly { text.removeLast() }
        var isAnchored = text.contains(UInt8(ascii: "/"))
        if text.first == UInt8(ascii: "/") { text.removeFirst() }
        if text.isEmpty { return nil }
        if isAnchored, let name = Self.nameAnywhere(text) {
            isAnchored = false
            text = name
        }
        guard let (tokens, sets) = GlobCompiler.compile(text, isAnchored: isAnchored) else { return nil }
        let shape = Self.shape(tokens, isAnchored: isAnchored)
        var glob = Glob(
            shape: shape, isAnchored: isAnchored, isFolderOnly: isFolderOnly, start: bytes.count,
            count: tokens.count)
        switch shape {
        case .literal: append(bytesOf: tokens[...])
        case .suffix:
            append(bytesOf: tokens.dropFirst())
            glob.count -= 1
        case .tokens:
            glob.start = self.tokens.count
            append(tokens, sets)
        }
        return glob
    }

    /// `**/name` fits what `name` does, which is quicker to find out.
    private static func nameAnywhere(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        let rest = text.drop { $0 == UInt8(ascii: "*") }
        guard rest.startIndex - text.startIndex > 1, rest.first == UInt8(ascii: "/") else { return nil }
        let name = rest.dropFirst()
        return name.isEmpty || name.contains(UInt8(ascii: "/")) ? nil : name
    }

    private static func shape(_ tokens: [GlobToken], isAnchored: Bool) -> Glob.Shape {
        if tokens.allSatisfy({ $0.isByte }) { return .literal }
        if isAnchored { return .tokens }
        if case .star? = tokens.first, tokens.dropFirst().allSatisfy({ $0.isByte }) { return .suffix }
        return .tokens
    }

    private mutating func append(bytesOf tokens: ArraySlice<GlobToken>) {
        for case .byte(let byte) in tokens { bytes.append(byte) }
    }

    private mutating func append(_ newTokens: [GlobToken], _ newSets: [ByteSet]) {
        for token in newTokens {
            if case .set(let index) = token {
                tokens.append(.set(UInt32(sets.count) + index))
            } else {
                tokens.append(token)
            }
        }
        sets += newSets
    }

    /// Gives the means to try patterns; not to be kept.
    func withMatcher<Result>(_ body: (GlobMatcher) -> Result) -> Result {
        bytes.withUnsafeBufferPointer { bytes in
            tokens.withUnsafeBufferPointer { tokens in
                sets.withUnsafeBufferPointer { body(GlobMatcher(bytes: bytes, tokens: tokens, sets: $0)) }
            }
        }
    }
}

extension GlobToken {
    fileprivate var isByte: Bool { if case .byte = self { true } else { false } }
}
