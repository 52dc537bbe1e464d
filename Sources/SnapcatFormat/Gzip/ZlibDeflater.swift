import CZlib
import SnapcatPlatform

/// Levels 4 to 9. The bytes are those of this version of zlib.
final class ZlibDeflater: Deflater {
    // zlib's state points back to the struct, so it must not move.
    private let stream: UnsafeMutablePointer<z_stream>
    private static let room = 64 << 10

    init(level: Int) throws {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // If this throws, deinit runs: deflateEnd does nothing to a stream without a state.
        try check(czlib_deflate_init(stream, Int32(level)))
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    func reset() throws { try check(deflateReset(stream)) }

    func deflate(_ block: UnsafeRawBufferPointer, isLast: Bool, into output: GzipOutput) throws {
        let start = block.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.next_in = start.map { UnsafeMutablePointer(mutating: $0) }
        stream.pointee.avail_in = UInt32(block.count)
        defer { stream.pointee.next_in = nil }
        while true {
            stream.pointee.next_out = try output.reserve(Self.room)
            stream.pointee.avail_out = UInt32(Self.room)
            let code = CZlib.deflate(stream, isLast ? Z_FINISH : Z_NO_FLUSH)
            output.commit(Self.room - Int(stream.pointee.avail_out))
            if code == Z_STREAM_END { return }
            // Z_BUF_ERROR: there was nothing to do, as for an empty block.
            if code != Z_BUF_ERROR { try check(code) }
            if stream.pointee.avail_out > 0 {
                guard !isLast else { throw failure("zlib did not end the stream") }
                return
            }
        }
    }

    private func check(_ code: Int32) throws {
        guard code == Z_OK else { throw failure("zlib returned \(code)") }
    }

    private func failure(_ reason: String) -> SnapcatError {
        SnapcatError(.failed, "Cannot compress", reason: reason)
    }
}
