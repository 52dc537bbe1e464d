import SnapcatCatalog
import SnapcatFormat
import SnapcatHeap
import SnapcatPlatform
import SnapcatStorage

/// What snapcat's SQL functions stand on: the connection that calls them, a clock, and the heap.
struct FunctionSupport: Sendable {
    let clock: any WallClock
    /// nil: the heap that the catalog remembers.
    let heap: Heap?

    /// A snapshot by its `id`, or by a reference as text.
    func snapshot(_ value: QueryValue, _ connection: FunctionConnection) throws -> (id: Int64, time: Int64) {
        switch value {
        case .integer(let id):
            let rows = try connection.rows("SELECT taken_at FROM snapshot_row WHERE id = :id", ["id": .integer(id)])
            guard case .integer(let time)? = rows.first?.first else {
                throw SnapcatError(.noSnapshot, "No snapshot with the id", "\(id)", advice: "see the view 'snapshot'")
            }
            return (id, time)
        case .text(let text):
            return try snapshot(try SnapshotReference.parse(TerminalText.lossy(text), clock: clock), connection)
        case .null, .real, .blob:
            throw SnapcatError(.usage, "Not a reference to a snapshot", advice: "use \(SnapshotReference.forms)")
        }
    }

    func snapshot(_ reference: SnapshotReference, _ connection: FunctionConnection) throws -> (id: Int64, time: Int64) {
        var ids: [SnapshotName: Int64] = [:]
        var candidates: [SnapshotCandidate] = []
        for row in try connection.rows("SELECT id, taken_at, status = 'damaged' FROM snapshot_row ORDER BY taken_at") {
            guard case .integer(let id) = row[0], case .integer(let time) = row[1] else { continue }
            let name = SnapshotName(time: SnapshotTime(microseconds: time))
            ids[name] = id
            candidates.append(SnapshotCandidate(name: name, isDamaged: row[2] == .integer(1)))
        }
        let name = try reference.resolve(in: candidates)
        guard let id = ids[name] else { throw SnapcatError(.noSnapshot, "No such snapshot", name.stem) }
        if candidates.contains(where: { $0.name == name && $0.isDamaged }) {
            throw SnapcatError(.damage, "The snapshot is damaged", name.stem, advice: "choose another one")
        }
        return (id, name.time.microseconds)
    }

    // MARK: Contents

    /// The content of an object; nil where the heap does not hold it. `limit` in bytes: with `cuts` the rest is left
    /// out, else a larger content is an error.
    func content(_ md5: MD5Digest, limit: Int, cuts: Bool, _ connection: FunctionConnection) throws -> [UInt8]? {
        guard let heap = try heap ?? rememberedHeap(connection) else {
            throw SnapcatError(.failed, "No heap is known", reason: "the catalog has not seen one", advice: "give --repo or --heap-root")
        }
        let source: any ByteSource
        do { source = try heap.open(md5) } catch let error as SnapcatError where error.code == .notFound { return nil }
        let hashing = HashingSource(source)
        var result: [UInt8] = []
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let count = try hashing.read(into: buffer)
            if count == 0 { break }
            if result.count + count > limit {
                guard !cuts else { return result + Array(buffer[..<(limit - result.count)]) }
                throw SnapcatError(
                    .failed, "The content is larger than \(limit) bytes", md5.description,
                    advice: "content(md5, n) gives its first n bytes; or choose smaller ones: WHERE size < \(limit)")
            }
            result.append(contentsOf: buffer[..<count])
        }
        guard hashing.digest == md5 else {
            throw SnapcatError(.damage, "Damaged object", heap.objectName(md5), reason: "its content has the md5 \(hashing.digest)")
        }
        return result
    }

    private func rememberedHeap(_ connection: FunctionConnection) throws -> Heap? {
        let rows = try connection.rows("SELECT value FROM setting WHERE key = 'heap_root'")
        guard case .text(let place)? = rows.first?.first else { return nil }
        return Heap(storage: BlockingStorage(try StorageLocation(TerminalText.lossy(place)).open()))
    }
}

extension QueryValue {
    /// Text or number as text, nil for NULL.
    var plainText: String? {
        switch self {
        case .null: nil
        case .integer(let value): String(value)
        case .real(let value): String(value)
        case .text(let bytes), .blob(let bytes): TerminalText.lossy(bytes)
        }
    }
}
