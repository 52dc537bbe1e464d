import CPlatform

/// Reads a line that is spelled as `EntryLine` spells it (with the exact times or without them), key after key: four
/// times as fast as the scanner, which takes any spelling. It accepts only what the scanner reads the same way, and
/// of all but the doubles only the one spelling that `EntryLine` has for it.
struct OwnSpelling {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    /// nil for a line of another spelling, or with an escape or a byte above 0x7f in its name.
    static func fields(_ line: UnsafeRawBufferPointer) -> EntryFields? {
        var reader = OwnSpelling(bytes: line)
        return reader.fields()
    }

    private init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    private mutating func fields() -> EntryFields? {
        var fields = EntryFields.blank
        guard skip(#"{"created": "#), let created = real() else { return nil }
        let hasExactTimes = skip(#", "ctime_ns": "#)
        guard let ctimeNs = hasExactTimes ? integer() : 0, skip(#", "gid": "#), let gid = integer(),
            skip(#", "ino": "#), let inode = integer(), skip(#", "islink": false, "md5": ""#), let md5 = md5(),
            skip(#"", "mode": "#), let mode = integer(), skip(#", "mtime": "#), let mtime = real(),
            !hasExactTimes || skip(#", "mtime_ns": "#), let mtimeNs = hasExactTimes ? integer() : 0, skip(#", "name": ""#), let name = plainText(), skip(#"", "nlink": "#), let linkCount = integer(),
            skip(#", "size": "#), let size = integer(), skip(#", "type": "file", "uid": "#), let uid = integer(),
            skip("}"), position == bytes.count
        else { return nil }
        fields.createdRange = created
        fields.ctimeNs = ctimeNs
        fields.gid = gid
        fields.inode = inode
        fields.isLinkFalse = true
        fields.md5 = md5
        fields.mode = mode
        fields.mtimeRange = mtime
        fields.mtimeNs = mtimeNs
        fields.nameRange = name
        fields.linkCount = linkCount
        fields.size = size
        fields.isTypeFile = true
        fields.uid = uid
        fields.present = hasExactTimes ? EntryFields.allPresent : EntryFields.snapshooterPresent
        fields.hasOwnSpelling = true
        return fields
    }

    private mutating func skip(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard bytes.count - position >= count, let start = bytes.baseAddress,
            memcmp(start + position, text.utf8Start, count) == 0
        else { return false }
        position += count
        return true
    }

    /// An integer, in the one spelling that stands for it.
    private mutating func integer() -> Int64? {
        let isNegative = peek == UInt8(ascii: "-")
        if isNegative { position += 1 }
        let start = position
        var value: UInt64 = 0
        // 19 digits always fit.
        while position < bytes.count, bytes[position] &- 48 < 10, position - start < 19 {
            value = value &* 10 &+ UInt64(bytes[position] &- 48)
            position += 1
        }
        // No zeros in front, no minus zero.
        guard position > start, value <= Int64.max, bytes[start] != 48 || position == start + 1 && !isNegative
        else { return nil }
        return isNegative ? -Int64(value) : Int64(value)
    }

    /// A number with a point and without an exponent.
    private mutating func real() -> Range<Int>? {
        let start = position
        if peek == UInt8(ascii: "-") { position += 1 }
        let first = position
        guard digits() > 0, bytes[first] != 48 || position == first + 1, peek == UInt8(ascii: ".") else { return nil }
        position += 1
        return digits() > 0 ? start..<position : nil
    }

    private mutating func digits() -> Int {
        let start = position
        while position < bytes.count, bytes[position] &- 48 < 10 { position += 1 }
        return position - start
    }

    private mutating func md5() -> MD5Digest? {
        guard bytes.count - position >= 32 else { return nil }
        defer { position += 32 }
        return MD5Digest(hex: UnsafeRawBufferPointer(rebasing: bytes[position..<position + 32]))
    }

    /// Up to the quote, which is not consumed.
    private mutating func plainText() -> Range<Int>? {
        let start = position
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") { return start..<position }
            guard byte >= 0x20, byte < 0x80, byte != UInt8(ascii: "\\") else { return nil }
            position += 1
        }
        return nil
    }

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }
}
