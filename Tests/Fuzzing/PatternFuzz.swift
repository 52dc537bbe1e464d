import Snapcat
import SnapcatPlatform

/// An ignore file, a zero byte, and names between zero bytes.
///
/// What a pattern means is held against git itself by the test command (`IgnoreAgainstGitTests`); here the ways to ask
/// the same must agree.
enum PatternFuzz {
    static func check(_ input: [UInt8]) throws {
        let parts = input.split(separator: 0, omittingEmptySubsequences: false).map { Array($0) }
        let file = parts[0]
        let names = parts.dropFirst().prefix(8).filter { !$0.isEmpty && $0.first != UInt8(ascii: "/") && $0 != Array(".".utf8) }
        let fromFile = IgnoreRules.none.adding(fileContents: file, inFolder: [])
        let lines = IgnoreRules.lines(of: file).map { Array($0) }
        let fromLines = IgnoreRules.none.adding(patterns: lines, source: "fuzz")
        let below = IgnoreRules.none.adding(fileContents: file, inFolder: Array("folder".utf8))
        for name in names {
            for isFolder in [false, true] {
                let verdict = excludes(fromFile, name, isFolder)
                try claim(excludes(fromLines, name, isFolder) == verdict, "lines and file differ for \(text(name))")
                let inFolder = Array("folder/".utf8) + name
                try claim(excludes(below, inFolder, isFolder) == verdict, "in a folder it differs for \(text(name))")
            }
            for line in lines.prefix(4) { try checkGlob(line, name) }
        }
        try claim(!excludes(fromFile, Array(".".utf8), true), "the root is left out")
    }

    private static func excludes(_ rules: IgnoreRules, _ name: [UInt8], _ isFolder: Bool) -> Bool {
        name.withUnsafeBytes { rules.excludes($0, isFolder: isFolder) }
    }

    /// What a pattern fits, it takes along with all below it.
    private static func checkGlob(_ pattern: [UInt8], _ name: [UInt8]) throws {
        let glob = GlobPattern(pattern)
        guard !name.contains(UInt8(ascii: "/")) || name.last != UInt8(ascii: "/"), glob.matches(name) else { return }
        try claim(glob.matches(name + Array("/below".utf8)), "\(text(pattern)) fits \(text(name)), but nothing below it")
    }
}
