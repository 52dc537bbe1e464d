import CPlatform
import SnapcatPlatform

/// The name of a file: its path relative to the file root, `/`-separated, as bytes.
///
/// Two names are equal if their bytes are. The order is Python's code-point order of the name decoded with
/// surrogateescape (FORMAT.md): byte order, but a byte that is not UTF-8 counts as U+DC00 plus the byte.
public struct EntryName: Hashable, Sendable, Comparable, CustomStringConvertible {
    public let bytes: [UInt8]

    public init(_ bytes: [UInt8]) { self.bytes = bytes }
    public init(_ text: String) { bytes = Array(text.utf8) }

    /// For messages: what is not UTF-8 shows as U+FFFD.
    public var description: String { TerminalText.lossy(bytes) }

    public static func < (left: EntryName, right: EntryName) -> Bool {
        left.bytes.withUnsafeBytes { left in right.bytes.withUnsafeBytes { NameOrder.compare(left, $0) < 0 } }
    }

    /// Why a restore must not write this name, nil where it may (RELIABILITY.md 6).
    public var restoreObjection: String? {
        if bytes.isEmpty { return "the name is empty" }
        if bytes[0] == UInt8(ascii: "/") { return "the name is absolute" }
        if bytes.contains(0) { return "the name holds a NUL byte" }
        for component in bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            if component.isEmpty { return "the name has an empty component" }
            if component.elementsEqual(".".utf8) || component.elementsEqual("..".utf8) {
                return "the name has the component '\(TerminalText.lossy(component))'"
            }
            if component.count > 255 { return "a component of the name is longer than 255 bytes" }
        }
        return nil
    }
}

/// The order of names in snapshots.
package enum NameOrder {
    /// Negative, zero or positive, as `memcmp`.
    package static func compare(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Int {
        let common = min(left.count, right.count)
        var index = 0
        while index + 8 <= common,
            left.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                == right.loadUnaligned(fromByteOffset: index, as: UInt64.self)
        {
            index += 8
        }
        while index < common && left[index] == right[index] { index += 1 }
        let leftByte = index < left.count ? Int(left[index]) : -1
        let rightByte = index < right.count ? Int(right[index]) : -1
        // ASCII on both sides, or an end against ASCII: decoding cannot change the order.
        if leftByte < 0x80 && rightByte < 0x80 { return leftByte - rightByte }
        if UTF8Check.isValid(left) && UTF8Check.isValid(right) { return leftByte - rightByte }
        return compareDecoded(left, right)
    }

    private static func compareDecoded(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Int {
        var leftPosition = 0
        var rightPosition = 0
        while leftPosition < left.count && rightPosition < right.count {
            let a = UTF8Check.decodeEscaping(left, &leftPosition)
            let b = UTF8Check.decodeEscaping(right, &rightPosition)
            if a != b { return a < b ? -1 : 1 }
        }
        return (left.count - leftPosition) - (right.count - rightPosition)
    }
}

/// UTF-8 as Python's strict decoder sees it.
package enum UTF8Check {
    package static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var position = 0
        while position < bytes.count {
            if bytes[position] < 0x80 {
                position += 1
                continue
            }
            let length = sequenceLength(bytes, at: position)
            if length == 0 { return false }
            position += length
        }
        return true
    }

    /// The next code point; a byte that is not part of valid UTF-8 is U+DC00 + byte (PEP 383).
    package static func decodeEscaping(_ bytes: UnsafeRawBufferPointer, _ position: inout Int) -> UInt32 {
        let length = sequenceLength(bytes, at: position)
        defer { position += max(1, length) }
        let first = UInt32(bytes[position])
        func continuation(_ offset: Int) -> UInt32 { UInt32(bytes[position + offset]) & 0x3f }
        switch length {
        case 1: return first
        case 2: return (first & 0x1f) << 6 | continuation(1)
        case 3: return (first & 0x0f) << 12 | continuation(1) << 6 | continuation(2)
        case 4: return (first & 0x07) << 18 | continuation(1) << 12 | continuation(2) << 6 | continuation(3)
        default: return 0xdc00 + first
        }
    }

    /// The length of the valid sequence at `position`, 0 where there is none (RFC 3629: no overlong forms, no
    /// surrogates, nothing above U+10FFFF).
    private static func sequenceLength(_ bytes: UnsafeRawBufferPointer, at position: Int) -> Int {
        let first = bytes[position]
        func isContinuation(_ offset: Int, _ range: ClosedRange<UInt8> = 0x80...0xbf) -> Bool {
            position + offset < bytes.count && range.contains(bytes[position + offset])
        }
        switch first {
        case 0..<0x80: return 1
        case 0xc2...0xdf: return isContinuation(1) ? 2 : 0
        case 0xe0: return isContinuation(1, 0xa0...0xbf) && isContinuation(2) ? 3 : 0
        case 0xed: return isContinuation(1, 0x80...0x9f) && isContinuation(2) ? 3 : 0
        case 0xe1...0xef: return isContinuation(1) && isContinuation(2) ? 3 : 0
        case 0xf0: return isContinuation(1, 0x90...0xbf) && isContinuation(2) && isContinuation(3) ? 4 : 0
        case 0xf1...0xf3: return isContinuation(1) && isContinuation(2) && isContinuation(3) ? 4 : 0
        case 0xf4: return isContinuation(1, 0x80...0x8f) && isContinuation(2) && isContinuation(3) ? 4 : 0
        default: return 0
        }
    }
}
