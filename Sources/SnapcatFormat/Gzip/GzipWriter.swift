import CISAL
import SnapcatPlatform

/// Writes gzip with a fixed header (RFC 1952; mtime 0, no name, unknown system): equal content and level give equal
/// bytes, however the content is handed over, because the compressor always sees the same blocks.
package final class GzipWriter: ByteSink {
    /// The compressor's unit.
    static let blockSize = 256 << 10

    private let deflater: any Deflater
    private let level: GzipLevel
    private var sink: any ByteSink
    private let block: UnsafeMutableRawBufferPointer
    private var filled = 0
    private var checksum: UInt32 = 0
    private var length: UInt32 = 0
    private var hasBegun = false

    package init(level: GzipLevel, into sink: any ByteSink) throws {
        self.level = level
        self.sink = sink
        deflater = level.value <= 3 ? ISALDeflater(level: level.value) : try ZlibDeflater(level: level.value)
        block = .allocate(byteCount: Self.blockSize, alignment: 64)
    }

    deinit { block.deallocate() }

    /// Begins another stream with the same buffers.
    package func reset(into sink: any ByteSink) throws {
        self.sink = sink
        filled = 0
        checksum = 0
        length = 0
        hasBegun = false
        try deflater.reset()
    }

    package func write(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes
        while rest.count > 0 {
            // A full block waits until it is known whether it is the last.
            if filled == Self.blockSize { try flush(isLast: false) }
            let count = min(rest.count, Self.blockSize - filled)
            UnsafeMutableRawBufferPointer(rebasing: block[filled..<filled + count])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: rest[..<count]))
            filled += count
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    /// Ends the stream. Nothing may be written after it but through `reset`.
    package func finish() throws {
        try flush(isLast: true)
        try Self.trailer(checksum, length).withUnsafeBytes { try sink.write($0) }
    }

    private func flush(isLast: Bool) throws {
        if !hasBegun {
            hasBegun = true
            try Self.header(level).withUnsafeBytes { try sink.write($0) }
        }
        let content = UnsafeRawBufferPointer(rebasing: block[..<filled])
        checksum = Self.crc32(content, checksum)
        length &+= UInt32(truncatingIfNeeded: filled)
        try deflater.deflate(content, isLast: isLast) { try sink.write($0) }
        filled = 0
    }

    static func header(_ level: GzipLevel) -> [UInt8] { [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, level.extraFlags, 0xff] }

    static func trailer(_ checksum: UInt32, _ length: UInt32) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: ($0 < 4 ? checksum : length) >> UInt32(8 * ($0 % 4))) }
    }

    static func crc32(_ bytes: UnsafeRawBufferPointer, _ initial: UInt32) -> UInt32 {
        crc32_gzip_refl(initial, bytes.bindMemory(to: UInt8.self).baseAddress, UInt64(bytes.count))
    }
}

/// Compresses contents that are in memory whole; nothing is allocated after the first few. One per thread.
package final class GzipCompressor {
    private let writer: GzipWriter
    private let output = BufferSink()

    package init(level: GzipLevel) throws { writer = try GzipWriter(level: level, into: output) }

    /// The gzip of `input`, valid until the next call.
    package func compress(_ input: UnsafeRawBufferPointer) throws -> UnsafeRawBufferPointer {
        output.clear()
        try writer.reset(into: output)
        try writer.write(input)
        try writer.finish()
        return output.contents
    }
}

/// Collects bytes in a buffer that is kept for the next use.
private final class BufferSink: ByteSink {
    private var buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
    private var count = 0

    deinit { buffer.deallocate() }

    var contents: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: buffer[..<count]) }

    func clear() { count = 0 }

    func write(_ bytes: UnsafeRawBufferPointer) {
        if count + bytes.count > buffer.count {
            let larger = UnsafeMutableRawBufferPointer.allocate(
                byteCount: max(buffer.count * 2, count + bytes.count), alignment: 64)
            larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            buffer.deallocate()
            buffer = larger
        }
        UnsafeMutableRawBufferPointer(rebasing: buffer[count...]).copyMemory(from: bytes)
        count += bytes.count
    }
}

/// Whole gzip contents in memory.
package enum Gzip {
    package static func compress(_ bytes: [UInt8], level: GzipLevel) throws -> [UInt8] {
        let sink = ArraySink()
        let writer = try GzipWriter(level: level, into: sink)
        try writer.write(bytes)
        try writer.finish()
        return sink.bytes
    }

    /// The CRC-32 that a gzip of these bytes ends with.
    package static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 { GzipWriter.crc32(bytes, 0) }

    /// Throws `.damage` for anything but sound gzip, `.failed` where the content is larger than `limit` bytes.
    package static func decompress(_ bytes: [UInt8], limit: Int, name: String = "gzip") throws -> [UInt8] {
        try GzipReader(ArraySource(bytes), name: name).readAll(limit: limit)
    }
}
