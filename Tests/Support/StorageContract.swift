import SnapcatPlatform
import SnapcatStorage

/// What every storage must do (see `ReadableStorage` and `Storage`), each clause a check of its own.
///
/// A check gets a new, empty storage, throws `Violation` where the storage breaks the clause, and throws the
/// storage's own error where that was not to be. It knows no test framework.
package enum StorageContract: String, CaseIterable, Sendable {
    case exclusiveCreateRefusesAnExistingKey
    case ofTwoExclusiveWritersTheFirstToFinishWins
    case replacingReplaces
    case unfinishedWriteIsInvisible
    case abandonedWriteLeavesNothing
    case emptyContentIsAContent
    case rangeIsClampedToTheContent
    case largeContentReadsBackWhole
    case openReaderKeepsItsContent
    case listingIsInByteOrderOverAllPages
    case listingTakesAnyPrefix
    case missingKeyIsNotFound
    case deletedKeyIsGone
    case readFollowsWrite
    case keysAreBytes
    case cancelledTaskThrows

    package struct Violation: Error, CustomStringConvertible {
        package var description: String
    }

    package func check(_ storage: any Storage) async throws {
        switch self {
        case .exclusiveCreateRefusesAnExistingKey: try await Self.checkExclusiveCreate(storage)
        case .ofTwoExclusiveWritersTheFirstToFinishWins: try await Self.checkExclusiveRace(storage)
        case .replacingReplaces: try await Self.checkReplacing(storage)
        case .unfinishedWriteIsInvisible: try await Self.checkUnfinishedWrite(storage)
        case .abandonedWriteLeavesNothing: try await Self.checkAbandonedWrite(storage)
        case .emptyContentIsAContent: try await Self.checkEmptyContent(storage)
        case .rangeIsClampedToTheContent: try await Self.checkRanges(storage)
        case .largeContentReadsBackWhole: try await Self.checkLargeContent(storage)
        case .openReaderKeepsItsContent: try await Self.checkOpenReader(storage)
        case .listingIsInByteOrderOverAllPages: try await Self.checkListingOrder(storage)
        case .listingTakesAnyPrefix: try await Self.checkListingPrefixes(storage)
        case .missingKeyIsNotFound: try await Self.checkMissingKey(storage)
        case .deletedKeyIsGone: try await Self.checkDelete(storage)
        case .readFollowsWrite: try await Self.checkReadAfterWrite(storage)
        case .keysAreBytes: try await Self.checkOddKeys(storage)
        case .cancelledTaskThrows: try await Self.checkCancellation(storage)
        }
    }
}

/// Runs every clause, each on a storage of its own.
package func checkStorageContract(_ make: () throws -> any Storage) async throws {
    for clause in StorageContract.allCases { try await clause.check(make()) }
}

// MARK: Writing

extension StorageContract {
    static let key = StorageKey("folder/key")
    static let first = Array("the first content".utf8)
    static let second = Array("second".utf8)

    static func checkExclusiveCreate(_ storage: any Storage) async throws {
        try await storage.put(first, at: key, .exclusive)
        try await expectError(.alreadyExists, "a second exclusive create") {
            try await storage.put(second, at: key, .exclusive)
        }
        try expect(try await storage.contents(of: key) == first, "a refused create changed the content")
        try expect(
            try await storage.items(prefix: StorageKey("")).count == 1, "a refused create left something")
    }

    static func checkExclusiveRace(_ storage: any Storage) async throws {
        let winner = try await storage.create(key, .exclusive)
        let loser = try await storage.create(key, .exclusive)
        try await loser.append(second)
        try await winner.append(first)
        try await winner.finish()
        try await expectError(.alreadyExists, "the second writer's finish") { try await loser.finish() }
        await loser.abandon()
        try expect(try await storage.contents(of: key) == first, "the second writer changed the content")
        try expect(
            try await storage.items(prefix: StorageKey("")).count == 1, "the second writer left something")
    }

    static func checkReplacing(_ storage: any Storage) async throws {
        try await storage.put(first, at: key, .replacing)
        let before = try await storage.status(of: key)
        try await storage.put(second, at: key, .replacing)
        let after = try await storage.status(of: key)
        try expect(
            try await storage.contents(of: key) == second, "the old content, or a part of it, is there")
        try expect(after?.size == Int64(second.count), "status tells the old size")
        try expect(before != after, "status does not tell the contents apart")
    }

    static func checkUnfinishedWrite(_ storage: any Storage) async throws {
        try await storage.put(first, at: StorageKey("old"), .exclusive)
        for (key, expected) in [(key, nil), (StorageKey("old"), first)] {
            let writer = try await storage.create(key, .replacing)
            try await writer.append(second)
            try await expectContent(storage, key, expected, "before finish")
            try expect(
                try await storage.items(prefix: StorageKey("")).map(\.key) == [StorageKey("old")], "listed")
            try await writer.append(first)
            try await writer.finish()
            try await expectContent(storage, key, second + first, "after finish")
            try await storage.delete(key)
            if expected == nil { continue }
            try expect(try await storage.items(prefix: StorageKey("")).isEmpty, "something is left")
        }
    }

