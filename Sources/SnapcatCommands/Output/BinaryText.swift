/// Bytes as text: hex, and base64 (RFC 4648, section 4, with padding).
enum BinaryText {
    private static let hexDigits = Array("0123456789abcdef".utf8)
    private static let base64Digits = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// Two lower-case digits a byte.
    static func hex(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(2 * bytes.count)
        for byte in bytes { appendHex(byte, to: &result) }
        return result
    }

    static func appendHex(_ byte: UInt8, to buffer: inout [UInt8]) {
        buffer.append(hexDigits[Int(byte >> 4)])
        buffer.append(hexDigits[Int(byte & 15)])
    }

    static func appendBase64(_ bytes: [UInt8], to buffer: inout [UInt8]) {
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let count = min(3, bytes.count - start)
            var group = 0
            for index in 0..<3 {
                group = group << 8 | (index < count ? Int(bytes[start + index]) : 0)
            }
            for index in 0..<4 {
                let digit = base64Digits[group >> (18 - 6 * index) & 63]
                buffer.append(index <= count ? digit : UInt8(ascii: "="))
            }
        }
    }
}
