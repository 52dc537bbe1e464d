import Foundation
import SnapcatTestSupport
import Testing

@testable import Snapcat

/// Goal: patterns mean what they mean in git, for any bytes and in bounded time. Method: tables of cases,
/// and seeded random patterns and trees put to git itself.
@Suite struct IgnoreTests {
    @Test(arguments: [
        // Pattern; names that fit; names that do not. A slash at the end marks a folder.
        ("docs", ["docs", "docs/a/b", "x/docs", "x/docs/a"], ["docs2", "xdocs", "doc/s"]),
        ("docs/", ["docs/", "docs/a/b", "x/docs/a"], ["docs", "x/docs"]),
        ("/docs", ["docs", "docs/a"], ["x/docs"]),
        ("a/b", ["a/b", "a/b/c"], ["x/a/b", "a/bc", "a"]),
        ("*.o", ["a.o", "x/a.o", ".o", "a.o/b"], ["a.oo", "a.O", "o"]),
        ("/*.o", ["a.o", "a.o/b"], ["x/a.o"]),
        ("a/*/c", ["a/b/c", "a/b/c/d"], ["a/c", "a/b/b/c"]),
        ("a/**/c", ["a/c", "a/b/c", "a/b/b/c/d"], ["a/bc", "c", "x/a/c"]),
        ("a/**", ["a/b", "a/b/c"], ["a", "a/", "b"]),
        ("**/a", ["a", "x/a", "x/y/a/z"], ["ba", "x/ba"]),
        ("**/a/b", ["a/b", "x/a/b", "x/y/a/b/z"], ["a/x/b", "xa/b"]),
        ("a**b", ["ab", "axb", "x/axxb"], ["a/b"]),
        // Stars that are the first wildcard cross slashes in git, wherever they stand.
        ("x/a**/b", ["x/a/b", "x/acc/d/b", "x/ab", "x/a/c/b"], ["x/a", "x/cb"]),
        ("x/\\a**/b", ["x/a/b", "x/acc/b"], ["x/a/c/b", "x/ab"]),
        ("?", ["a", "x/b", "\t"], ["ab", "cd/ef"]),
        ("a?b", ["axb"], ["a/b", "ab"]),
        ("[a-c]x", ["ax", "cx", "d/bx"], ["dx", "x"]),
        ("[!a-c]", ["d", "-", "!"], ["a", "b"]),
        ("[^a]", ["b"], ["a"]),
        ("[]-]", ["]", "-"], ["a", "\\"]),
        ("[a\\]]", ["a", "]"], ["\\", "a]"]),
        ("[[:digit:]_]", ["5", "_"], ["a", ":", "d"]),
        ("a[/]b/c", [], ["a/b/c", "a[/]b/c"]),
        ("[ab", [], ["[ab", "a", "b"]),
        ("[[:nothing:]]", [], ["n", "[", ":"]),
        ("\\*", ["*", "x/*"], ["a", "\\*"]),
        ("a\\", [], ["a", "a\\"]),
        ("!a", ["!a"], ["a", "b"]),
        ("#a", ["#a"], ["a"]),
        ("a ", ["a "], ["a"]),
        ("", [], ["a", "", "a/b"]),
        ("/", [], ["a", "a/", "/"]),
    ])
    func `A glob fits what gitignore says`(pattern: String, fitting: [String], others: [String]) {
        let glob = GlobPattern(Array(pattern.utf8))
        for name in fitting { #expect(glob.matches(Array(name.utf8)), "\(pattern) fits \(name)") }
        for name in others { #expect(!glob.matches(Array(name.utf8)), "\(pattern) does not fit \(name)") }
    }

    @Test(arguments: [
        // The file; names left out; names kept.
        ("# a\n\n  \n\\#b\n", ["#b"], ["# a", "a", " ", "b"]),
        ("a\r\nb\r", ["a", "b"], ["a\r", "b\r"]),
        ("\u{feff}a\n\u{feff}b\n", ["a", "\u{feff}b"], ["b", "\u{feff}a"]),
        ("a  \nb\\ \nc\\  \nd\\\\ \ne\t\n", ["a", "b ", "c ", "d\\", "e\t"], ["a ", "b", "c", "d", "e"]),
        ("*\n!keep\n!*/\n", ["a", "a/b"], ["keep", "a/keep", "d/"]),
        ("!a\na\n", ["a"], []),
        ("a\n!a\n", [], ["a"]),
        ("\\!a\n", ["!a"], ["a"]),
        ("a\u{0}b\n", ["a"], ["ab"]),
        ("!\n/\n//\n[\n", [], ["!", "a", "["]),
        ("*\n", ["a"], [".", ""]),
        ("last", ["last"], []),
    ])
    func `A file of patterns is read as git reads it`(contents: String, excluded: [String], kept: [String]) {
        let rules = IgnoreRules.none.adding(fileContents: Array(contents.utf8), inFolder: [])
        for name in excluded {
            #expect(rules.excludes(name), "\(contents.debugDescription) leaves out \(name)")
        }
        for name in kept { #expect(!rules.excludes(name), "\(contents.debugDescription) keeps \(name)") }
    }

    @Test func `Deeper files win, and the command line wins over all`() {
        let root = IgnoreRules.none.adding(fileContents: Array("*.o\n/x\n".utf8), inFolder: [])
        let inner = root.adding(fileContents: Array("!a.o\n/x\n!/b/c.o\n".utf8), inFolder: Array("d".utf8))
        #expect(root.excludes("d/a.o") && !inner.excludes("d/a.o") && inner.excludes("d/b.o"))
        #expect(inner.excludes("d/x") && !inner.excludes("d/y/x") && !inner.excludes("d/b/c.o"))
        #expect(inner.excludes("a.o") && inner.excludes("dd/a.o"), "Patterns of a folder hold below it only")
        let patterns = ["a.o", "!b.o", "!c.o", "c.o", "# no pattern"].map { Array($0.utf8) }
        let all = inner.adding(patterns: patterns, source: "test")
        #expect(
            all.excludes("d/a.o") && !all.excludes("d/b.o") && all.excludes("d/c.o") && all.excludes("d/e.o"))
    }

    @Test func `Rules without a pattern are empty`() {
        #expect(IgnoreRules.none.isEmpty)
        #expect(IgnoreRules.none.adding(patterns: [], source: "test").isEmpty)
        #expect(IgnoreRules.none.adding(fileContents: Array("# a\n\n[\n".utf8), inFolder: []).isEmpty)
        #expect(!IgnoreRules.none.adding(patterns: [[0x61]], source: "test").isEmpty)
    }

    @Test func `Names and patterns are bytes`() {
        #expect(GlobPattern([0xff]).matches([0x61, 0x2f, 0xff]))
        #expect(!GlobPattern([0xff]).matches([0xfe]))
        #expect(GlobPattern(Array("*".utf8) + [0x80]).matches([0xc3, 0x28, 0x80]))
        #expect(GlobPattern(Array("?".utf8)).matches([0xc3]))
        #expect(
            !GlobPattern(Array("?".utf8)).matches([0xc3, 0xa9]), "A character of two bytes is not one byte")
        #expect(GlobPattern([0x5b, 0x80, 0x2d, 0xff, 0x5d]).matches([0xc3]))
        #expect(!GlobPattern([0x5b, 0x80, 0x2d, 0xff, 0x5d]).matches([0x7f]))
    }

    @Test(
        .timeLimit(.minutes(1)),
        arguments: [
            ("a*", 1000, "b"), ("**/", 1000, "x/y"), ("**/*a*/", 300, "x"), ("*/", 1300, "x"),
            ("**/*/", 600, "x"),
            ("[a/]*", 500, "b"), ("**\\/a/", 400, "x"), ("?*", 1000, "b"), ("*a**", 700, "b"),
            ("/**", 800, "/x"),
        ])
    func `Hostile patterns take polynomial time`(part: String, count: Int, last: String) {
        let many = String(repeating: part, count: count)
        let names = ["a", "a/", "aa/", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/"].map { piece in
            Array(
                String(repeating: piece, count: 4096 / piece.utf8.count).utf8.dropLast(piece == "a" ? 0 : 1))
        }
        for prefix in ["", "/", "**/", "/*"] {
            let pattern = Array((prefix + many + last).utf8)
            let rules = IgnoreRules.none.adding(patterns: [pattern], source: "test")
            for name in names {
                #expect(!GlobPattern(pattern).matches(name))
                #expect(!name.withUnsafeBytes { rules.excludes($0, isFolder: true) })
            }
        }
    }
}

extension IgnoreRules {
    /// With a slash at the end for a folder.
    fileprivate func excludes(_ name: String) -> Bool {
        let path = Array(name.utf8)
        let isFolder = path.last == UInt8(ascii: "/")
        return (isFolder ? path.dropLast() : path).withUnsafeBytes { excludes($0, isFolder: isFolder) }
    }
}

/// What git itself says of the same names.
@Suite struct IgnoreAgainstGitTests {
    static let rounds = ProcessInfo.processInfo.environment["SNAPCAT_IGNORE_ROUNDS"].flatMap { Int($0) } ?? 12

