import CISAL
import SnapcatPlatform

/// Inflates gzip with ISA-L: any number of members, zero padding after each, as Python's `gzip` reads it.
///
/// A missing or wrong trailer (CRC-32 and length), a cut, an empty file and other bytes after the last member
/// are damage; the error names the file and the compressed offset, and comes at the latest at the end of the
/// content: `read` returns 0 only where all of it was sound. An error is thrown again by each later call.
package final class GzipReader: ByteSource {
    private let input: GzipInput
    // 80 KB and more: it lives outside Swift's values.
    private let state: UnsafeMutablePointer<inflate_state>

    private enum Phase { case first, inMember, afterMember, ended, failed(any Error) }
    private var phase = Phase.first

    /// `name` is the file named in errors.
    package init(_ source: any ByteSource, name: String) throws {
        input = GzipInput(source, name: name)
        state = .allocate(capacity: 1)
        isal_inflate_init(state)
    }

    deinit { state.deallocate() }

    /// Begins another file with the same buffers, whatever became of the last.
    package func reset(_ source: any ByteSource, name: String) {
        input.reset(source, name: name)
        phase = .first
    }

    /// Compressed bytes consumed so far; within a member they may be ahead of the content that was returned.
    package var compressedOffset: Int64 { input.offset }

    package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        guard buffer.count > 0 else { return 0 }
        do {
            while true {
                switch phase {
                case .first: try beginMember(isFirst: true)
                case .afterMember:
                    if try skipPadding() { try beginMember(isFirst: false) } else { phase = .ended }
                case .inMember:
                    let count = try inflate(into: buffer)
                    if count > 0 { return count }
                case .ended: return 0
                case .failed(let error): throw error
                }
            }
        } catch {
            phase = .failed(error)
            throw error
        }
    }

    private func beginMember(isFirst: Bool) throws {
        guard try input.fill() else { throw input.damage("empty file, not gzip") }
        try GzipHeader.skip(input, isFirst: isFirst)
        isal_inflate_reset(state)
        // The library computes the checksum as it goes, reads the trailer and compares both of its fields.
        state.pointee.crc_flag = UInt32(ISAL_GZIP_NO_HDR_VER)
        phase = .inMember
    }

    /// False where nothing but zeros is left.
    private func skipPadding() throws -> Bool {
        while try input.fill() {
            guard input.next.pointee == 0 else { return true }
            input.consume(1)
        }
        return false
    }

    /// Returns 0 at the end of the member, and where the library wants more input first.
    private func inflate(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        // At the end of the source the library may still hold content.
        let sourceEnded = try !input.fill()
        let room = min(buffer.count, 1 << 30)
        state.pointee.next_in = input.next
        state.pointee.avail_in = UInt32(input.count)
        state.pointee.next_out = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
        state.pointee.avail_out = UInt32(room)
        let code = isal_inflate(state)
        let produced = room - Int(state.pointee.avail_out)
        let consumed = input.count - Int(state.pointee.avail_in)
        input.consume(consumed)
        switch code {
        case ISAL_DECOMP_OK, ISAL_END_INPUT, ISAL_OUT_OVERFLOW: break
        case ISAL_INCORRECT_CHECKSUM: throw input.damage("wrong checksum or length of the content")
        default: throw input.damage("damaged compressed bytes")
        }
        if state.pointee.block_state == ISAL_BLOCK_FINISH {
            phase = .afterMember
        } else if produced == 0 && consumed == 0 {
            throw input.damage(sourceEnded ? "cut off" : "damaged compressed bytes")
        }
        return produced
    }
}
