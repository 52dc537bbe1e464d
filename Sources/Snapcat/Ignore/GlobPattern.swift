/// One gitignore pattern over whole names (gitignore(5)), for filters such as `--include` and `--exclude`.
///
/// Without a slash it fits any component, with one it starts at the root; what fits takes all below it
/// along. A `!`, a `#` and spaces stand for themselves: they mean something in a list of patterns only. A
/// pattern that git finds invalid (an unclosed `[`) fits nothing.
package struct GlobPattern: Sendable {
    private let table: GlobTable
    private let glob: Glob?

    package init(_ pattern: [UInt8]) {
        var table = GlobTable()
        glob = table.add(pattern[...])
        self.table = table
    }

    package func matches(_ path: [UInt8]) -> Bool { path.withUnsafeBytes { matches($0) } }

    /// Whether the name or a folder on its way fits.
    ///
    /// Takes any bytes; time is at most that of pattern times name, and nothing is allocated. A name that
    /// ends in a slash is a folder; any other is not: `docs/` fits `docs/` and `docs/a`, but not `docs`.
    package func matches(_ path: UnsafeRawBufferPointer) -> Bool {
        guard let glob else { return false }
        let isFolder = path.last == UInt8(ascii: "/")
        let name = UnsafeRawBufferPointer(rebasing: isFolder ? path.dropLast() : path[...])
        if name.isEmpty { return false }
        let fitsLeaf = isFolder || !glob.isFolderOnly
        return table.withMatcher { matcher in
            glob.isAnchored
                ? matcher.fits(glob, name, .init(atEnd: fitsLeaf, atSlash: true))
                : Self.fitsComponent(glob, name, fitsLeaf: fitsLeaf, matcher)
        }
    }

    private static func fitsComponent(
        _ glob: Glob, _ name: UnsafeRawBufferPointer, fitsLeaf: Bool, _ matcher: GlobMatcher
    ) -> Bool {
        var start = 0
        for end in 0..<name.count where name[end] == UInt8(ascii: "/") {
            if matcher.fits(glob, UnsafeRawBufferPointer(rebasing: name[start..<end])) { return true }
            start = end + 1
        }
        return fitsLeaf && matcher.fits(glob, UnsafeRawBufferPointer(rebasing: name[start...]))
    }
}