    private static func seed(_ round: Int) -> UInt64 {
        ProcessInfo.processInfo.environment["SNAPCAT_SEED"].flatMap { UInt64($0) } ?? 5_000 + UInt64(round)
    }

    @Test(arguments: 0..<rounds)
    func `Rules of a tree say what git check-ignore says`(round: Int) throws {
        let seed = Self.seed(round)
        var random = RandomPatterns(seed: seed)
        let tree = IgnoreTree(&random)
        let git = try GitRepository(tree)
        defer { git.remove() }
        let excluded = try git.excluded(tree.names)
        for name in tree.names {
            let verdict = tree.excludes(name, .none)
            #expect(
                verdict == excluded.contains(name), "seed \(seed), \(text(name)), files \(tree.description)")
        }
    }

    @Test(arguments: 0..<rounds)
    func `Patterns of the command line say what git ls-files says`(round: Int) throws {
        let seed = Self.seed(round) + 1_000_000
        var random = RandomPatterns(seed: seed)
        let tree = IgnoreTree(&random)
        let git = try GitRepository(tree)
        defer { git.remove() }
        try git.createFiles(tree.names)
        let patterns = (0..<3).map { _ in random.argument(tree.names) }
        let excluded = try git.excludedFiles(patterns)
        let rules = IgnoreRules.none.adding(patterns: patterns, source: "test")
        for name in tree.names where name.last != UInt8(ascii: "/") {
            let comment: Comment =
                "seed \(seed), \(text(name)), \(patterns.map(text)), files \(tree.description)"
            #expect(tree.excludes(name, rules) == excluded.contains(name), comment)
        }
    }

