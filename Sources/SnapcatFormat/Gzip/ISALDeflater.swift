import CISAL
import SnapcatPlatform

/// Levels 0 to 3. What is written always inflates to its content, but equal contents give equal bytes only
/// with limits, and nothing may rely on it (an object's name is the md5 of its content):
///
/// - Another version of ISA-L or another kind of processor may find other matches (measured: at level 3 those
///   with and without AVX-512 differ).
/// - At the levels 1 and 2, ISA-L's x86 code (2.30 to 2.32.1, `.write_first_byte` of
///   `igzip_icf_body_h1_gr_bt.asm`) hashes its stream's address in place of the content from the third byte
///   on. One deflater always gives the same bytes, but another one, elsewhere in memory, at times others:
///   measured for 0.2 % of texts of less than 2000 bytes, and for 0.03 % of longer ones. Blocks with fixed codes
///   (`deflateWhole`) are not compressed by that code. Level 3 does the like, some hundred times less often.
final class ISALDeflater: Deflater {
    // The struct is 80 KB and more, and the library keeps pointers into it: it lives outside Swift's values.
    private let stream: UnsafeMutablePointer<isal_zstream>
    private let levelBuffer: UnsafeMutablePointer<UInt8>
    private let levelBufferSize: UInt32
    private let level: UInt32
    /// A part of the stream has been compressed.
    private var hasBegun = false
    /// Enough for a block that does not compress and for what was held back of the block before.
    private static let room = 384 << 10
    private static let smallBlock = 2048

    init(level: Int) {
        self.level = UInt32(level)
        stream = .allocate(capacity: 1)
        levelBufferSize = cisal_level_buffer_size(Int32(level))
        levelBuffer = .allocate(capacity: max(1, Int(levelBufferSize)))
    }

    deinit {
        stream.deallocate()
        levelBuffer.deallocate()
    }

    func reset() { hasBegun = false }

    private func begin() {
        isal_deflate_init(stream)
        prepare(level)
    }

    private func prepare(_ level: UInt32) {
        stream.pointee.level = level
        stream.pointee.level_buf = levelBufferSize == 0 ? nil : levelBuffer
        stream.pointee.level_buf_size = levelBufferSize
        // Header, checksum and trailer are ours: they are the same for both libraries.
        stream.pointee.gzip_flag = UInt16(IGZIP_DEFLATE)
        stream.pointee.flush = UInt16(NO_FLUSH)
    }

    func deflate(_ block: UnsafeRawBufferPointer, isLast: Bool, into output: GzipOutput) throws {
        if !hasBegun {
            if isLast && block.count <= GzipEncoder.blockSize { return try deflateWhole(block, into: output) }
            begin()
            hasBegun = true
        }
        give(block, isLast: isLast)
        defer { stream.pointee.next_in = nil }
        repeat {
            stream.pointee.next_out = try output.reserve(Self.room)
            stream.pointee.avail_out = UInt32(Self.room)
            let code = isal_deflate(stream)
            guard code == COMP_OK else { throw failure("ISA-L returned \(code)") }
            output.commit(Self.room - Int(stream.pointee.avail_out))
        } while stream.pointee.avail_out == 0 || stream.pointee.avail_in > 0
        guard !isLast || stream.pointee.internal_state.state == ZSTATE_END else {
            throw failure("ISA-L did not end the stream")
        }
    }

    private func give(_ block: UnsafeRawBufferPointer, isLast: Bool) {
        // An empty block may have no address; the library gets one that is valid.
        let start = block.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.next_in = start.map { UnsafeMutablePointer(mutating: $0) } ?? levelBuffer
        stream.pointee.avail_in = UInt32(block.count)
        stream.pointee.end_of_stream = isLast ? 1 : 0
    }

    /// A stream of one block is compressed in one go: of equal size, and a fifth faster.
    ///
    /// At level 1, building Huffman codes for a small block costs four times as much as all the rest. With the fixed
    /// codes of deflate its gzip is 4 % larger.
    private func deflateWhole(_ block: UnsafeRawBufferPointer, into output: GzipOutput) throws {
        isal_deflate_stateless_init(stream)
        let isSmall = level == 1 && block.count < Self.smallBlock
        prepare(isSmall ? 0 : level)
        if isSmall, isal_deflate_set_hufftables(stream, nil, IGZIP_HUFFTABLE_STATIC) != COMP_OK {
            throw failure("ISA-L refused the fixed codes")
        }
        give(block, isLast: true)
        defer { stream.pointee.next_in = nil }
        stream.pointee.next_out = try output.reserve(Self.room)
        stream.pointee.avail_out = UInt32(Self.room)
        let code = isal_deflate_stateless(stream)
        guard code == COMP_OK, stream.pointee.avail_in == 0 else { throw failure("ISA-L returned \(code)") }
        output.commit(Self.room - Int(stream.pointee.avail_out))
    }

    private func failure(_ reason: String) -> SnapcatError {
        SnapcatError(.failed, "Cannot compress", reason: reason)
    }
}
