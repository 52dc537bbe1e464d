import SnapcatFormat
import SnapcatPlatform
import SnapcatStorage

/// Reads objects with the same buffers and compares their md5s with their names. One per thread.
///
/// Small contents are inflated into one buffer, several of them, before they are hashed.
package final class ObjectReader {
    /// A content as `read` gives it out.
    package enum Content {
        /// All of it, and it is what its name says. Valid for the call only.
        case whole(UnsafeRawBufferPointer)
        /// Too large to be held: `stream`, to be called at once, gives it out.
        case large
    }

    /// Contents that are smaller are held whole.
    package static let smallBytes = 256 << 10
    private static let bufferBytes = 2 << 20

    private let heap: Heap
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bufferBytes, alignment: 64)
    private let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 64)
    private var gzip: GzipReader?
    private var large: (md5: MD5Digest, start: UnsafeRawBufferPointer)?

    /// In the buffer, not yet hashed.
    private struct Held { var index: Int; var md5: MD5Digest; var range: Range<Int> }
    private var held: [Held] = []
    private var lanes = MD5Lanes()

    package init(_ heap: Heap) { self.heap = heap }

    deinit {
        buffer.deallocate()
        chunk.deallocate()
    }

    /// Gives out every one of the contents, by its index; small ones later than they come. `.damage` where one is not
    /// what its name says, `.notFound` where there is none. What `take` throws ends it.
    package func read(
        _ objects: [MD5Digest], _ take: (Int, Result<Content, SnapcatError>) throws -> Void
    ) throws {
        held.removeAll(keepingCapacity: true)
        for (index, md5) in objects.enumerated() {
            var start = held.last?.range.upperBound ?? 0
            if buffer.count - start < Self.smallBytes {
                try giveHeld(take)
                start = 0
            }
            let room = UnsafeMutableRawBufferPointer(rebasing: buffer[start..<start + Self.smallBytes])
            do {
                let count = try begin(md5, into: room)
                if count < room.count {
                    held.append(Held(index: index, md5: md5, range: start..<start + count))
                    continue
                }
            } catch let error as SnapcatError where error.code != .interrupted {
                try take(index, .failure(error))
                continue
            }
            large = (md5, UnsafeRawBufferPointer(room))
            try take(index, .success(.large))
        }
        try giveHeld(take)
    }

    /// Gives out the large content that `read` has just met, part by part, and returns its size in bytes. Throws
    /// `.damage`, after the last part at the latest, where it is not what its name says.
    package func stream(_ body: (UnsafeRawBufferPointer) throws -> Void) throws -> Int64 {
        guard let gzip, let (md5, start) = large else {
            throw SnapcatError(.failed, "No object is being read")
        }
        large = nil
        var hasher = MD5Hasher()
        hasher.update(start)
        try body(start)
        while true {
            let count = try gzip.read(into: chunk)
            if count == 0 { break }
            let part = UnsafeRawBufferPointer(rebasing: chunk[..<count])
            hasher.update(part)
            try body(part)
        }
        let digest = hasher.finish()
        if digest != md5 { throw wrongContent(md5, digest) }
        return hasher.byteCount
    }

    /// Inflates the start of an object; less than there is room for only where that is all.
    private func begin(_ md5: MD5Digest, into room: UnsafeMutableRawBufferPointer) throws -> Int {
        try open(md5).fill(room)
    }

    private func open(_ md5: MD5Digest) throws -> GzipReader {
        let source = try heap.source(md5)
        let name = heap.objectName(md5)
        if let gzip {
            gzip.reset(source, name: name)
            return gzip
        }
        let new = try GzipReader(source, name: name)
        gzip = new
        return new
    }

    /// All that is held is hashed at once, side by side.
    private func giveHeld(_ take: (Int, Result<Content, SnapcatError>) throws -> Void) throws {
        let digests = lanes.digests(of: held.lazy.map(\.range), in: UnsafeRawBufferPointer(buffer))
        for (object, digest) in zip(held, digests) {
            let content = UnsafeRawBufferPointer(rebasing: buffer[object.range])
            let isGood = digest == object.md5
            try take(object.index, isGood ? .success(.whole(content)) : .failure(wrongContent(object.md5, digest)))
        }
        held.removeAll(keepingCapacity: true)
    }

    private func wrongContent(_ md5: MD5Digest, _ digest: MD5Digest) -> SnapcatError {
        SnapcatError(
            .damage, "Damaged object", heap.objectName(md5), reason: "its content has the md5 \(digest)")
    }
}
