import SnapcatPlatform

/// Strings as Python's `json` module writes and reads them, with names decoded by surrogateescape (FORMAT.md).
package enum PythonString {
    private static let hexDigits = Array("0123456789abcdef".utf8)

    /// Appends `bytes` as a JSON string with its quotes: ASCII only, bytes that are not UTF-8 as `\udc80`-`\udcff`.
    package static func appendQuoted(_ bytes: UnsafeRawBufferPointer, to buffer: inout [UInt8]) {
        buffer.append(UInt8(ascii: "\""))
        var plainStart = 0
        var position = 0
        while position < bytes.count {
            let byte = bytes[position]
            if byte >= 0x20 && byte < 0x7f && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\") {
                position += 1
                continue
            }
            buffer.append(contentsOf: bytes[plainStart..<position])
            if byte < 0x80 {
                appendASCIIEscape(byte, to: &buffer)
                position += 1
            } else {
                appendEscape(UTF8Check.decodeEscaping(bytes, &position), to: &buffer)
            }
            plainStart = position
        }
        buffer.append(contentsOf: bytes[plainStart..<position])
        buffer.append(UInt8(ascii: "\""))
    }

    package static func appendQuoted(_ bytes: [UInt8], to buffer: inout [UInt8]) {
        bytes.withUnsafeBytes { appendQuoted($0, to: &buffer) }
    }

    package static func appendQuoted(_ text: String, to buffer: inout [UInt8]) {
        appendQuoted(Array(text.utf8), to: &buffer)
    }

    private static func appendASCIIEscape(_ byte: UInt8, to buffer: inout [UInt8]) {
        buffer.append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): buffer.append(byte)
        case 0x0a: buffer.append(UInt8(ascii: "n"))
        case 0x0d: buffer.append(UInt8(ascii: "r"))
        case 0x09: buffer.append(UInt8(ascii: "t"))
        case 0x08: buffer.append(UInt8(ascii: "b"))
        case 0x0c: buffer.append(UInt8(ascii: "f"))
        default: appendUnit(UInt32(byte), to: &buffer)
        }
    }

    private static func appendEscape(_ scalar: UInt32, to buffer: inout [UInt8]) {
        if scalar >= 0x10000 {
            let offset = scalar - 0x10000
            buffer.append(UInt8(ascii: "\\"))
            appendUnit(0xd800 + offset >> 10, to: &buffer)
            buffer.append(UInt8(ascii: "\\"))
            appendUnit(0xdc00 + offset & 0x3ff, to: &buffer)
        } else {
            buffer.append(UInt8(ascii: "\\"))
            appendUnit(scalar, to: &buffer)
        }
    }

    private static func appendUnit(_ unit: UInt32, to buffer: inout [UInt8]) {
        buffer.append(UInt8(ascii: "u"))
        for shift: UInt32 in [12, 8, 4, 0] { buffer.append(hexDigits[Int(unit >> shift & 15)]) }
    }

    /// The bytes that the contents of a JSON string (between its quotes, already found to be valid) stand for.
    ///
    /// nil where they stand for none: a lone surrogate outside U+DC80-U+DCFF, which no name of a file can be.
    package static func decode(_ contents: UnsafeRawBufferPointer, into buffer: inout [UInt8]) -> Bool {
        buffer.removeAll(keepingCapacity: true)
        var position = 0
        while position < contents.count {
            let byte = contents[position]
            position += 1
            if byte != UInt8(ascii: "\\") {
                buffer.append(byte)
                continue
            }
            let escape = contents[position]
            position += 1
            switch escape {
            case UInt8(ascii: "n"): buffer.append(0x0a)
            case UInt8(ascii: "r"): buffer.append(0x0d)
            case UInt8(ascii: "t"): buffer.append(0x09)
            case UInt8(ascii: "b"): buffer.append(0x08)
            case UInt8(ascii: "f"): buffer.append(0x0c)
            case UInt8(ascii: "u"):
                guard appendUnicode(contents, &position, to: &buffer) else { return false }
            default: buffer.append(escape)
            }
        }
        return true
    }

    private static func appendUnicode(
        _ contents: UnsafeRawBufferPointer, _ position: inout Int, to buffer: inout [UInt8]
    ) -> Bool {
        let unit = hexUnit(contents, position)
        position += 4
        switch unit {
        case 0xd800...0xdbff:
            guard position + 6 <= contents.count, contents[position] == UInt8(ascii: "\\"),
                contents[position + 1] == UInt8(ascii: "u")
            else { return false }
            let second = hexUnit(contents, position + 2)
            guard (0xdc00...0xdfff).contains(second) else { return false }
            position += 6
            appendUTF8(0x10000 + (unit - 0xd800) << 10 + (second - 0xdc00), to: &buffer)
        case 0xdc80...0xdcff: buffer.append(UInt8(unit - 0xdc00))
        case 0xdc00...0xdfff: return false
        default: appendUTF8(unit, to: &buffer)
        }
        return true
    }

    private static func hexUnit(_ contents: UnsafeRawBufferPointer, _ position: Int) -> UInt32 {
        var unit: UInt32 = 0
        for index in position..<position + 4 {
            unit = unit << 4 | UInt32(JSONScanner.hexValue(contents[index]) ?? 0)
        }
        return unit
    }

    private static func appendUTF8(_ scalar: UInt32, to buffer: inout [UInt8]) {
        func continuation(_ shift: UInt32) -> UInt8 { UInt8(0x80 | scalar >> shift & 0x3f) }
        switch scalar {
        case 0..<0x80: buffer.append(UInt8(scalar))
        case 0x80..<0x800: buffer.append(contentsOf: [UInt8(0xc0 | scalar >> 6), continuation(0)])
        case 0x800..<0x10000:
            buffer.append(contentsOf: [UInt8(0xe0 | scalar >> 12), continuation(6), continuation(0)])
        default:
            buffer.append(
                contentsOf: [UInt8(0xf0 | scalar >> 18), continuation(12), continuation(6), continuation(0)])
        }
    }
}
