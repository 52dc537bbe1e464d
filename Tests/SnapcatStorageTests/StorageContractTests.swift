import CPlatform
import SnapcatPlatform
import SnapcatTestSupport
import SystemPackage
import Testing

@testable import SnapcatStorage

/// The storages of this package.
private enum Kind: CaseIterable, Sendable {
    case memory, local

    /// A new, empty storage. `folder` is where a local one lives.
    func make(_ folder: TempFolder) -> any Storage {
        switch self {
        // Small pages, so that paging is exercised.
        case .memory: MemoryStorage(pageSize: 2)
        case .local: LocalStorage(root: folder.path)
        }
    }
}

/// Every clause of the contract on every storage.
@Suite struct StorageContractTests {
    @Test(arguments: Kind.allCases, StorageContract.allCases)
    private func theStorageKeepsTheContract(_ kind: Kind, _ clause: StorageContract) async throws {
        try await clause.check(kind.make(TempFolder()))
    }
}

/// What only a folder can do, and must not.
@Suite struct LocalStorageTests {
    private let folder: TempFolder
    private let storage: LocalStorage

    init() throws {
        folder = try TempFolder()
        storage = LocalStorage(root: folder.path + "/storage")
    }

    @Test(arguments: [
        "..", "../x", "a/../x", "a/..", ".", "./x", "a/./x", "", "/", "/etc/passwd", "a//b", "a/", "/a",
        "nul\u{0}x",
    ])
    func aKeyThatIsNoPathBelowTheRootIsRefused(_ text: String) async throws {
        let key = StorageKey(text)
        try folder.write("x", [1])
        let operations: [() async throws -> Void] = [
            { [storage] in _ = try await storage.open(key) },
            { [storage] in _ = try await storage.status(of: key) },
            { [storage] in _ = try await storage.create(key, .replacing) },
            { [storage] in try await storage.delete(key) },
        ]
        for operation in operations {
            let error = await #expect(throws: SnapcatError.self) { try await operation() }
            #expect(error?.code == .usage)
        }
        #expect(try folder.files() == [Array("x".utf8)])
    }

    @Test func aListingNeverLeavesTheRoot() async throws {
        try folder.write("storage/a", [1])
        try folder.write("other/secret", [1])
        for prefix in ["..", "/", "//other/", "a/../../other/"] {
            #expect(try await storage.items(prefix: StorageKey(prefix)).isEmpty, "prefix '\(prefix)'")
        }
        for prefix in ["../", "../other/", "../other/s", "./"] {
            let keys = try await storage.items(prefix: StorageKey(prefix)).map(\.key)
            #expect(keys.isEmpty, "prefix '\(prefix)'")
        }
    }

    @Test func aWriteThatIsNotFinishedLeavesNoFile() async throws {
        for mode in [CreateMode.exclusive, .replacing] {
            let writer = try await storage.create(StorageKey("a/b"), mode)
            try await writer.append([1, 2, 3])
            #expect(try folder.files().count == 1)
            await writer.abandon()
            #expect(try folder.files() == [])
            var released: (any StorageWriter)? = try await storage.create(StorageKey("a/b"), mode)
            try await released?.append([1, 2, 3])
            released = nil
            #expect(try folder.files() == [])
        }
    }

    @Test func aRefusedWriteLeavesNoFile() async throws {
        let key = StorageKey("a/b")
        let loser = try await storage.create(key, .exclusive)
        try await storage.put([1], at: key, .exclusive)
        await #expect(throws: SnapcatError.self) { try await loser.finish() }
        await loser.abandon()
        await #expect(throws: SnapcatError.self) { try await storage.put([2], at: key, .exclusive) }
        #expect(try folder.files() == [Array("storage/a/b".utf8)])
        #expect(try folder.read("storage/a/b") == [1])
    }

