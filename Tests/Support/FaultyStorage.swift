import SnapcatPlatform
import SnapcatStorage
import Synchronization

/// A storage whose n-th call of a kind fails, once or from then on.
package final class FaultyStorage: Storage {
    package enum Call: String, CaseIterable, Sendable {
        case open, read, status, list, page, create, append, finish, delete, synchronize
    }

    package struct Fault: Sendable, CustomStringConvertible {
        package var call: Call
        /// From 1.
        package var number: Int
        package var forever: Bool
        /// The call is done all the same: only its answer is lost.
        package var isDone: Bool

        package init(_ call: Call, number: Int, forever: Bool, isDone: Bool = false) {
            (self.call, self.number, self.forever, self.isDone) = (call, number, forever, isDone)
        }

        package var description: String { "\(call) \(number)\(forever ? " for ever" : "")\(isDone ? ", done" : "")" }
    }

    private struct State: Sendable {
        var fault: Fault?
        var counts: [Call: Int] = [:]
    }

    private let base: any Storage
    private let state = Mutex(State())

    package init(_ base: any Storage) { self.base = base }

    /// What is to fail from now on; nil: nothing. Counting starts anew.
    package func arm(_ fault: Fault?) { state.withLock { $0 = State(fault: fault) } }

    package var counts: [Call: Int] { state.withLock { $0.counts } }

    package var place: String { base.place }
    package var properties: StorageProperties { base.properties }

    /// Does a call, or not.
    fileprivate func perform<R>(_ call: Call, _ body: () async throws -> R) async throws -> R {
        let fault = state.withLock { state -> Fault? in
            state.counts[call, default: 0] += 1
            guard let fault = state.fault, fault.call == call, let count = state.counts[call] else { return nil }
            return count == fault.number || fault.forever && count > fault.number ? fault : nil
        }
        guard let fault else { return try await body() }
        if fault.isDone { _ = try await body() }
        throw SnapcatError(.failed, "Cannot \(call)", base.place, reason: "the test says so")
    }

    package func open(_ key: StorageKey, range: Range<Int64>?) async throws -> any StorageReader {
        FaultyReader(self, try await perform(.open) { try await base.open(key, range: range) })
    }

    package func status(of key: StorageKey) async throws -> StorageStatus? { try await perform(.status) { try await base.status(of: key) } }

    package func list(prefix: StorageKey) async throws -> any StorageListing {
        FaultyListing(self, try await perform(.list) { try await base.list(prefix: prefix) })
    }

    package func create(_ key: StorageKey, _ mode: CreateMode) async throws -> any StorageWriter {
        FaultyWriter(self, try await perform(.create) { try await base.create(key, mode) })
    }

    package func delete(_ key: StorageKey) async throws { try await perform(.delete) { try await base.delete(key) } }
    package func synchronize() async throws { try await perform(.synchronize) { try await base.synchronize() } }
}

private final class FaultyReader: StorageReader {
    private let storage: FaultyStorage
    private let base: any StorageReader
    init(_ storage: FaultyStorage, _ base: any StorageReader) { (self.storage, self.base) = (storage, base) }
    func next() async throws -> [UInt8]? { try await storage.perform(.read) { try await base.next() } }
}

private final class FaultyListing: StorageListing {
    private let storage: FaultyStorage
    private let base: any StorageListing
    init(_ storage: FaultyStorage, _ base: any StorageListing) { (self.storage, self.base) = (storage, base) }
    func nextPage() async throws -> [StorageItem]? { try await storage.perform(.page) { try await base.nextPage() } }
}

private final class FaultyWriter: StorageWriter {
    private let storage: FaultyStorage
    private let base: any StorageWriter
    init(_ storage: FaultyStorage, _ base: any StorageWriter) { (self.storage, self.base) = (storage, base) }
    func append(_ bytes: [UInt8]) async throws { try await storage.perform(.append) { try await base.append(bytes) } }
    func finish() async throws { try await storage.perform(.finish) { try await base.finish() } }
    func abandon() async { await base.abandon() }
}
