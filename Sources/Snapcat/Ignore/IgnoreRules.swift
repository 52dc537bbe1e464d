/// Which names are left out: patterns of the command line and of `.snapcatignore` files, with the meaning of
/// gitignore(5) as git 2.39 has it.
///
/// Immutable, and cheap to copy: a folder's rules are its own and a reference to those above it. Patterns
/// of the command line win over those of files, deeper files over those above, later patterns over earlier
/// ones.
package struct IgnoreRules: Sendable {
    private let arguments: RuleGroup?
    private let files: RuleGroup?

    package static let none = IgnoreRules(arguments: nil, files: nil)

    private init(arguments: RuleGroup?, files: RuleGroup?) {
        self.arguments = arguments
        self.files = files
    }

    /// True where no name can be left out.
    package var isEmpty: Bool { arguments == nil && files == nil }

    /// Adds patterns relative to the root: one for each element, written as a line of a gitignore file.
    ///
    /// `source` tells a reader of the call where they are from; it has no effect.
    package func adding(patterns: [[UInt8]], source _: String) -> IgnoreRules {
        let group = RuleGroup(lines: patterns.map { $0[...] }, folder: [], above: arguments)
        return IgnoreRules(arguments: group ?? arguments, files: files)
    }

    /// Adds the patterns of an ignore file found in a folder; the root is the empty name.
    package func adding(fileContents: [UInt8], inFolder folder: [UInt8]) -> IgnoreRules {
        let group = RuleGroup(lines: Self.lines(of: fileContents), folder: folder, above: files)
        return IgnoreRules(arguments: arguments, files: group ?? files)
    }

    /// The lines of an ignore file, without its byte order mark and the ends of its lines.
    package static func lines(of fileContents: [UInt8]) -> [ArraySlice<UInt8>] {
        let hasMark = fileContents.starts(with: [0xef, 0xbb, 0xbf])
        return fileContents.dropFirst(hasMark ? 3 : 0).split(separator: 0x0a).map { line in
            line.last == 0x0d ? line.dropLast() : line
        }
    }

    /// Whether the name, relative to the root, is left out.
    ///
    /// Only the name itself is looked at: the caller walks from the top and enters no folder that is left
    /// out, and these rules are those of the folders on its way. The root (`.`) never is. Any bytes;
    /// nothing is allocated.
    package func excludes(_ path: UnsafeRawBufferPointer, isFolder: Bool) -> Bool {
        if path.isEmpty || (path.count == 1 && path[0] == UInt8(ascii: ".")) { return false }
        var start = path.count
        while start > 0 && path[start - 1] != UInt8(ascii: "/") { start -= 1 }
        let name = UnsafeRawBufferPointer(rebasing: path[start...])
        return RuleGroup.verdict(arguments, path, name: name, isFolder: isFolder)
            ?? RuleGroup.verdict(files, path, name: name, isFolder: isFolder) ?? false
    }
}