    @Test(arguments: 0..<rounds)
    func `A glob fits what git leaves out by it alone`(round: Int) throws {
        let seed = Self.seed(round) + 2_000_000
        var random = RandomPatterns(seed: seed)
        let names = IgnoreTree(&random).names
        let patterns = (0..<40).map { _ in random.argument(names) }.filter { $0.first != UInt8(ascii: "!") }
        // One folder for each pattern, so that one process sees them all.
        let folders = patterns.indices.map { Array("p\($0)/".utf8) }
        let files = zip(folders, patterns).map { (Array($0.dropLast()), $1) }
        let git = try GitRepository(
            IgnoreTree(names: names, files: Dictionary(uniqueKeysWithValues: files), in: folders))
        defer { git.remove() }
        let excluded = try git.excluded(folders.flatMap { folder in names.map { folder + $0 } })
        #expect(!excluded.isEmpty, "seed \(seed)")
        for (folder, pattern) in zip(folders, patterns) {
            let glob = GlobPattern(pattern)
            for name in names {
                let comment: Comment = "seed \(seed), pattern \(text(pattern)), name \(text(name))"
                #expect(glob.matches(name) == excluded.contains(folder + name), comment)
            }
        }
    }

    @Test func `Classes of bytes are those of git`() throws {
        let classes = [
            "alnum", "alpha", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper",
            "xdigit",
            "word", "",
        ]
        let bytes = (1...255).map { UInt8($0) }.filter { $0 != UInt8(ascii: "/") }
        let names = bytes.map { [UInt8(ascii: "_"), $0] }
        let folders = classes.map { Array("c\($0)/".utf8) }
        let patterns = classes.map { Array("_[[:\($0):]]".utf8) }
        let files = Dictionary(uniqueKeysWithValues: zip(folders.map { Array($0.dropLast()) }, patterns))
        let git = try GitRepository(IgnoreTree(names: [], files: files, in: folders))
        defer { git.remove() }
        let excluded = try git.excluded(folders.flatMap { folder in names.map { folder + $0 } })
        #expect(excluded.count > 400)
        for (folder, pattern) in zip(folders, patterns) {
            let glob = GlobPattern(pattern)
            for name in names {
                #expect(glob.matches(name) == excluded.contains(folder + name), "\(text(pattern)) \(name[1])")
            }
        }
    }
}

