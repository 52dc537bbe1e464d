import Crypto
import SnapcatFormat
import SnapcatPlatform

/// md5 of a stream. md5 is a name here, not a defence (RELIABILITY.md 8).
package struct MD5Hasher {
    private var state = Insecure.MD5()
    /// Bytes so far.
    package private(set) var byteCount: Int64 = 0

    package init() {}

    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        state.update(bufferPointer: bytes)
        byteCount += Int64(bytes.count)
    }

    package func finish() -> MD5Digest {
        state.finalize().withUnsafeBytes { MD5Digest(raw: $0) }
    }

    package static func digest(_ bytes: UnsafeRawBufferPointer) -> MD5Digest {
        var hasher = MD5Hasher()
        hasher.update(bytes)
        return hasher.finish()
    }
}

/// Passes bytes through and knows their md5 at the end.
package final class HashingSource: ByteSource {
    private let source: any ByteSource
    private var hasher = MD5Hasher()

    package init(_ source: any ByteSource) { self.source = source }

    package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let count = try source.read(into: buffer)
        hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        return count
    }

    /// The md5 of what was read so far.
    package var digest: MD5Digest { hasher.finish() }
    package var byteCount: Int64 { hasher.byteCount }
}
