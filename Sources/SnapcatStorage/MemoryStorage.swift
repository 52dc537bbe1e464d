import SnapcatPlatform
import Synchronization

/// A storage in memory: for tests, and for `memory://` roots.
public final class MemoryStorage: Storage {
    private struct Content: Sendable {
        var bytes: [UInt8]
        var generation: Int
    }

    private struct State: Sendable {
        var contents: [StorageKey: Content] = [:]
        var generation = 0
    }

    private let state = Mutex(State())
    public let place: String
    /// Items per page of a listing: small in tests, so that paging is exercised.
    private let pageSize: Int

    public init(place: String = "memory://", pageSize: Int = 1000) {
        self.place = place
        self.pageSize = pageSize
    }

    public var properties: StorageProperties {
        StorageProperties(createsExclusively: true, needsSynchronize: false)
    }

    public func open(_ key: StorageKey, range: Range<Int64>?) async throws -> any StorageReader {
        try Task.checkCancellation()
        let bytes = try state.withLock { state in
            guard let content = state.contents[key] else {
                throw SnapcatError(.notFound, "No such key", "\(place)\(key)")
            }
            return content.bytes
        }
        guard let range else { return MemoryReader(bytes) }
        let clamped = range.clamped(to: 0..<Int64(bytes.count))
        return MemoryReader(Array(bytes[Int(clamped.lowerBound)..<Int(clamped.upperBound)]))
    }

    public func status(of key: StorageKey) async throws -> StorageStatus? {
        try Task.checkCancellation()
        return state.withLock { $0.contents[key].map(Self.status) }
    }

    private static func status(_ content: Content) -> StorageStatus {
        StorageStatus(size: Int64(content.bytes.count), tag: String(content.generation))
    }

    public func list(prefix: StorageKey) async throws -> any StorageListing {
        try Task.checkCancellation()
        let items = state.withLock { state in
            state.contents.filter { $0.key.bytes.starts(with: prefix.bytes) }
                .map { StorageItem(key: $0.key, status: Self.status($0.value)) }
        }
        return ArrayListing(items.sorted { $0.key < $1.key }, pageSize: pageSize)
    }

    public func create(_ key: StorageKey, _ mode: CreateMode) async throws -> any StorageWriter {
        try Task.checkCancellation()
        if mode == .exclusive { try state.withLock { try refuseExisting(key, $0) } }
        return MemoryWriter { [self] bytes in
            try state.withLock { state in
                if mode == .exclusive { try refuseExisting(key, state) }
                state.generation += 1
                state.contents[key] = Content(bytes: bytes, generation: state.generation)
            }
        }
    }

    private func refuseExisting(_ key: StorageKey, _ state: State) throws {
        if state.contents[key] != nil {
            throw SnapcatError(.alreadyExists, "Key exists", "\(place)\(key)")
        }
    }

    public func delete(_ key: StorageKey) async throws {
        try Task.checkCancellation()
        guard state.withLock({ $0.contents.removeValue(forKey: key) }) != nil else {
            throw SnapcatError(.notFound, "No such key", "\(place)\(key)")
        }
    }
}

/// A listing that is known from the start, handed out in pages.
package final class ArrayListing: StorageListing {
    private let rest: Mutex<ArraySlice<StorageItem>>
    private let pageSize: Int

    package init(_ items: [StorageItem], pageSize: Int) {
        rest = Mutex(items[...])
        self.pageSize = pageSize
    }

    package func nextPage() async throws -> [StorageItem]? {
        try Task.checkCancellation()
        return rest.withLock { rest in
            let page = Array(rest.prefix(pageSize))
            rest = rest.dropFirst(pageSize)
            return page.isEmpty ? nil : page
        }
    }
}

private final class MemoryReader: StorageReader {
    private let rest: Mutex<ArraySlice<UInt8>>

    init(_ bytes: [UInt8]) { rest = Mutex(bytes[...]) }

    func next() async throws -> [UInt8]? {
        try Task.checkCancellation()
        return rest.withLock { rest in
            let chunk = Array(rest.prefix(64 << 10))
            rest = rest.dropFirst(chunk.count)
            return chunk.isEmpty ? nil : chunk
        }
    }
}

private final class MemoryWriter: StorageWriter {
    private let bytes = Mutex<[UInt8]>([])
    private let publish: @Sendable ([UInt8]) throws -> Void

    init(publish: @escaping @Sendable ([UInt8]) throws -> Void) { self.publish = publish }

    func append(_ new: [UInt8]) async throws {
        try Task.checkCancellation()
        bytes.withLock { $0 += new }
    }

    func finish() async throws {
        try Task.checkCancellation()
        try publish(bytes.withLock { $0 })
    }

    func abandon() async { bytes.withLock { $0 = [] } }
}
