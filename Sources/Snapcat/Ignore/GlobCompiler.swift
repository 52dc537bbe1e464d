/// Reads one pattern into tokens, with the meaning that git's `wildmatch.c` gives it (git 2.39).
struct GlobCompiler {
    private let pattern: ArraySlice<UInt8>
    /// `**` can cross slashes, and a set never holds one.
    private let isAnchored: Bool
    private var position: Int
    private var tokens: [GlobToken] = []
    private var sets: [ByteSet] = []

    /// Nil for a pattern that fits no name: an unclosed or unknown set, a backslash at the end.
    static func compile(
        _ pattern: ArraySlice<UInt8>, isAnchored: Bool
    ) -> (tokens: [GlobToken], sets: [ByteSet])? {
        var compiler = GlobCompiler(pattern, isAnchored: isAnchored)
        while let byte = compiler.take() {
            guard let token = compiler.token(startingWith: byte) else { return nil }
            compiler.tokens.append(token)
        }
        return (compiler.tokens, compiler.sets)
    }

    private init(_ pattern: ArraySlice<UInt8>, isAnchored: Bool) {
        self.pattern = pattern
        self.isAnchored = isAnchored
        position = pattern.startIndex
    }

    private func peek(_ distance: Int = 0) -> UInt8? {
        position + distance < pattern.endIndex ? pattern[position + distance] : nil
    }

    private mutating func take() -> UInt8? {
        guard let byte = peek() else { return nil }
        position += 1
        return byte
    }

    private mutating func token(startingWith byte: UInt8) -> GlobToken? {
        switch byte {
        case UInt8(ascii: "*"): return stars()
        case UInt8(ascii: "?"): return .any
        case UInt8(ascii: "["):
            guard var set = set() else { return nil }
            set.remove(UInt8(ascii: "/"))
            sets.append(set)
            return .set(UInt32(sets.count - 1))
        case UInt8(ascii: "\\"): return take().map { .byte($0) }
        default: return .byte(byte)
        }
    }

    /// Two stars or more cross slashes where they fill a component, one never does.
    ///
    /// git compares the bytes before the first wildcard by themselves and hands the rest to `wildmatch`: so
    /// stars that are the first wildcard count as the start of a component, and `a/b**/c` fits `a/bx/y/c`.
    private mutating func stars() -> GlobToken {
        let start = position - 1
        while peek() == UInt8(ascii: "*") { position += 1 }
        let before = pattern[..<start]
        let startsComponent = before.last == UInt8(ascii: "/") || !before.contains(where: Self.isSpecial)
        guard isAnchored, position - start > 1, startsComponent else { return .star }
        if peek() == UInt8(ascii: "/") {
            position += 1
            return .folders
        }
        let endsComponent = peek() == nil || (peek() == UInt8(ascii: "\\") && peek(1) == UInt8(ascii: "/"))
        return endsComponent ? .all : .star
    }

    private static func isSpecial(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "*"), UInt8(ascii: "?"), UInt8(ascii: "["), UInt8(ascii: "\\"): true
        default: false
        }
    }

    /// The rest of `[a-z]`, `[!a]`, `[^a]`, `[[:digit:]]`; a `]` right after the start is a member.
    private mutating func set() -> ByteSet? {
        let isNegated = peek() == UInt8(ascii: "!") || peek() == UInt8(ascii: "^")
        if isNegated { position += 1 }
        var set = ByteSet()
        /// What a `-` would start a range with: the end of a range, or a class, starts none.
        var low: UInt8?
        let first = position
        while let byte = take() {
            if byte == UInt8(ascii: "]") && position - 1 > first { return isNegated ? set.inverted : set }
            if byte == UInt8(ascii: "-"), let start = low, let next = peek(), next != UInt8(ascii: "]") {
                guard let end = member() else { return nil }
                if start <= end { set.insert(start...end) }
                low = nil
            } else if byte == UInt8(ascii: "["), peek() == UInt8(ascii: ":") {
                let name = pattern[(position + 1)...]
                guard let close = name.firstIndex(of: UInt8(ascii: "]")) else { return nil }
                if close - 1 > position && pattern[close - 1] == UInt8(ascii: ":") {
                    guard set.insert(classNamed: name[..<(close - 1)]) else { return nil }
                    position = close + 1
                    low = nil
                } else {
                    set.insert(byte...byte)
                    low = byte
                }
            } else {
                position -= 1
                guard let byte = member() else { return nil }
                set.insert(byte...byte)
                low = byte
            }
        }
        return nil
    }

    private mutating func member() -> UInt8? {
        let byte = take()
        return byte == UInt8(ascii: "\\") ? take() : byte
    }
}
