import SnapcatPlatform

/// The md5 of a content: 16 bytes, the name of an object.
public struct MD5Digest: Hashable, Sendable, Comparable, CustomStringConvertible {
    // Big-endian halves, so that the order of digests is the order of their hex.
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// From the 16 raw bytes.
    public init?(bytes: some Sequence<UInt8>) {
        var high: UInt64 = 0
        var low: UInt64 = 0
        var count = 0
        for byte in bytes {
            if count < 8 { high = high << 8 | UInt64(byte) } else { low = low << 8 | UInt64(byte) }
            count += 1
        }
        guard count == 16 else { return nil }
        self.init(high: high, low: low)
    }

    /// The same for columns and rows, which come by the million: generic code is not specialised in other modules.
    package init?(raw: UnsafeRawBufferPointer) {
        guard raw.count == 16 else { return nil }
        self.init(
            high: UInt64(bigEndian: raw.loadUnaligned(as: UInt64.self)),
            low: UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
    }

    /// Calls `body` with the 16 raw bytes.
    package func withRawBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        try withUnsafeBytes(of: (high.bigEndian, low.bigEndian), body)
    }

    /// From 32 hex digits, lower case only: that is the only spelling that names an object.
    public init?(hex: some Sequence<UInt8>) {
        guard let digest = Array(hex).withUnsafeBytes({ MD5Digest(hex: $0) }) else { return nil }
        self = digest
    }

    /// The same for lines and file names, which come by the million: generic code is not specialised in other modules.
    package init?(hex: UnsafeRawBufferPointer) {
        guard hex.count == 32, let q0 = Self.eightDigits(hex, 0), let q1 = Self.eightDigits(hex, 8),
            let q2 = Self.eightDigits(hex, 16), let q3 = Self.eightDigits(hex, 24)
        else { return nil }
        self.init(high: q0 << 32 | q1, low: q2 << 32 | q3)
    }

    /// The number that eight digits spell: all of them at once, a byte of a word each.
    @inline(__always)
    private static func eightDigits(_ hex: UnsafeRawBufferPointer, _ offset: Int) -> UInt64? {
        let text = UInt64(bigEndian: hex.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        let ones: UInt64 = 0x0101_0101_0101_0101
        // Of the characters that may come, letters alone have this bit.
        let letters = text >> 6 & ones
        let values = text & (ones * 0x0f) &+ letters &* 9
        // Spelled again they are the text, a letter is 10 to 15, and a digit below 10: then nothing else was there.
        guard values &+ ones &* 0x30 &+ letters &* 0x27 == text, values & (ones * 0xf0) == 0,
            (values &+ ones &* 6) >> 4 & ones == letters
        else { return nil }
        let pairs = (values | values >> 4) & 0x00ff_00ff_00ff_00ff
        let quads = (pairs | pairs >> 8) & 0x0000_ffff_0000_ffff
        return (quads | quads >> 16) & 0xffff_ffff
    }

    public init?(hex: String) { self.init(hex: hex.utf8) }

    /// The 16 raw bytes.
    public var bytes: [UInt8] {
        (0..<16).map { UInt8(truncatingIfNeeded: ($0 < 8 ? high : low) >> UInt64(56 - 8 * ($0 % 8))) }
    }

    /// 32 lower-case hex digits.
    public var hexBytes: [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(32)
        appendHex(to: &result)
        return result
    }

    public var description: String { String(decoding: hexBytes, as: UTF8.self) }

    package func appendHex(to buffer: inout [UInt8]) {
        let text = (
            Self.spelled(high >> 32).bigEndian, Self.spelled(high & 0xffff_ffff).bigEndian,
            Self.spelled(low >> 32).bigEndian, Self.spelled(low & 0xffff_ffff).bigEndian
        )
        withUnsafeBytes(of: text) { buffer.append(contentsOf: $0) }
    }

    /// The eight digits of 32 bits, a byte of the word each.
    @inline(__always)
    private static func spelled(_ value: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quads = (value | value << 16) & 0x0000_ffff_0000_ffff
        let pairs = (quads | quads << 8) & 0x00ff_00ff_00ff_00ff
        let values = (pairs | pairs << 4) & (ones * 0x0f)
        let letters = (values &+ ones &* 6) >> 4 & ones
        return values &+ ones &* 0x30 &+ letters &* 0x27
    }

    /// The first byte: which folder of a heap has the object.
    package var bucket: Int { Int(high >> 56) }

    public static func < (left: MD5Digest, right: MD5Digest) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }

    /// The md5 of nothing.
    package static let empty = MD5Digest(high: 0xd41d_8cd9_8f00_b204, low: 0xe980_0998_ecf8_427e)
}
