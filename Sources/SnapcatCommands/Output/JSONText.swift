/// Strings and ready values as JSON (RFC 8259) writes them.
enum JSONText {
    /// Appends UTF-8 with its quotes: `"`, `\` and control characters escaped, all else as it is.
    ///
    /// DEL and U+0080-U+009F are escaped too, which JSON allows: some terminals obey them.
    static func appendQuoted(_ bytes: [UInt8], to buffer: inout [UInt8]) {
        buffer.append(UInt8(ascii: "\""))
        var plainStart = 0
        var position = 0
        while position < bytes.count {
            let byte = bytes[position]
            let escaped = escapedLength(byte, bytes, position)
            if escaped > 0 {
                buffer.append(contentsOf: bytes[plainStart..<position])
                appendEscape(bytes[position + escaped - 1], to: &buffer)
                plainStart = position + escaped
            }
            position += max(escaped, 1)
        }
        buffer.append(contentsOf: bytes[plainStart...])
        buffer.append(UInt8(ascii: "\""))
    }

    /// Appends a JSON value as it is spelled, but on one line; `null` where there is none.
    static func appendVerbatim(_ bytes: [UInt8], to buffer: inout [UInt8]) {
        if bytes.isEmpty { return buffer.append(contentsOf: "null".utf8) }
        if bytes.contains(where: isLineBreak) {
            buffer.append(contentsOf: bytes.map { isLineBreak($0) ? UInt8(ascii: " ") : $0 })
        } else {
            buffer.append(contentsOf: bytes)
        }
    }

    /// How many bytes at `position` are one character to be escaped: 0 where it stays.
    private static func escapedLength(_ byte: UInt8, _ bytes: [UInt8], _ position: Int) -> Int {
        switch byte {
        case 0..<0x20, UInt8(ascii: "\""), UInt8(ascii: "\\"), 0x7f: 1
        case 0xc2 where position + 1 < bytes.count && bytes[position + 1] < 0xa0: 2
        default: 0
        }
    }

    /// `last` is the last UTF-8 byte of the character: up to U+009F that is its code point.
    private static func appendEscape(_ last: UInt8, to buffer: inout [UInt8]) {
        buffer.append(UInt8(ascii: "\\"))
        switch last {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): buffer.append(last)
        case 0x08: buffer.append(UInt8(ascii: "b"))
        case 0x09: buffer.append(UInt8(ascii: "t"))
        case 0x0a: buffer.append(UInt8(ascii: "n"))
        case 0x0c: buffer.append(UInt8(ascii: "f"))
        case 0x0d: buffer.append(UInt8(ascii: "r"))
        default:
            buffer.append(contentsOf: "u00".utf8)
            BinaryText.appendHex(last, to: &buffer)
        }
    }

    private static func isLineBreak(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
    }
}
