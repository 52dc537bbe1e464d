import SnapcatFormat
import SnapcatPlatform
import SystemPackage

/// Contents of small files, read one after the other into one buffer. Their md5s are taken side by side, in the
/// lanes of the processor's vectors. One per thread.
package final class ContentBatch {
    private let buffer: UnsafeMutableRawBufferPointer
    private var ranges: [Range<Int>] = []
    private var lanes = MD5Lanes()

    /// Larger contents do not fit.
    package static let largestContent = 4 << 20

    package init() { buffer = .allocate(byteCount: Self.largestContent, alignment: 64) }

    deinit { buffer.deallocate() }

    package var count: Int { ranges.count }
    private var filled: Int { ranges.last?.upperBound ?? 0 }

    package subscript(_ index: Int) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: buffer[ranges[index]]) }

    /// Reads a file that is said to have so many bytes and no more of it: one that has grown shows by its size.
    ///
    /// Returns the number of bytes that were there. nil where there is no room; the file's position is then anywhere.
    package func read(_ file: Descriptor, expectedSize: Int64) throws(Errno) -> Int64? {
        let start = filled
        guard expectedSize <= Int64(buffer.count - start) else { return nil }
        // An empty file may hold something, as those of /proc do: only reading to the end tells.
        let limit = expectedSize > 0 ? start + Int(expectedSize) : buffer.count
        var end = start
        while end < limit {
            let count = try file.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[end..<limit]))
            if count == 0 { break }
            end += count
        }
        if expectedSize == 0 && end == buffer.count { return nil }
        ranges.append(start..<end)
        return Int64(end - start)
    }

    /// Forgets the last content.
    package func removeLast() { ranges.removeLast() }

    package func removeAll() { ranges.removeAll(keepingCapacity: true) }

    /// The md5 of each content.
    package func digests() -> [MD5Digest] { lanes.digests(of: ranges, in: UnsafeRawBufferPointer(buffer)) }
}
