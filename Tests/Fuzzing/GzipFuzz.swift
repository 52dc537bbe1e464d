import CZlib
import SnapcatFormat
import SnapcatPlatform

/// gzip as it is read, and as it is written.
enum GzipFuzz {
    private static let limit = 1 << 22

    /// Any bytes: the same content or damage however they come in, and what zlib says of them.
    static func check(_ input: [UInt8]) throws {
        let whole = try read(input, part: .max, room: 1 << 16)
        for (part, room) in [(1, 4096), (7, 3), (4096, 1 << 16)] where input.count < 4096 || part > 7 {
            let inParts = try read(input, part: part, room: room)
            try claim(inParts.success == whole.success, "parts of \(part) into \(room) bytes give another content")
            try claim((inParts.failure == nil) == (whole.failure == nil), "parts of \(part) bytes: \(inParts)")
        }
        if let error = whole.failure {
            try claim(error.code == .damage || error.reason.isEmpty && error.what.contains("larger"), "\(error)")
            if error.code == .failed { return }
        }
        // What zlib inflates is content; what it does not is damage.
        try claim(ZlibOracle.inflate(input, limit: limit) == whole.success, "zlib says something else")
    }

    /// A content: its first byte is the level, its second what happens to the gzip.
    static func checkContent(_ input: [UInt8]) throws {
        guard input.count >= 4, let level = GzipLevel(Int(input[0] % 10)) else { return }
        let content = Array(input[4...])
        let gzip = try Gzip.compress(content, level: level)
        let place = (Int(input[2]) | Int(input[3]) << 8) % gzip.count
        let (changed, expected): ([UInt8], [UInt8]?) =
            switch input[1] % 6 {
            case 0: (gzip, content)
            case 1: (gzip + gzip, content + content)
            case 2: (gzip + [0, 0, 0] + gzip + [0], content + content)
            case 3: (Array(gzip[..<place]), nil)
            case 4: (gzip + [input[2] | 1], nil)
            default: (gzip + gzip[..<max(1, place)], nil)
            }
        let read = try outcome { try Gzip.decompress(changed, limit: limit) }
        try claim(read.success == expected, "level \(level.value), change \(input[1] % 6), place \(place)")
    }

    private static func read(_ input: [UInt8], part: Int, room: Int) throws -> Result<[UInt8], SnapcatError> {
        try outcome {
            let reader = try GzipReader(PartSource(input, part), name: "fuzz")
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: room, alignment: 16)
            defer { buffer.deallocate() }
            var content: [UInt8] = []
            while true {
                let count = try reader.read(into: buffer)
                if count == 0 { return content }
                content += buffer[..<count]
                if content.count > limit { throw SnapcatError(.failed, "Content is larger") }
            }
        }
    }
}

/// Hands out so many bytes at a time.
private final class PartSource: ByteSource {
    private let inner: ArraySource
    private let part: Int

    init(_ bytes: [UInt8], _ part: Int) { (inner, self.part) = (ArraySource(bytes), part) }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        inner.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(buffer.count, part)]))
    }
}

/// zlib's own reader, with what Python's `gzip` adds: members one after the other, zeros after each.
private enum ZlibOracle {
    /// nil for what is no gzip, or not whole.
    static func inflate(_ input: [UInt8], limit: Int) -> [UInt8]? {
        var rest = input[...]
        var content: [UInt8] = []
        repeat {
            guard let used = member(rest, into: &content, limit: limit) else { return nil }
            rest = rest.dropFirst(used).drop { $0 == 0 }
        } while !rest.isEmpty
        return content
    }

    /// The bytes that the member takes.
    private static func member(_ input: ArraySlice<UInt8>, into content: inout [UInt8], limit: Int) -> Int? {
        var stream = z_stream()
        // 16: gzip only.
        guard inflateInit2_(&stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else { return nil }
        defer { inflateEnd(&stream) }
        var bytes = Array(input)
        var room = [UInt8](repeating: 0, count: 1 << 16)
        return bytes.withUnsafeMutableBufferPointer { source -> Int? in
            stream.next_in = source.baseAddress
            stream.avail_in = UInt32(source.count)
            while true {
                let code = room.withUnsafeMutableBufferPointer { buffer -> Int32 in
                    stream.next_out = buffer.baseAddress
                    stream.avail_out = UInt32(buffer.count)
                    return CZlib.inflate(&stream, Z_NO_FLUSH)
                }
                content += room[..<(room.count - Int(stream.avail_out))]
                if code == Z_STREAM_END { return source.count - Int(stream.avail_in) }
                if code != Z_OK || content.count > limit { return nil }
            }
        }
    }
}
