import SnapcatPlatform

/// A storage for the engine's own threads: every call blocks.
///
/// A local storage is called directly; any other one asynchronously, while the calling thread waits. Never to be
/// used from Swift's thread pool.
package struct BlockingStorage: Sendable {
    package let base: any Storage

    package init(_ base: any Storage) { self.base = base }

    package var place: String { base.place }

    package func source(_ key: StorageKey) throws -> any ByteSource {
        if let local = base.local { return try local.source(key) }
        let base = base
        return BlockingSource(try WorkerThread.wait { try await base.open(key, range: nil) })
    }

    package func status(of key: StorageKey) throws -> StorageStatus? {
        if let local = base.local { return try local.statusNow(of: key) }
        let base = base
        return try WorkerThread.wait { try await base.status(of: key) }
    }

    /// Whether anything has the name, were it no file that can be read.
    package func isOccupied(_ key: StorageKey) throws -> Bool {
        if let local = base.local { return try local.isOccupiedNow(key) }
        return try status(of: key) != nil
    }

    /// `mostComponents`: longer keys are left out. `alsoOthers`: of a local storage also what stands in the place of
    /// files: folders, pipes, links to nothing.
    package func items(
        prefix: StorageKey, mostComponents: Int = .max, alsoOthers: Bool = false
    ) throws -> [StorageItem] {
        if let local = base.local {
            return try local.itemsNow(prefix: prefix, mostComponents: mostComponents, alsoOthers: alsoOthers)
        }
        let base = base
        return try WorkerThread.wait { try await base.items(prefix: prefix) }.filter { item in
            item.key.bytes.count { $0 == UInt8(ascii: "/") } < mostComponents
        }
    }

    package func delete(_ key: StorageKey) throws {
        if let local = base.local { return try local.deleteNow(key) }
        let base = base
        try WorkerThread.wait { try await base.delete(key) }
    }

    /// Gives a content another key, which must not exist (`.alreadyExists`). Where the storage cannot rename, as to
    /// another file system, it is copied whole before the old key goes: a crash leaves one of them or both, never none.
    /// Of a symlink to a file the content is moved, and what the link leads to stays.
    package func move(_ from: StorageKey, to: StorageKey) throws {
        if let local = base.local, try local.moveNow(from, to: to) { return }
        try copyWhole(from, to: to)
        try delete(from)
    }

    /// Gives a content a second key, which must not exist (`.alreadyExists`): whatever then replaces or deletes one of
    /// them, the other stays. A hard link where there can be one.
    package func copy(_ from: StorageKey, to: StorageKey) throws {
        if let local = base.local, try local.linkNow(from, to: to) { return }
        try copyWhole(from, to: to)
    }

    private func copyWhole(_ from: StorageKey, to: StorageKey) throws {
        let source = try source(from)
        try write(to, .exclusive) { sink in
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
            defer { buffer.deallocate() }
            while true {
                let count = try source.read(into: buffer)
                if count == 0 { break }
                try sink.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            }
        }
    }

    /// Writes a content from what `body` pushes; nothing is left behind where it throws.
    package func write(_ key: StorageKey, _ mode: CreateMode, _ body: (any ByteSink) throws -> Void) throws {
        if let local = base.local {
            let sink = try local.sink(key, mode)
            do {
                try body(sink)
                try sink.publish()
            } catch {
                sink.abandon()
                throw error
            }
            return
        }
        let base = base
        let writer = try WorkerThread.wait { try await base.create(key, mode) }
        do {
            try body(BlockingSink(writer))
            try WorkerThread.wait { try await writer.finish() }
        } catch {
            try WorkerThread.wait { await writer.abandon() }
            throw error
        }
    }
}

private final class BlockingSource: ByteSource {
    private let reader: any StorageReader
    private var chunk: ArraySlice<UInt8> = []

    init(_ reader: any StorageReader) { self.reader = reader }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        if chunk.isEmpty {
            let reader = reader
            guard let next = try WorkerThread.wait({ try await reader.next() }) else { return 0 }
            chunk = next[...]
        }
        let part = chunk.prefix(buffer.count)
        part.withUnsafeBytes { buffer.copyMemory(from: $0) }
        chunk = chunk.dropFirst(part.count)
        return part.count
    }
}

private final class BlockingSink: ByteSink {
    private let writer: any StorageWriter

    init(_ writer: any StorageWriter) { self.writer = writer }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        let writer = writer
        let copy = Array(bytes)
        try WorkerThread.wait { try await writer.append(copy) }
    }
}
