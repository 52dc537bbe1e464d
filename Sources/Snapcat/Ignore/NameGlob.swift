import SnapcatCatalog

/// A glob as users of find(1) expect it: without a slash it fits the last component of a name, with one the whole
/// name; `**` crosses folders, and a slash at the end means everything below.
struct NameGlob: Sendable {
    private let table: GlobTable
    /// nil: an invalid pattern, which fits nothing.
    private let glob: Glob?

    init(_ pattern: [UInt8]) {
        var table = GlobTable()
        let isFolder = pattern.last == UInt8(ascii: "/")
        glob = table.add((isFolder ? pattern + Array("**".utf8) : pattern)[...])
        self.table = table
    }

    func matches(_ name: UnsafeRawBufferPointer) -> Bool {
        guard let glob else { return false }
        var text = name
        if !glob.isAnchored, let slash = name.lastIndex(of: UInt8(ascii: "/")) {
            text = UnsafeRawBufferPointer(rebasing: name[(slash + 1)...])
        }
        return table.withMatcher { $0.fits(glob, text) }
    }

    /// For the SQL function `path_match`.
    static let matcher: @Sendable ([UInt8]) -> NameMatcher = { pattern in
        let glob = NameGlob(pattern)
        return { glob.matches($0) }
    }

    /// The bytes before the first wildcard.
    static func literalPrefix(_ pattern: String) -> Substring {
        pattern.prefix { !"*?[\\".contains($0) }
    }
}
