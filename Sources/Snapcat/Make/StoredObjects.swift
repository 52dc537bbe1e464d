import SnapcatCatalog
import SnapcatFormat
import SnapcatPlatform

/// The objects that a run has stored, for the catalog: 24 bytes each, in a temporary file where they are many.
final class StoredObjects {
    private let records: SpooledBytes
    private let mostInPart: Int
    private var count = 0
    /// False where the temporary folder took no more: the next run finds the others by listing the heap.
    private(set) var isComplete = true

    private static let recordBytes = 24

    /// `mostInMemory`: bytes. `mostInPart`: about so many objects are given out at a time.
    init(mostInMemory: Int = 4 << 20, mostInPart: Int = 250_000) {
        records = SpooledBytes(mostInMemory: mostInMemory)
        self.mostInPart = mostInPart
    }

    func append(_ object: StoredObject) {
        guard isComplete else { return }
        let record = (object.md5.high, object.md5.low, object.storedBytes)
        do {
            try withUnsafeBytes(of: record) { try records.write($0) }
            count += 1
        } catch { isComplete = false }
    }

    /// Calls `body` with all of them in the order of their md5s, a part at a time, so that memory stays bounded.
    ///
    /// Each part is a pass over all records: of 10 million objects, 40 of 240 MB.
    func forEachPart(_ body: ([StoredObject]) throws -> Void) throws {
        let parts = count / mostInPart + 1
        for part in 0..<parts { try body(try objects(inPart: part, of: parts)) }
    }

    /// A part is a range of md5s, which are spread evenly.
    private func objects(inPart part: Int, of parts: Int) throws -> [StoredObject] {
        var objects: [StoredObject] = []
        let source = records.source()
        var buffer = [UInt8](repeating: 0, count: Self.recordBytes * 4096)
        while true {
            let count = try buffer.withUnsafeMutableBytes { buffer in
                let count = try source.fill(buffer)
                for offset in stride(from: 0, to: count, by: Self.recordBytes) {
                    let (high, low, storedBytes) = buffer.loadUnaligned(fromByteOffset: offset, as: (UInt64, UInt64, Int64).self)
                    guard high.multipliedFullWidth(by: UInt64(parts)).high == UInt64(part) else { continue }
                    objects.append(StoredObject(md5: MD5Digest(high: high, low: low), storedBytes: storedBytes))
                }
                return count
            }
            if count < buffer.count { break }
        }
        objects.sort { $0.md5 < $1.md5 }
        return objects
    }
}
