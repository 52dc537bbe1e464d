import CMD5
import SnapcatFormat

/// Takes the md5s of several contents side by side, in the lanes of the processor's vectors. One per thread.
package struct MD5Lanes {
    private var contents: [cmd5_content] = []

    package init() {}

    /// The md5 of each range of `buffer`, in their order. The more there are, and the more alike their sizes, the
    /// fuller the lanes.
    package mutating func digests(of ranges: some Sequence<Range<Int>>, in buffer: UnsafeRawBufferPointer) -> [MD5Digest] {
        contents.removeAll(keepingCapacity: true)
        for range in ranges {
            var content = cmd5_content()
            content.bytes = buffer.baseAddress?.advanced(by: range.lowerBound).assumingMemoryBound(to: UInt8.self)
            content.count = range.count
            contents.append(content)
        }
        contents.withUnsafeMutableBufferPointer { cmd5_digest($0.baseAddress, $0.count) }
        return contents.map { content in withUnsafeBytes(of: content.digest) { MD5Digest(raw: $0) } }
    }
}

extension MD5Digest {
    /// From 16 bytes of memory.
    init(raw: UnsafeRawBufferPointer) {
        self.init(
            high: UInt64(bigEndian: raw.loadUnaligned(as: UInt64.self)),
            low: UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
    }
}
