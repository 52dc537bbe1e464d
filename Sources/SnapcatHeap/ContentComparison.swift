import CPlatform
import SnapcatPlatform

/// Two contents side by side.
enum ContentComparison {
    private static let chunkBytes = 256 << 10

    /// Whether they have the same bytes. Reads both to the first difference, or to their ends.
    static func isSame(_ left: any ByteSource, _ right: any ByteSource) throws -> Bool {
        let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * chunkBytes, alignment: 64)
        defer { chunk.deallocate() }
        let (a, b) = (UnsafeMutableRawBufferPointer(rebasing: chunk[..<chunkBytes]), UnsafeMutableRawBufferPointer(rebasing: chunk[chunkBytes...]))
        while true {
            let (leftCount, rightCount) = (try left.fill(a), try right.fill(b))
            guard leftCount == rightCount else { return false }
            guard leftCount > 0, let start = a.baseAddress, let other = b.baseAddress else { return true }
            if memcmp(start, other, leftCount) != 0 { return false }
        }
    }
}
