import SnapcatFormat
import SnapcatPlatform
import SnapcatStorage

/// Reads objects one after the other with the same buffers. One per thread.
package final class ObjectReader {
    private let heap: Heap
    private let buffer: UnsafeMutableRawBufferPointer
    private var gzip: GzipReader?

    package init(_ heap: Heap) throws {
        self.heap = heap
        buffer = .allocate(byteCount: 256 << 10, alignment: 64)
    }

    deinit { buffer.deallocate() }

    /// The size of the content in bytes. Throws `.damage` where it is not what its name says, `.notFound` where there
    /// is none.
    package func verify(_ md5: MD5Digest) throws -> Int64 {
        let source = try heap.storage.source(HeapLayout.key(md5))
        let name = heap.objectName(md5)
        let reader: GzipReader
        if let gzip {
            gzip.reset(source, name: name)
            reader = gzip
        } else {
            reader = try GzipReader(source, name: name)
            gzip = reader
        }
        var hasher = MD5Hasher()
        while true {
            let count = try reader.read(into: buffer)
            if count == 0 { break }
            hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
        let digest = hasher.finish()
        guard digest == md5 else {
            throw SnapcatError(.damage, "Damaged object", name, reason: "its content has the md5 \(digest)")
        }
        return hasher.byteCount
    }
}
