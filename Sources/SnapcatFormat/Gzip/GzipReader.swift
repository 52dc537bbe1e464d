import CISAL
import SnapcatPlatform

/// Inflates gzip with ISA-L: any number of members, zero padding after the last, as Python's `gzip` reads it.
///
/// A missing or wrong trailer (CRC-32 and length), a cut, an empty file and other bytes after the last member are
/// damage; the error names the file and the compressed offset, and comes at the latest at the end of the content.
package final class GzipReader: ByteSource {
    private var source: any ByteSource
    private var name: String
    // 100 KB: it lives outside Swift's values.
    private let state: UnsafeMutablePointer<inflate_state>
    private let input: UnsafeMutablePointer<UInt8>
    private static let inputSize = 64 << 10

    private enum Phase { case beforeMember, inMember, ended }
    private var phase = Phase.beforeMember
    private var memberCount = 0
    private var memberHadInput = false
    private var sourceEnded = false
    private var bytesRead: Int64 = 0

    package init(_ source: any ByteSource, name: String) throws {
        self.source = source
        self.name = name
        state = .allocate(capacity: 1)
        input = .allocate(capacity: Self.inputSize)
        isal_inflate_init(state)
        state.pointee.crc_flag = UInt32(ISAL_GZIP_NO_HDR_VER)
    }

    deinit {
        state.deallocate()
        input.deallocate()
    }

    /// Begins another file with the same buffers.
    package func reset(_ source: any ByteSource, name: String) {
        self.source = source
        self.name = name
        phase = .beforeMember
        memberCount = 0
        sourceEnded = false
        bytesRead = 0
        isal_inflate_init(state)
        state.pointee.crc_flag = UInt32(ISAL_GZIP_NO_HDR_VER)
    }

    /// Compressed bytes consumed so far.
    package var compressedOffset: Int64 { bytesRead - Int64(state.pointee.avail_in) }

    package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        guard buffer.count > 0 else { return 0 }
        let wanted = min(buffer.count, 1 << 30)
        while true {
            switch phase {
            case .ended: return 0
            case .beforeMember: try beginMember()
            case .inMember:
                let count = try inflate(into: buffer, wanted)
                if count > 0 { return count }
            }
        }
    }

    private func beginMember() throws {
        // Zero padding is skipped, but only after a member.
        while true {
            if state.pointee.avail_in == 0, try !fill() {
                guard memberCount > 0 else { throw damage("the file is empty") }
                phase = .ended
                return
            }
            guard memberCount > 0, state.pointee.next_in.pointee == 0 else { break }
            state.pointee.next_in += 1
            state.pointee.avail_in -= 1
        }
        memberCount += 1
        try skipHeader()
        let (next, available) = (state.pointee.next_in, state.pointee.avail_in)
        isal_inflate_reset(state)
        state.pointee.crc_flag = UInt32(ISAL_GZIP_NO_HDR_VER)
        state.pointee.next_in = next
        state.pointee.avail_in = available
        phase = .inMember
    }

    /// The header (RFC 1952, 2.3) is read here: ISA-L loses its place where one comes in parts.
    private func skipHeader() throws {
        let foreign = memberCount == 1 ? "it is no gzip" : "other bytes follow the end of the gzip"
        guard try byte() == 0x1f, try byte() == 0x8b else { throw damage(foreign) }
        guard try byte() == 8 else { throw damage("an unknown compression method") }
        let flags = try byte()
        guard flags & 0xe0 == 0 else { throw damage("unknown flags in its header") }
        // Modification time, extra flags, operating system.
        for _ in 0..<6 { _ = try byte() }
        if flags & 4 != 0 {
            let length = Int(try byte()) | Int(try byte()) << 8
            for _ in 0..<length { _ = try byte() }
        }
        // The name and the comment end with a zero byte each.
        for flag: UInt8 in [8, 16] where flags & flag != 0 { while try byte() != 0 {} }
        if flags & 2 != 0 { for _ in 0..<2 { _ = try byte() } }
    }

    private func byte() throws -> UInt8 {
        if state.pointee.avail_in == 0, try !fill() { throw damage("it is cut off") }
        defer {
            state.pointee.next_in += 1
            state.pointee.avail_in -= 1
        }
        return state.pointee.next_in.pointee
    }

    private func inflate(into buffer: UnsafeMutableRawBufferPointer, _ wanted: Int) throws -> Int {
        if state.pointee.avail_in == 0 && !sourceEnded { _ = try fill() }
        state.pointee.next_out = buffer.bindMemory(to: UInt8.self).baseAddress
        state.pointee.avail_out = UInt32(wanted)
        let before = state.pointee.avail_in
        let code = isal_inflate(state)
        let produced = wanted - Int(state.pointee.avail_out)
        switch code {
        case ISAL_DECOMP_OK, ISAL_END_INPUT, ISAL_OUT_OVERFLOW: break
        case ISAL_INCORRECT_CHECKSUM: throw damage("its checksum or length is wrong")
        default: throw damage("the compressed bytes are damaged")
        }
        if state.pointee.block_state == ISAL_BLOCK_FINISH {
            phase = .beforeMember
        } else if produced == 0 && sourceEnded && state.pointee.avail_in == 0 && before == 0 {
            throw damage("it is cut off")
        }
        return produced
    }

    /// False at the end of the source.
    private func fill() throws -> Bool {
        if sourceEnded { return false }
        let count = try source.read(into: UnsafeMutableRawBufferPointer(start: input, count: Self.inputSize))
        if count == 0 {
            sourceEnded = true
            return false
        }
        bytesRead += Int64(count)
        state.pointee.next_in = input
        state.pointee.avail_in = UInt32(count)
        return true
    }

    private func damage(_ reason: String) -> SnapcatError {
        SnapcatError(.damage, "Damaged gzip", name, reason: "\(reason) (at byte \(compressedOffset))")
    }
}