private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self).debugDescription }

/// Names (folders end in a slash), and the ignore files of some folders.
private struct IgnoreTree {
    var names: [[UInt8]]
    /// By folder, without a slash; the root is empty.
    var files: [[UInt8]: [UInt8]]
    var folders: [[UInt8]]

    init(names: [[UInt8]], files: [[UInt8]: [UInt8]], in parents: [[UInt8]]) {
        self.names = names
        self.files = files
        let own = names.filter { $0.last == UInt8(ascii: "/") }
        folders = parents + (parents.isEmpty ? own : parents.flatMap { parent in own.map { parent + $0 } })
    }

    init(_ random: inout RandomPatterns) {
        let names = random.names()
        var files: [[UInt8]: [UInt8]] = [[]: random.file(names)]
        for folder in names where folder.last == UInt8(ascii: "/") && random.chance(3) {
            let inner = names.filter { $0.starts(with: folder) && $0 != folder }.map {
                Array($0.dropFirst(folder.count))
            }
            files[Array(folder.dropLast())] = random.file(inner)
        }
        self.init(names: names, files: files, in: [])
    }

    /// As a walk from the top would find out.
    func excludes(_ name: [UInt8], _ arguments: IgnoreRules) -> Bool {
        var rules = arguments.adding(fileContents: files[[]] ?? [], inFolder: [])
        for end in name.indices where name[end] == UInt8(ascii: "/") {
            let folder = Array(name[..<end])
            if folder.withUnsafeBytes({ rules.excludes($0, isFolder: true) }) { return true }
            if let contents = files[folder] { rules = rules.adding(fileContents: contents, inFolder: folder) }
        }
        return name.last != UInt8(ascii: "/") && name.withUnsafeBytes { rules.excludes($0, isFolder: false) }
    }

    var description: String { files.map { "\(text($0.key)): \(text($0.value))" }.joined(separator: ", ") }
}

/// Names of few letters, and patterns that have a chance to fit them.
private struct RandomPatterns {
    private var random: SeededRandom

