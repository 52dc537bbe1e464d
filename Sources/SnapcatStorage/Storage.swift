import SnapcatPlatform

/// The name of a content in a storage: bytes, `/`-separated, relative to the storage's root.
///
/// No folders are assumed: `a/b` may exist with no `a`.
public struct StorageKey: Hashable, Sendable, Comparable, CustomStringConvertible {
    public let bytes: [UInt8]

    public init(_ bytes: [UInt8]) { self.bytes = bytes }
    public init(_ text: String) { bytes = Array(text.utf8) }

    public var description: String { TerminalText.lossy(bytes) }

    /// Byte order.
    public static func < (left: StorageKey, right: StorageKey) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }
}

/// What a storage tells of a key without reading it. Two equal values mean: not changed since.
public struct StorageStatus: Hashable, Sendable {
    /// In bytes.
    public var size: Int64
    /// Nanoseconds since 1970; nil where the storage has none.
    public var mtimeNanoseconds: Int64?
    public var ctimeNanoseconds: Int64?
    public var inode: UInt64?
    /// An ETag or a generation.
    public var tag: String?

    public init(
        size: Int64, mtimeNanoseconds: Int64? = nil, ctimeNanoseconds: Int64? = nil, inode: UInt64? = nil,
        tag: String? = nil
    ) {
        self.size = size
        self.mtimeNanoseconds = mtimeNanoseconds
        self.ctimeNanoseconds = ctimeNanoseconds
        self.inode = inode
        self.tag = tag
    }
}

public struct StorageItem: Hashable, Sendable {
    public var key: StorageKey
    public var status: StorageStatus
    /// A folder, which only a listing of all things in a local storage has.
    package var isFolder = false

    public init(key: StorageKey, status: StorageStatus) {
        self.key = key
        self.status = status
    }
}

/// How storages differ, declared instead of discovered.
public struct StorageProperties: Equatable, Sendable {
    /// `create(.exclusive)` is atomic: of two writers of one key exactly one succeeds. Where false it only
    /// looks before it writes.
    public var createsExclusively: Bool
    /// Contents are durable only after `synchronize`.
    public var needsSynchronize: Bool

    public init(createsExclusively: Bool, needsSynchronize: Bool) {
        self.createsExclusively = createsExclusively
        self.needsSynchronize = needsSynchronize
    }
}

/// A content being read, in chunks.
public protocol StorageReader: AnyObject, Sendable {
    /// The next bytes, never empty; nil at the end.
    func next() async throws -> [UInt8]?
}

/// A content being written: invisible until `finish`, gone after `abandon` (or when released unfinished).
public protocol StorageWriter: AnyObject, Sendable {
    func append(_ bytes: [UInt8]) async throws
    /// Publishes the content whole. `.alreadyExists` where it was to be exclusive and the key has come into being.
    func finish() async throws
    /// Drops what was written. Does nothing after `finish`.
    func abandon() async
}

/// A listing in pages, in byte order of the keys.
public protocol StorageListing: AnyObject, Sendable {
    /// The next items, never empty; nil at the end.
    func nextPage() async throws -> [StorageItem]?
}

/// Keys to bytes, read-only.
///
/// Guarantees that every storage gives: a key that `finish` has published is seen by the next `open`, `status` and
/// listing (read after write); a content is seen whole or not at all; errors are `SnapcatError`, with `.notFound`
/// for a missing key and `isTransient` where another try may help; a cancelled task throws.
public protocol ReadableStorage: Sendable {
    /// Where this is, for messages: never with credentials.
    var place: String { get }
    /// Opens a content, or the part of it in `range` (clamped to its end).
    func open(_ key: StorageKey, range: Range<Int64>?) async throws -> any StorageReader
    /// nil where there is no such key.
    func status(of key: StorageKey) async throws -> StorageStatus?
    /// The keys that begin with `prefix`.
    func list(prefix: StorageKey) async throws -> any StorageListing
}

public enum CreateMode: Sendable {
    /// Fails with `.alreadyExists` where the key exists.
    case exclusive
    case replacing
}

/// Keys to bytes.
public protocol Storage: ReadableStorage {
    var properties: StorageProperties { get }
    /// Starts a content of unknown length.
    func create(_ key: StorageKey, _ mode: CreateMode) async throws -> any StorageWriter
    /// Removes a key. `.notFound` where there is none.
    func delete(_ key: StorageKey) async throws
    /// Makes everything durable that was finished before.
    func synchronize() async throws
    /// The local folder below this storage, where it is one: the fast path of the engine goes through it.
    var local: LocalStorage? { get }
}

extension Storage {
    public var local: LocalStorage? { nil }
    public func synchronize() async throws {}
}

extension ReadableStorage {
    public func open(_ key: StorageKey) async throws -> any StorageReader { try await open(key, range: nil) }

    /// The whole content, refused past `limit` bytes.
    public func contents(of key: StorageKey, limit: Int = 1 << 30) async throws -> [UInt8] {
        let reader = try await open(key)
        var result: [UInt8] = []
        while let chunk = try await reader.next() {
            guard result.count + chunk.count <= limit else {
                throw SnapcatError(.failed, "Cannot read", key.description, reason: "larger than \(limit) bytes")
            }
            result += chunk
        }
        return result
    }

    /// All items below a prefix, for listings that are known to be small.
    public func items(prefix: StorageKey) async throws -> [StorageItem] {
        let listing = try await list(prefix: prefix)
        var result: [StorageItem] = []
        while let page = try await listing.nextPage() { result += page }
        return result
    }
}

extension Storage {
    /// Writes a whole content.
    public func put(_ bytes: [UInt8], at key: StorageKey, _ mode: CreateMode) async throws {
        let writer = try await create(key, mode)
        do {
            if !bytes.isEmpty { try await writer.append(bytes) }
            try await writer.finish()
        } catch {
            await writer.abandon()
            throw error
        }
    }
}
