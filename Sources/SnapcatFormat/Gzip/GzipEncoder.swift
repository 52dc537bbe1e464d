/// One gzip member: fixed header, deflated blocks, trailer (RFC 1952).
///
/// The bytes are a function of the level and the content if all blocks but the last have `blockSize` bytes.
final class GzipEncoder {
    /// The compressor's unit.
    static let blockSize = 256 << 10

    let output: GzipOutput
    private let level: GzipLevel
    private let deflater: any Deflater
    private var checksum: UInt32 = 0
    private var length: UInt32 = 0
    private var hasBegun = false

    init(level: GzipLevel, output: GzipOutput) throws {
        self.level = level
        self.output = output
        deflater = try level.makeDeflater()
    }

    /// Begins another member with the same buffers, whatever became of the last.
    func reset() throws {
        output.clear()
        checksum = 0
        length = 0
        hasBegun = false
        try deflater.reset()
    }

    /// `isLast` ends the member; the last block may be empty.
    func encode(_ block: UnsafeRawBufferPointer, isLast: Bool) throws {
        if !hasBegun {
            hasBegun = true
            // Magic, method 8 (deflate), no flags, no time.
            try output.append(0x0000_0000_0008_8b1f as UInt64)
            // XFL, and 255 for an unknown system: equal bytes on every one.
            try output.append(UInt16(level.extraFlags) | 0xff00)
        }
        checksum = CRC32.update(checksum, block)
        length &+= UInt32(truncatingIfNeeded: block.count)
        try deflater.deflate(block, isLast: isLast, into: output)
        guard isLast else { return }
        try output.append(checksum)
        try output.append(length)
        try output.flush()
    }
}
