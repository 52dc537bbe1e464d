/// Tries the patterns of a `GlobTable` on names, without an allocation.
struct GlobMatcher {
    let bytes: UnsafeBufferPointer<UInt8>
    let tokens: UnsafeBufferPointer<GlobToken>
    let sets: UnsafeBufferPointer<ByteSet>

    /// Where in a name a pattern may end.
    struct Ends {
        var atEnd: Bool
        var atSlash: Bool

        /// The pattern fits the whole name.
        static let whole = Ends(atEnd: true, atSlash: false)

        func accept(_ text: UnsafeRawBufferPointer, _ position: Int) -> Bool {
            position == text.count ? atEnd : atSlash && text[position] == UInt8(ascii: "/")
        }
    }

    /// `text` is what the glob is tried on: a component, or for an anchored one a name relative to its
    /// folder.
    func fits(_ glob: Glob, _ text: UnsafeRawBufferPointer, _ ends: Ends = .whole) -> Bool {
        switch glob.shape {
        case .literal:
            if text.count < glob.count { return false }
            return ends.accept(text, glob.count) && hasBytes(of: glob, text, at: 0)
        case .suffix:
            if text.count < glob.count { return false }
            return hasBytes(of: glob, text, at: text.count - glob.count)
        case .tokens:
            let own = tokens[glob.start..<glob.start + glob.count]
            return run(UnsafeBufferPointer(rebasing: own), text, ends)
        }
    }

    /// From the last byte on, as that is where names differ.
    private func hasBytes(of glob: Glob, _ text: UnsafeRawBufferPointer, at offset: Int) -> Bool {
        var index = glob.count
        while index > 0 {
            index -= 1
            if text[offset + index] != bytes[glob.start + index] { return false }
        }
        return true
    }

    /// Tries the shortest text for each wildcard and makes that of the last one longer where the rest does
    /// not fit.
    ///
    /// Only the last `*` and the last `**` need to be kept: what an earlier one could give, the later one
    /// can take. Of a token and a byte that meet, the number of slashes up to each tells which try of the
    /// last `**` it is, and their distances from the last `*` which try of that. So no pair meets twice,
    /// and the time is at most that of pattern times name.
    private func run(
        _ tokens: UnsafeBufferPointer<GlobToken>, _ text: UnsafeRawBufferPointer, _ ends: Ends
    ) -> Bool {
        var token = 0
        var position = 0
        /// The wildcard's token, and where its text ends so far.
        var star: (token: Int, end: Int)?
        var wide: (token: Int, end: Int)?
        while true {
            switch token < tokens.count ? tokens[token] : nil {
            case nil:
                if ends.accept(text, position) { return true }
            case .star?:
                star = (token, position)
                token += 1
                continue
            case .all?, .folders?:
                wide = (token, position)
                star = nil
                token += 1
                continue
            case let single?:
                // A wildcard with a longer text leaves less for the tokens that are left.
                if position == text.count { return false }
                if fits(single, text[position]) {
                    position += 1
                    token += 1
                    continue
                }
            }
            if let last = star, last.end < text.count, text[last.end] != UInt8(ascii: "/") {
                star = (last.token, last.end + 1)
                position = last.end + 1
                token = last.token + 1
            } else if let last = wide, let end = longer(tokens[last.token], text, from: last.end) {
                star = nil
                wide = (last.token, end)
                position = end
                token = last.token + 1
            } else {
                return false
            }
        }
    }

    /// A token of exactly one byte.
    private func fits(_ token: GlobToken, _ byte: UInt8) -> Bool {
        switch token {
        case .byte(let expected): byte == expected
        case .any: byte != UInt8(ascii: "/")
        case .set(let index): sets[Int(index)].contains(byte)
        case .star, .all, .folders: false
        }
    }

    /// Where the next longer text of a `**` ends; nil if there is none.
    private func longer(_ token: GlobToken, _ text: UnsafeRawBufferPointer, from end: Int) -> Int? {
        var position = end
        if case .folders = token {
            while position < text.count && text[position] != UInt8(ascii: "/") { position += 1 }
        }
        return position < text.count ? position + 1 : nil
    }
}
