import Foundation
@testable import Snapcat
import SnapcatPlatform
import SnapcatTestSupport
import Synchronization
import Testing

/// Names that a file system may take for one are found before a restore writes anything (RELIABILITY.md 6).
@Suite struct NameTwinsTests {
    private func twins(_ names: [[UInt8]]) -> [NameTwins.Pair] {
        var twins = NameTwins()
        for name in names.map({ EntryName($0) }).sorted() { twins.add(name.bytes) }
        return twins.pairs
    }

    private func texts(_ names: String...) -> [String] {
        twins(names.map { Array($0.utf8) }).map {
            [$0.folder + $0.left, $0.folder + $0.right].map { TerminalText.lossy($0) }.joined(separator: "|")
        }
    }

    @Test func namesThatDifferByCaseOrUnicodeFormAreTwins() {
        #expect(texts("README", "readme", "other") == ["README|readme"])
        #expect(texts("d/x", "d/X") == ["d/X|d/x"])
        #expect(texts("\u{e9}", "e\u{301}") == ["e\u{301}|\u{e9}"])
        #expect(texts("\u{c9}t\u{e9}", "e\u{301}te\u{301}").count == 1)
        #expect(texts("stra\u{df}e", "STRASSE").count == 1)
        #expect(texts("\u{212a}", "k").count == 1)
        #expect(texts("soft\u{ad}hyphen", "softhyphen").count == 1)
        #expect(twins([[0x58, 0xff], [0x78, 0xff], [0x78, 0xfe]]).count == 1)
        #expect(texts("A", "a", "a.txt", "A.TXT").count == 2)
    }

    @Test func namesOfDifferentFoldersAreNone() {
        #expect(texts("a/x", "b/X", "c", "d/c", "e/c").isEmpty)
        // A folder's node, and the folder as it shows by what is below it.
        #expect(texts("a", "a.txt", "a/b", "a0").isEmpty)
        #expect(texts("", "/", "a//b", "a/").isEmpty)
    }

    @Test func foldersAreTwinsAtTheirOwnLevelAndOnce() {
        #expect(texts("A/x", "A/y", "a/x", "a/z") == ["A|a"])
        #expect(texts("A", "A/x", "a", "a/x") == ["A|a"])
        #expect(texts("p/A/x", "p/a/x", "q/A/x", "q/B/x") == ["p/A|p/a"])
    }

    @Test(arguments: 0..<20)
    func `Any tree has the twins that comparing all pairs of each folder finds`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let parts = ["a", "A", "b", "B", "\u{e9}", "e\u{301}", "\u{c9}", "ab", "aB", "a.b", "a b", "a0"]
        var names: Set<[UInt8]> = []
        for _ in 0..<60 {
            let depth = Int.random(in: 1...3, using: &random)
            let name = (0..<depth).map { _ in parts[Int.random(in: 0..<parts.count, using: &random)] }.joined(separator: "/")
            names.insert(Array(name.utf8))
        }
        var folders: [[UInt8]: Set<[UInt8]>] = [:]
        for name in names {
            let components = name.split(separator: UInt8(ascii: "/")).map(Array.init)
            for depth in components.indices {
                let folder = Array(components[..<depth].flatMap { $0 + [UInt8(ascii: "/")] })
                folders[folder, default: []].insert(components[depth])
            }
        }
        // Of n names that fold to one, each but the first makes a pair.
        var expected = 0
        for children in folders.values {
            expected += children.count - Set(children.map { NameFold.folded($0[...]) }).count
        }
        #expect(twins(Array(names)).count == expected, "seed \(seed)")
    }

    // MARK: Restore

    private func repository(_ folder: TempFolder) async throws -> Repository {
        for name in ["README", "readme", "sub/A/x", "sub/a/y", "z"] { try folder.write("source/" + name, Array(name.utf8)) }
        let repository = Repository(folder: folder.path + "/repo")
        _ = try await repository.make(folder.path + "/source")
        return repository
    }

    @Test func aRestoreToAPlaceThatFoldsThemIsRefusedBeforeAnythingIsWritten() async throws {
        let folder = try TempFolder()
        let repository = try await repository(folder)
        try folder.write("target/own", [1])
        let before = try folder.files()
        let asked = Mutex<[[UInt8]]>([])
        var options = RestoreOptions()
        options.probesNames = { pairs, place in
            asked.withLock { $0.append(place) }
            return pairs
        }
        for target in ["/target", "/new/deep"] {
            await #expect {
                try await repository.restore(.latest(back: 0), to: folder.path + target, options: options)
            } throws: { error in
                guard let error = error as? SnapcatError else { return false }
                return error.code == .failed && error.reason.contains("'README' and 'readme'") && error.reason.contains("2")
            }
        }
        #expect(try folder.files() == before)
        #expect(try await repository.list().count == 1)
        #expect(asked.withLock { $0 } == [folder.path("target"), folder.bytes])
    }

    @Test func aPlaceThatKeepsThemApartGetsAll() async throws {
        let folder = try TempFolder()
        let repository = try await repository(folder)
        try folder.write("target/own", [1])
        // The file system of the tests itself is asked.
        let pairs = [NameTwins.Pair(folder: [], left: Array("README".utf8), right: Array("readme".utf8))]
        let before = try Descriptor.status(folder.bytes)
        guard try NameProbe.pairsOfOneFile(pairs, in: folder.bytes).isEmpty else { return }
        // The question leaves no trace that a safety snapshot would take for the user's.
        #expect(try Descriptor.status(folder.bytes).mtimeNanoseconds == before.mtimeNanoseconds)
        let summary = try await repository.restore(.latest(back: 0), to: folder.path + "/target")
        #expect(summary.writtenFiles == 5)
        #expect(try folder.files().filter { $0.starts(with: Array("target/".utf8)) }.count == 5)
    }

    @Test func namesThatAreNotRestoredAreNotAskedFor() async throws {
        let folder = try TempFolder()
        let repository = try await repository(folder)
        var options = RestoreOptions()
        options.probesNames = { pairs, _ in
            Issue.record("asked for \(pairs)")
            return pairs
        }
        options.exclude = [Array("readme".utf8), Array("sub/a".utf8)]
        #expect(try await repository.restore(.latest(back: 0), to: folder.path + "/target", options: options).writtenFiles == 3)
        // A dry run tries nothing.
        options.exclude = []
        options.isDryRun = true
        _ = try await repository.restore(.latest(back: 0), to: folder.path + "/other", options: options)
    }
}
