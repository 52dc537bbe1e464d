/// Compresses contents that are in memory whole; nothing is allocated after the first few. One per thread.
package final class GzipCompressor {
    private let encoder: GzipEncoder

    package init(level: GzipLevel) throws {
        encoder = try GzipEncoder(level: level, output: GzipOutput(into: nil))
    }

    /// The gzip of `input`, valid until the next call: the bytes that `GzipWriter` gives.
    package func compress(_ input: UnsafeRawBufferPointer) throws -> UnsafeRawBufferPointer {
        try encoder.reset()
        var rest = input
        while rest.count > GzipEncoder.blockSize {
            let block = UnsafeRawBufferPointer(rebasing: rest[..<GzipEncoder.blockSize])
            try encoder.encode(block, isLast: false)
            rest = UnsafeRawBufferPointer(rebasing: rest[block.count...])
        }
        try encoder.encode(rest, isLast: true)
        return encoder.output.contents
    }
}