    private static let parts: [[UInt8]] =
        [
            "a", "b", "ab", ".o", "*", "*", "**", "**/", "/", "/", "?", "[ab]", "[!a]", "[^b]", "[a-c]",
            "[]a]", "[a",
            "[[:alpha:]]", "[[:x:]]", "[[:alpha]", "[a-]", "[b-a]", "[\\]]", "[/]", "\\a", "\\*", "\\", "\\/",
            " ", "\\ ", "!",
            "#", "-", "]", "é", "***", "\t", "\r",
        ].map { Array($0.utf8) } + [[0xff], [0x5b, 0x80, 0x2d, 0xff, 0x5d]]
    private static let folderNames: [[UInt8]] = ["a", "b", "ab", "a b", "é", "a.o"].map { Array($0.utf8) }
    private static let fileNames: [[UInt8]] =
        folderNames
        + [
            "aa", "abc", "b.o", ".o", "c", "[a", "]", "\\", "\\a", "*", "!a", "#b", "a ", "-", "a\r", "a\t",
            "aab",
        ].map { Array($0.utf8) } + [[0xff], [0x80, 0x61], [0xc3, 0x28]]

    init(seed: UInt64) { random = SeededRandom(seed: seed) }

    mutating func chance(_ one: Int) -> Bool { Int.random(in: 0..<one, using: &random) == 0 }

    private mutating func one(_ choices: [[UInt8]]) -> [UInt8] { choices.randomElement(using: &random) ?? [] }

    mutating func names() -> [[UInt8]] {
        var folders: [[UInt8]] = [[]]
        var seen: Set<[UInt8]> = []
        for _ in 0..<9 {
            let folder = one(folders) + one(Self.folderNames) + [UInt8(ascii: "/")]
            if seen.insert(folder).inserted { folders.append(folder) }
        }
        for _ in 0..<50 {
            let file = one(folders) + one(Self.fileNames)
            if !seen.contains(file + [UInt8(ascii: "/")]) { seen.insert(file) }
        }
        return seen.sorted { $0.lexicographicallyPrecedes($1) }
    }

    mutating func file(_ names: [[UInt8]]) -> [UInt8] {
        var contents: [UInt8] = chance(9) ? [0xef, 0xbb, 0xbf] : []
        for _ in 0..<Int.random(in: 1...5, using: &random) {
            contents += (chance(4) ? [UInt8(ascii: "!")] : []) + pattern(names)
            contents += chance(9) ? Array(" ".utf8) : []
            contents += Array((chance(9) ? "\r\n" : "\n").utf8)
        }
        if chance(5) { contents.removeLast() }
        return contents
    }

    /// One that is UTF-8 and means the same in a file and as an argument.
    mutating func argument(_ names: [[UInt8]]) -> [UInt8] {
        while true {
            let result = (chance(4) ? [UInt8(ascii: "!")] : []) + pattern(names)
            let isPlain = !result.contains {
                $0 == UInt8(ascii: "#") || $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\r")
            }
            if isPlain, !result.isEmpty, String(validating: result, as: UTF8.self) != nil { return result }
        }
    }

    private mutating func pattern(_ names: [[UInt8]]) -> [UInt8] {
        if names.isEmpty || chance(3) {
            return (0..<Int.random(in: 1...6, using: &random)).flatMap { _ in one(Self.parts) }
        }
        var result: [UInt8] = chance(4) ? [UInt8(ascii: "/")] : []
        for component in one(names).split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            if chance(4) {
                result += one(["*", "**", "?*", "*?"].map { Array($0.utf8) })
            } else {
                result += blur(component)
            }
            if chance(3) && !result.isEmpty { break }
            result.append(UInt8(ascii: "/"))
        }
        if chance(3), let slash = result.firstIndex(of: UInt8(ascii: "/")) { result.removeSubrange(...slash) }
        if chance(2), result.last == UInt8(ascii: "/") { result.removeLast() }
        return result
    }

    private mutating func blur(_ component: ArraySlice<UInt8>) -> [UInt8] {
        component.flatMap { byte -> [UInt8] in
            switch Int.random(in: 0..<10, using: &random) {
            case 0: Array("*".utf8)
            case 1: Array("?".utf8)
            case 2: [UInt8(ascii: "\\"), byte]
            case 3: Array("[".utf8) + [byte] + Array("-z]".utf8)
            case 4: [byte] + Array("**".utf8)
            default: [byte]
            }
        }
    }
}

