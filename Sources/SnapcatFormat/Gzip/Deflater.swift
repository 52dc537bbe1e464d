import CISAL
import CZlib
import SnapcatPlatform

/// How hard gzip tries: 0-3 are ISA-L's levels, 4-9 zlib's (PERFORMANCE.md, "Limits").
public struct GzipLevel: Sendable, Equatable {
    public let value: Int

    /// nil outside 0...9.
    public init?(_ value: Int) {
        guard (0...9).contains(value) else { return nil }
        self.value = value
    }

    private init(known value: Int) { self.value = value }

    /// 1: smaller than zlib's 1, and six times as fast.
    public static let standard = GzipLevel(known: 1)

    /// RFC 1952: 2 for the slowest algorithm, 4 for the fastest.
    var extraFlags: UInt8 { value == 9 ? 2 : value <= 1 ? 4 : 0 }
}

/// Compresses blocks to raw deflate. The same blocks give the same bytes.
protocol Deflater: AnyObject {
    func reset() throws
    /// Compresses a block; `isLast` ends the stream. Calls `emit` with what there is.
    func deflate(_ block: UnsafeRawBufferPointer, isLast: Bool, emit: (UnsafeRawBufferPointer) throws -> Void) throws
}

/// Levels 0 to 3.
final class ISALDeflater: Deflater {
    // The struct is 80 KB and more, and the library keeps pointers into it: it lives outside Swift's values.
    private let stream: UnsafeMutablePointer<isal_zstream>
    private let levelBuffer: UnsafeMutablePointer<UInt8>
    private let levelBufferSize: UInt32
    private let level: UInt32
    private let output: UnsafeMutablePointer<UInt8>
    private static let outputSize = 320 << 10

    init(level: Int) {
        self.level = UInt32(level)
        stream = .allocate(capacity: 1)
        levelBufferSize = cisal_level_buffer_size(Int32(level))
        levelBuffer = .allocate(capacity: max(1, Int(levelBufferSize)))
        output = .allocate(capacity: Self.outputSize)
        reset()
    }

    deinit {
        stream.deallocate()
        levelBuffer.deallocate()
        output.deallocate()
    }

    func reset() {
        isal_deflate_init(stream)
        stream.pointee.level = level
        stream.pointee.level_buf = levelBufferSize == 0 ? nil : levelBuffer
        stream.pointee.level_buf_size = levelBufferSize
        stream.pointee.gzip_flag = UInt16(IGZIP_DEFLATE)
        stream.pointee.flush = UInt16(NO_FLUSH)
    }

    func deflate(_ block: UnsafeRawBufferPointer, isLast: Bool, emit: (UnsafeRawBufferPointer) throws -> Void) throws {
        stream.pointee.next_in = UnsafeMutablePointer(mutating: block.bindMemory(to: UInt8.self).baseAddress)
        stream.pointee.avail_in = UInt32(block.count)
        stream.pointee.end_of_stream = isLast ? 1 : 0
        repeat {
            stream.pointee.next_out = output
            stream.pointee.avail_out = UInt32(Self.outputSize)
            let code = isal_deflate(stream)
            guard code == COMP_OK else {
                throw SnapcatError(.failed, "Cannot compress", reason: "ISA-L returned \(code)")
            }
            let count = Self.outputSize - Int(stream.pointee.avail_out)
            if count > 0 { try emit(UnsafeRawBufferPointer(start: output, count: count)) }
        } while stream.pointee.avail_out == 0 || stream.pointee.avail_in > 0
        stream.pointee.next_in = nil
    }
}

/// Levels 4 to 9.
final class ZlibDeflater: Deflater {
    private let stream: UnsafeMutablePointer<z_stream>
    private let output: UnsafeMutablePointer<UInt8>
    private static let outputSize = 128 << 10

    init(level: Int) throws {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        output = .allocate(capacity: Self.outputSize)
        let code = czlib_deflate_init(stream, Int32(level))
        guard code == Z_OK else { throw SnapcatError(.failed, "Cannot compress", reason: "zlib returned \(code)") }
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
        output.deallocate()
    }

    func reset() throws {
        let code = deflateReset(stream)
        guard code == Z_OK else { throw SnapcatError(.failed, "Cannot compress", reason: "zlib returned \(code)") }
    }

    func deflate(_ block: UnsafeRawBufferPointer, isLast: Bool, emit: (UnsafeRawBufferPointer) throws -> Void) throws {
        stream.pointee.next_in = UnsafeMutablePointer(mutating: block.bindMemory(to: UInt8.self).baseAddress)
        stream.pointee.avail_in = UInt32(block.count)
        while true {
            stream.pointee.next_out = output
            stream.pointee.avail_out = UInt32(Self.outputSize)
            let code = CZlib.deflate(stream, isLast ? Z_FINISH : Z_NO_FLUSH)
            guard code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR else {
                throw SnapcatError(.failed, "Cannot compress", reason: "zlib returned \(code)")
            }
            let count = Self.outputSize - Int(stream.pointee.avail_out)
            if count > 0 { try emit(UnsafeRawBufferPointer(start: output, count: count)) }
            if code == Z_STREAM_END || !isLast && stream.pointee.avail_out > 0 { return }
        }
    }
}