    static func checkAbandonedWrite(_ storage: any Storage) async throws {
        let writer = try await storage.create(key, .exclusive)
        try await writer.append(first)
        await writer.abandon()
        await writer.abandon()
        try await expectContent(storage, key, nil, "after abandon")
        var released: (any StorageWriter)? = try await storage.create(key, .exclusive)
        try await released?.append(first)
        released = nil
        try await expectContent(storage, key, nil, "after the writer was released")
        try expect(try await storage.items(prefix: StorageKey("")).isEmpty, "an abandoned write is listed")
        let finished = try await storage.create(key, .exclusive)
        try await finished.append(first)
        try await finished.finish()
        await finished.abandon()
        try await expectContent(storage, key, first, "after abandon of a finished write")
        let replacing = try await storage.create(key, .replacing)
        try await replacing.append(second)
        await replacing.abandon()
        try await expectContent(storage, key, first, "after abandon of a replacing write")
    }

    static func checkEmptyContent(_ storage: any Storage) async throws {
        try await storage.put([], at: key, .exclusive)
        try expect(try await storage.status(of: key)?.size == 0, "status has no empty content")
        try expect(try await storage.open(key).next() == nil, "an empty content has bytes")
        try expect(try await storage.items(prefix: key).map(\.status.size) == [0], "it is not listed")
        try await expectError(.alreadyExists, "exclusive create over an empty content") {
            try await storage.put(first, at: key, .exclusive)
        }
    }
}

// MARK: Reading

extension StorageContract {
    static func checkRanges(_ storage: any Storage) async throws {
        let content = (0..<100).map { UInt8($0) }
        try await storage.put(content, at: key, .exclusive)
        let ranges: [Range<Int64>] = [
            0..<100, 0..<1, 99..<100, 40..<60, 0..<0, 50..<50, 90..<1000, 0..<Int64.max, 99..<Int64.max,
            100..<101, 100..<100, 1000..<2000, (Int64.max - 1)..<Int64.max,
        ]
        for range in ranges {
            let found = try await readAll(storage.open(key, range: range))
            let clamped = range.clamped(to: 0..<100)
            let expected = Array(content[Int(clamped.lowerBound)..<Int(clamped.upperBound)])
            try expect(found == expected, "\(range) gave \(found.count) bytes instead of \(expected.count)")
        }
    }

    static func checkLargeContent(_ storage: any Storage) async throws {
        var random = SeededRandom()
        let content = random.bytes(1_000_003)
        let writer = try await storage.create(key, .exclusive)
        for start in stride(from: 0, to: content.count, by: 70_001) {
            try await writer.append(Array(content[start..<min(content.count, start + 70_001)]))
        }
        try await writer.finish()
        try expect(try await storage.contents(of: key) == content, "another content, \(random.label)")
        let part = try await readAll(storage.open(key, range: 65_000..<700_001))
        try expect(part == Array(content[65_000..<700_001]), "another part, \(random.label)")
        try await expectError(.failed, "a content over the limit") {
            _ = try await storage.contents(of: key, limit: 1000)
        }
    }

    static func checkOpenReader(_ storage: any Storage) async throws {
        let content = [UInt8](repeating: 1, count: 1 << 20)
        try await storage.put(content, at: key, .exclusive)
        let reader = try await storage.open(key)
        var found = try await reader.next() ?? []
        try await storage.put([UInt8](repeating: 2, count: 2 << 20), at: key, .replacing)
        while let chunk = try await reader.next() {
            try expect(!chunk.isEmpty, "an empty chunk")
            found += chunk
        }
        try expect(found == content, "a reader saw parts of two contents")
        try expect(try await reader.next() == nil, "bytes after the end")
    }

    static func checkMissingKey(_ storage: any Storage) async throws {
        for key in [key, StorageKey("a"), StorageKey("a\nb")] {
            try expect(try await storage.status(of: key) == nil, "a status")
            try await expectError(.notFound, "open") { _ = try await storage.contents(of: key) }
            try await expectError(.notFound, "delete") { try await storage.delete(key) }
            try expect(try await storage.items(prefix: key).isEmpty, "a listing")
        }
    }

    static func checkDelete(_ storage: any Storage) async throws {
        let other = StorageKey("folder/other")
        for key in [key, other] { try await storage.put(first, at: key, .exclusive) }
        try await storage.delete(key)
        try await expectContent(storage, key, nil, "after delete")
        try expect(
            try await storage.items(prefix: StorageKey("")).map(\.key) == [other], "the listing is wrong")
        try await expectError(.notFound, "a second delete") { try await storage.delete(key) }
        try await storage.put(second, at: key, .exclusive)
        try await expectContent(storage, key, second, "created again")
    }

    static func checkReadAfterWrite(_ storage: any Storage) async throws {
        for index in 0..<20 {
            let key = StorageKey("r/\(index)")
            let content = Array("content \(index)".utf8)
            try await storage.put(content, at: key, .exclusive)
            try await expectContent(storage, key, content, "after finish")
            let item = try await storage.items(prefix: key).first { $0.key == key }
            try expect(item?.status == (try await storage.status(of: key)), "listing and status differ")
        }
        try await storage.synchronize()
        try expect(try await storage.items(prefix: StorageKey("r/")).count == 20, "not all keys are listed")
    }
}
