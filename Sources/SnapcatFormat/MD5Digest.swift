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
        guard hex.count == 32 else { return nil }
        var halves: (high: UInt64, low: UInt64) = (0, 0)
        for index in 0..<32 {
            let byte = hex[index]
            let decimal = byte &- UInt8(ascii: "0")
            let letter = byte &- UInt8(ascii: "a")
            guard decimal < 10 || letter < 6 else { return nil }
            let digit = UInt64(decimal < 10 ? decimal : letter + 10)
            if index < 16 { halves.high = halves.high << 4 | digit } else { halves.low = halves.low << 4 | digit }
        }
        self.init(high: halves.high, low: halves.low)
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
        for half in [high, low] {
            for shift in stride(from: 60, through: 0, by: -4) {
                let digit = UInt8(truncatingIfNeeded: half >> UInt64(shift)) & 15
                buffer.append(digit < 10 ? 48 + digit : 87 + digit)
            }
        }
    }

    /// The first byte: which folder of a heap has the object.
    package var bucket: Int { Int(high >> 56) }

    public static func < (left: MD5Digest, right: MD5Digest) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }

    /// The md5 of nothing.
    package static let empty = MD5Digest(high: 0xd41d_8cd9_8f00_b204, low: 0xe980_0998_ecf8_427e)
}