    @Test func onlyTheExactPatternIsATemporaryName() {
        for _ in 0..<100 { #expect(LocalSink.isTemporary(LocalSink.temporaryName())) }
        let others = ["", "0123456789abcde", "0123456789abcdef0", "0123456789abcdeF", "0123456789abcdeg", "0123456789abcde/"]
        for other in others { #expect(!LocalSink.isTemporary(Array(".snapcat-tmp-\(other)".utf8)), "\(other)") }
    }

    @Test func temporaryFilesAreNeverListed() async throws {
        try folder.write(Array("storage/a/".utf8) + LocalSink.temporaryName(), [1])
        try folder.write("storage/a/b", [1])
        let writer = try await storage.create(StorageKey("a/c"), .exclusive)
        try await writer.append([1])
        for prefix in ["", "a", "a/", "a/.", "a/.snapcat-tmp-"] {
            let keys = try await storage.items(prefix: StorageKey(prefix)).map(\.key)
            #expect(keys == ("a/b".hasPrefix(prefix) ? [StorageKey("a/b")] : []), "prefix '\(prefix)'")
        }
        await writer.abandon()
    }

    @Test func foldersAndOtherFilesAreNoKeys() async throws {
        try folder.write("storage/a/b", [1])
        try FolderOperations.makeFolders(folder.path("storage/empty"))
        let root = try Descriptor.open(folder.path("storage"), [.read, .folder])
        try FolderOperations.makeSymbolicLink(
            Array("dangling".utf8), in: root.raw, destination: Array("none".utf8))
        try FolderOperations.makeSymbolicLink(
            Array("link".utf8), in: root.raw, destination: Array("a/b".utf8))
        #expect(try await storage.status(of: StorageKey("a")) == nil)
        #expect(try await storage.status(of: StorageKey("dangling")) == nil)
        #expect(try await storage.status(of: StorageKey("link"))?.size == 1)
        #expect(
            try await storage.items(prefix: StorageKey("")).map(\.key)
                == ["a/b", "link"].map { StorageKey($0) })
    }

    @Test func aPublishedFileIsWholeInItsPlace() async throws {
        var random = SeededRandom()
        let content = random.bytes(300_000)
        try await storage.put(content, at: StorageKey("2026/11/x.gz"), .exclusive)
        #expect(try folder.files() == [Array("storage/2026/11/x.gz".utf8)])
        #expect(try folder.read("storage/2026/11/x.gz") == content, "\(random.label)")
        #expect(try LocalSource.open(folder.path("storage/2026/11/x.gz")).status().size == 300_000)
    }

    @Test func aRootThatIsMissingIsEmptyAndMadeByTheFirstWrite() async throws {
        #expect(try await storage.items(prefix: StorageKey("")).isEmpty)
        #expect(try await storage.status(of: StorageKey("x")) == nil)
        try await storage.put([1], at: StorageKey("x"), .exclusive)
        #expect(try folder.files() == [Array("storage/x".utf8)])
    }

    @Test func slashesAtTheEndOfTheRootDoNotCount() {
        #expect(LocalStorage(root: "/a/b//").root == Array("/a/b".utf8))
        #expect(LocalStorage(root: "/").root == Array("/".utf8))
    }

    /// root may write everywhere.
    @Test(.enabled(if: cplatform_is_root() == 0))
    func anErrorOfAFolderThatCannotBeWrittenIsOneLineWithAdvice() async throws {
        try folder.write("storage/a/b", [1])
        let read = try Descriptor.open(folder.path("storage/a"), [.read, .folder])
        try FolderOperations.setMode(0o500, of: read)
        let key = StorageKey("a/new\nline")
        let error = await #expect(throws: SnapcatError.self) {
            try await storage.put([1], at: key, .exclusive)
        }
        #expect(error?.code == .failed)
        #expect(error?.description.contains("\n") == false)
        #expect(error?.description.contains("(check the owner and mode)") == true)
        #expect(error?.errorNumber == Errno.permissionDenied.rawValue)
    }

    @Test func anErrorOfAFileInAFoldersPlaceIsOneLine() async throws {
        try folder.write("storage/a", [1])
        for name in ["a/b", "a/b/c", "a/new\nline"] {
            let key = StorageKey(name)
            let error = await #expect(throws: SnapcatError.self) {
                try await storage.put([1], at: key, .exclusive)
            }
            #expect(error?.description.contains("\n") == false)
            #expect(error?.description.hasPrefix("Cannot make the folder '\(folder.path)/storage/a") == true)
        }
        #expect(try folder.read("storage/a") == [1])
    }
}
