import SnapcatPlatform
import SnapcatStorage

// MARK: Keys

extension StorageContract {
    /// Keys that sort differently by component, by character and by byte, and hold all that a file name can.
    static let oddKeys: [StorageKey] =
        [
            "a-b", "a/b", "a/b-c", "a/c/d", "a.b", "a0", "A", "~", " ", "  x ", "-rf", ".hidden", "x..",
            "...", "*?[",
            "100%41", "q\"'\\", "é", "e\u{301}", "€", "😀", "con:aux", "line\nbreak", "tab\t\u{7f}\u{1}",
            "ab/.cd/..e",
        ].map { StorageKey($0) }
        + [
            StorageKey([0xff]), StorageKey([0x61, 0xc3]), StorageKey([0xed, 0xa0, 0x80]),
            StorageKey([UInt8](repeating: 0x6e, count: 200)),
        ]

    static func checkListingOrder(_ storage: any Storage) async throws {
        for key in oddKeys.reversed() { try await storage.put([UInt8(key.bytes.count)], at: key, .exclusive) }
        let listing = try await storage.list(prefix: StorageKey(""))
        var found: [StorageItem] = []
        while let page = try await listing.nextPage() {
            try expect(!page.isEmpty, "an empty page")
            found += page
        }
        try expect(try await listing.nextPage() == nil, "a page after the end")
        try expect(
            found.map(\.key) == oddKeys.sorted(),
            "keys are missing, or not in byte order: \(found.map(\.key))")
        try expect(found.allSatisfy { $0.status.size == 1 }, "a size is wrong")
    }

    static func checkListingPrefixes(_ storage: any Storage) async throws {
        let keys = ["a/b", "a/bc", "a/c/d/e", "a/c/de", "ab", "b", "c/\u{e9}"].map { StorageKey($0) }
        for key in keys { try await storage.put(first, at: key, .exclusive) }
        for prefix in [
            "", "a", "a/", "a/b", "a/c", "a/c/", "a/c/d", "a/c/d/", "a/c/d/e", "a/c/d/e/f", "ab", "b/", "c/",
            "x",
        ] {
            let expected = keys.filter { $0.bytes.starts(with: prefix.utf8) }.sorted()
            let found = try await storage.items(prefix: StorageKey(prefix)).map(\.key)
            try expect(found == expected, "the prefix '\(prefix)' gave \(found)")
        }
        let half = StorageKey(Array("c/".utf8) + [0xc3])
        try expect(try await storage.items(prefix: half).count == 1, "a prefix may end within a character")
    }

    static func checkOddKeys(_ storage: any Storage) async throws {
        for (index, key) in oddKeys.enumerated() {
            try await storage.put([UInt8(index)], at: key, .exclusive)
        }
        for (index, key) in oddKeys.enumerated() {
            try await expectContent(storage, key, [UInt8(index)], "as written")
            try await storage.delete(key)
            try await expectContent(storage, key, nil, "deleted")
        }
        try expect(try await storage.items(prefix: StorageKey("")).isEmpty, "something is left")
    }
}

// MARK: Cancellation

extension StorageContract {
    static func checkCancellation(_ storage: any Storage) async throws {
        try await storage.put(first, at: key, .exclusive)
        let reader = try await storage.open(key)
        let listing = try await storage.list(prefix: StorageKey(""))
        let (written, unwritten) = (StorageKey("written"), StorageKey("unwritten"))
        let writer = try await storage.create(written, .exclusive)
        let operations: [(String, @Sendable () async throws -> Void)] = [
            ("open", { _ = try await storage.open(key) }),
            ("status", { _ = try await storage.status(of: key) }),
            ("list", { _ = try await storage.list(prefix: StorageKey("")) }),
            ("create", { _ = try await storage.create(unwritten, .exclusive) }),
            ("put", { try await storage.put(first, at: unwritten, .exclusive) }),
            ("delete", { try await storage.delete(key) }),
            ("next", { _ = try await reader.next() }),
            ("nextPage", { _ = try await listing.nextPage() }),
            ("append", { try await writer.append(first) }),
            ("finish", { try await writer.finish() }),
        ]
        for (name, operation) in operations {
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                do { try await operation() } catch { return true }
                return false
            }
            try expect(await task.value, "a cancelled \(name) does not throw")
        }
        await writer.abandon()
        try await expectContent(storage, key, first, "after a cancelled delete")
        try expect(
            try await storage.items(prefix: StorageKey("")).map(\.key) == [key], "a cancelled write is listed"
        )
    }
}

// MARK: Expectations

extension StorageContract {
    static func expect(_ holds: Bool, _ message: @autoclosure () -> String) throws {
        if !holds { throw Violation(description: message()) }
    }

    /// A content as all three ways to look at a key tell it; nil for a key that must not be there.
    static func expectContent(
        _ storage: any Storage, _ key: StorageKey, _ expected: [UInt8]?, _ when: String
    ) async throws {
        let size = try await storage.status(of: key)?.size
        try expect(size == expected.map { Int64($0.count) }, "\(when) the status of '\(key)' is wrong")
        let listed = try await storage.items(prefix: key).contains { $0.key == key }
        try expect(listed == (expected != nil), "\(when) the listing is wrong about '\(key)'")
        guard let expected else {
            return try await expectError(.notFound, "\(when) open") {
                _ = try await storage.contents(of: key)
            }
        }
        try expect(try await storage.contents(of: key) == expected, "\(when) '\(key)' has another content")
    }

    /// The error is one line with this code.
    static func expectError(
        _ code: SnapcatError.Code, _ what: String, _ body: () async throws -> Void
    ) async throws {
        do { try await body() } catch let error as SnapcatError {
            try expect(error.code == code, "\(what) threw \(error.code) instead of \(code)")
            return try expect(!error.description.contains("\n"), "\(what) has an error of several lines")
        }
        throw Violation(description: "\(what) does not throw")
    }

    static func readAll(_ reader: any StorageReader) async throws -> [UInt8] {
        var result: [UInt8] = []
        while let chunk = try await reader.next() { result += chunk }
        return result
    }
}