/// A work tree with ignore files, and an empty repository beside it.
private struct GitRepository {
    private let top: String
    private let workTree: String
    private let ignoreFile = Array(".gitignore".utf8)

    init(_ tree: IgnoreTree) throws {
        top = FileManager.default.temporaryDirectory.path + "/snapcat-ignore-\(UUID().uuidString)"
        workTree = top + "/tree"
        try FileManager.default.createDirectory(atPath: workTree, withIntermediateDirectories: true)
        _ = try run(["init", "-q", "--template="])
        for folder in tree.folders { try check(mkdir(path(folder), 0o755) == 0 || errno == EEXIST) }
        for (folder, contents) in tree.files { try write(contents, folder + Array("/".utf8) + ignoreFile) }
    }

    func remove() {
        do { try FileManager.default.removeItem(atPath: top) } catch { Issue.record(error) }
    }

    /// Those of the names that git leaves out. Files need not exist, folders do.
    func excluded(_ names: [[UInt8]]) throws -> Set<[UInt8]> {
        // With its slash, git would try a folder's name as it tries what is in the folder.
        let input = names.flatMap { ($0.last == UInt8(ascii: "/") ? $0.dropLast() : $0[...]) + [0] }
        let output = try run(
            ["check-ignore", "--no-index", "--stdin", "-z", "--verbose", "--non-matching"], input: input)
        // Source, line, pattern and name of each.
        let fields = output.split(separator: 0, omittingEmptySubsequences: false).dropLast().map { Array($0) }
        try check(fields.count == names.count * 4)
        return Set(
            names.indices.filter { index in
                let pattern = fields[index * 4 + 2]
                return !pattern.isEmpty && pattern.first != UInt8(ascii: "!")
            }.map { names[$0] })
    }

    /// The files that git leaves out by patterns of the command line and ignore files.
    func excludedFiles(_ patterns: [[UInt8]]) throws -> Set<[UInt8]> {
        let arguments = patterns.map { "--exclude=" + String(decoding: $0, as: UTF8.self) }
        let output = try run(
            ["ls-files", "-o", "-i", "-z", "--exclude-per-directory=.gitignore"] + arguments)
        return Set(output.split(separator: 0).map { Array($0) })
    }

    func createFiles(_ names: [[UInt8]]) throws {
        for name in names where name.last != UInt8(ascii: "/") { try write([], name) }
    }

    private func path(_ name: [UInt8]) -> [CChar] {
        (Array(workTree.utf8) + [UInt8(ascii: "/")] + name + [0]).map { CChar(bitPattern: $0) }
    }

    private func write(_ contents: [UInt8], _ name: [UInt8]) throws {
        let file = try #require(fopen(path(name), "w"))
        defer { fclose(file) }
        try check(fwrite(contents, 1, contents.count, file) == contents.count)
    }

    private func check(_ isGood: Bool) throws { try #require(isGood) }

    /// git's answer; its input comes from a file, so that neither waits for the other.
    private func run(_ arguments: [String], input: [UInt8] = []) throws -> [UInt8] {
        let inputPath = top + "/input"
        try Data(input).write(to: URL(fileURLWithPath: inputPath))
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments =
            ["git", "-c", "core.ignoreCase=false", "-c", "core.precomposeUnicode=false", "-C", workTree]
            + arguments
        process.environment = ProcessInfo.processInfo.environment.merging([
            "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null",
        ]) { $1 }
        process.standardInput = try FileHandle(forReadingFrom: URL(fileURLWithPath: inputPath))
        process.standardOutput = output
        try process.run()
        let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        // check-ignore: 1 says that nothing is left out.
        try check(
            process.terminationStatus == 0
                || (arguments.first == "check-ignore" && process.terminationStatus == 1))
        return Array(bytes)
    }
}
