/// Reads the header of a gzip member (RFC 1952, section 2.3), byte by byte: it may come in any parts.
///
/// ISA-L can skip it too, but loses its place where one comes in parts (intel/isa-l issue 224).
struct GzipHeader {
    private let input: GzipInput
    private var checksum: UInt32 = 0

    private init(_ input: GzipInput) { self.input = input }

    private static let hasHeaderChecksum: UInt8 = 2
    private static let hasExtraField: UInt8 = 4
    private static let hasName: UInt8 = 8
    private static let hasComment: UInt8 = 16
    private static let reserved: UInt8 = 0xe0

    /// Consumes a header. Time, name and the like say nothing of the content and are dropped.
    ///
    /// Throws `.damage` for what is none; after the first member, these are bytes after the end of the gzip.
    static func skip(_ input: GzipInput, isFirst: Bool) throws {
        let start = input.offset
        var header = GzipHeader(input)
        guard try header.byte() == 0x1f, try header.byte() == 0x8b else {
            let reason = isFirst ? "not gzip" : "bytes that are not gzip after the end of the content"
            throw input.damage(reason, at: start)
        }
        let method = try header.byte()
        guard method == 8 else { throw input.damage("unknown compression method \(method)") }
        let flags = try header.byte()
        // The RFC demands it: such a flag may stand for a field that would be taken for content.
        guard flags & Self.reserved == 0 else { throw input.damage("unknown flags \(flags) in the header") }
        // Time, XFL, system.
        try header.skip(6)
        if flags & Self.hasExtraField != 0 {
            let low = try header.byte()
            try header.skip(Int(low) | Int(try header.byte()) << 8)
        }
        if flags & Self.hasName != 0 { try header.skipText() }
        if flags & Self.hasComment != 0 { try header.skipText() }
        if flags & Self.hasHeaderChecksum != 0 { try header.checkChecksum() }
    }

    private mutating func byte() throws -> UInt8 {
        guard let byte = try input.byte() else { throw input.damage("cut off within a header") }
        checksum = withUnsafeBytes(of: byte) { CRC32.update(checksum, $0) }
        return byte
    }

    private mutating func skip(_ count: Int) throws {
        for _ in 0..<count { _ = try byte() }
    }

    /// Text that ends with a NUL.
    private mutating func skipText() throws {
        while try byte() != 0 {}
    }

    private mutating func checkChecksum() throws {
        let expected = UInt16(truncatingIfNeeded: checksum)
        let low = try byte()
        guard UInt16(low) | UInt16(try byte()) << 8 == expected else {
            throw input.damage("wrong checksum of the header")
        }
    }
}
