import SnapcatTestSupport
import Testing

@testable import SnapcatFormat

@Suite struct MD5DigestTests {
    @Test func `An md5 is spelled in 32 lower-case digits, and read from no other spelling`() {
        var random = SeededRandom()
        for _ in 0..<2000 {
            let digest = MD5Digest(high: random.next(), low: random.next())
            let hex = digest.bytes.map { byte in
                let text = String(byte, radix: 16)
                return text.count == 1 ? "0" + text : text
            }.joined()
            #expect(digest.hexBytes == Array(hex.utf8), "\(random.label)")
            #expect(MD5Digest(hex: hex) == digest, "\(random.label)")
        }
    }

    @Test func `Of all bytes only the digits 0 to 9 and a to f are read, at every place`() {
        let digits = Array("0123456789abcdef".utf8)
        for place in 0..<32 {
            for byte in UInt8.min ... .max {
                var hex = [UInt8](repeating: UInt8(ascii: "7"), count: 32)
                hex[place] = byte
                let digest = MD5Digest(hex: hex)
                #expect((digest != nil) == digits.contains(byte), "\(byte) at \(place)")
                if let digest { #expect(digest.hexBytes == hex, "\(byte) at \(place)") }
            }
        }
        #expect(MD5Digest(hex: "") == nil)
        #expect(MD5Digest(hex: String(repeating: "0", count: 31)) == nil)
        #expect(MD5Digest(hex: String(repeating: "0", count: 33)) == nil)
    }
}
