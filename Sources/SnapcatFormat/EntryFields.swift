import CPlatform
import SnapcatPlatform

/// What snapcat knows of one snapshot line, as offsets and numbers: no copy, no allocation.
///
/// Valid as long as the bytes of the line are.
package struct EntryFields: Equatable {
    /// The keys that snapcat looks at, in the order of their spelling.
    package enum Key: Int, CaseIterable, Sendable {
        case created, ctimeNs, gid, inode, isLink, md5, mode, mtime, mtimeNs, name, linkCount, size, type, uid
    }

    /// The contents of the name's JSON string.
    package var nameRange = 0..<0
    package var nameIsEscaped = false
    package var md5: MD5Digest?
    package var size: Int64 = 0
    package var mode: Int64 = 0
    package var uid: Int64 = 0
    package var gid: Int64 = 0
    package var linkCount: Int64 = 0
    package var inode: Int64 = 0
    package var mtimeNs: Int64 = 0
    package var ctimeNs: Int64 = 0
    /// The number's text.
    package var mtimeRange = 0..<0
    package var createdRange = 0..<0
    /// `"islink": false`
    package var isLinkFalse = false
    /// `"type": "file"`
    package var isTypeFile = false
    /// Keys other than those of `Key` are there.
    package var hasOtherKeys = false
    /// Everything but the doubles is known to be spelled as `EntryLine` spells it.
    package var hasOwnSpelling = false
    /// A known key has a value that no column holds as it is spelled (null, a string, a float, too large).
    package var hasOddValue = false

    /// A bit for each key that is there.
    var present: UInt32 = 0
    /// All of `Key`.
    static let allPresent: UInt32 = 0x3fff
    /// All but the exact times, which snapshooter does not write.
    static let snapshooterPresent = allPresent & ~(1 << UInt32(Key.ctimeNs.rawValue) | 1 << UInt32(Key.mtimeNs.rawValue))

    package func has(_ key: Key) -> Bool { present & (1 << UInt32(key.rawValue)) != 0 }

    /// The 14 keys that snapcat writes for a local file, and no other.
    package var isSnapcatShape: Bool { present == Self.allPresent && !hasOtherKeys && !hasOddValue }
    /// The 12 keys that snapshooter writes for a local file, and no other.
    package var isSnapshooterShape: Bool {
        present == Self.snapshooterPresent && !hasOtherKeys && !hasOddValue
    }

    private mutating func mark(_ key: Key) { present |= 1 << UInt32(key.rawValue) }

    /// Parses a line. `Failure` where it is no JSON object, or has no usable name.
    package init(_ line: UnsafeRawBufferPointer) throws(JSONScanner.Failure) {
        if let fields = OwnSpelling.fields(line) { self = fields } else { try self.init(scanning: line) }
    }

    /// The same for a line of any spelling.
    package init(scanning line: UnsafeRawBufferPointer) throws(JSONScanner.Failure) {
        var scanner = JSONScanner(line)
        var fields = Self.blank
        try scanner.members { (key, value) throws(JSONScanner.Failure) in
            guard !key.isEscaped, let known = Self.key(UnsafeRawBufferPointer(rebasing: line[key.range])) else {
                fields.hasOtherKeys = true
                return
            }
            try fields.take(known, value, line)
        }
        guard fields.has(.name) else { throw JSONScanner.Failure(reason: "the line has no name", offset: 0) }
        self = fields
    }

    private init() {}
    static var blank: EntryFields { EntryFields() }

    private mutating func take(
        _ key: Key, _ value: JSONScanner.Value, _ line: UnsafeRawBufferPointer
    ) throws(JSONScanner.Failure) {
        // A key that comes twice: the last one counts, as in Python; the line is then not canonical.
        if has(key) { hasOddValue = true }
        mark(key)
        switch key {
        case .name:
            guard value.kind == .string else {
                throw JSONScanner.Failure(reason: "the name is no string", offset: value.range.lowerBound)
            }
            nameRange = value.range
            nameIsEscaped = value.isEscaped
        case .md5:
            md5 = value.kind == .string ? MD5Digest(hex: UnsafeRawBufferPointer(rebasing: line[value.range])) : nil
            if md5 == nil {
                // Other programs may spell it in capitals: the same md5, in a line that is kept as it is.
                if value.kind == .string { md5 = MD5Digest(hex: TerminalText.lossy(line[value.range]).lowercased()) }
                hasOddValue = true
            }
        case .isLink:
            isLinkFalse = value.kind == .literal && line[value.range.lowerBound] == UInt8(ascii: "f")
            if !isLinkFalse { hasOddValue = true }
        case .type:
            isTypeFile = value.kind == .string && line[value.range].elementsEqual("file".utf8)
            if !isTypeFile { hasOddValue = true }
        case .created, .mtime:
            if value.kind != .number { hasOddValue = true }
            let range = value.kind == .number ? value.range : 0..<0
            if key == .mtime { mtimeRange = range } else { createdRange = range }
        case .size: size = takeInteger(key, value, line)
        case .mode: mode = takeInteger(key, value, line)
        case .uid: uid = takeInteger(key, value, line)
        case .gid: gid = takeInteger(key, value, line)
        case .linkCount: linkCount = takeInteger(key, value, line)
        case .inode: inode = takeInteger(key, value, line)
        case .mtimeNs: mtimeNs = takeInteger(key, value, line)
        case .ctimeNs: ctimeNs = takeInteger(key, value, line)
        }
    }

    private mutating func takeInteger(
        _ key: Key, _ value: JSONScanner.Value, _ line: UnsafeRawBufferPointer
    ) -> Int64 {
        if value.kind == .number, let integer = JSONScanner.canonicalInteger(line[value.range]) { return integer }
        // Nothing that could be used as this key's number: as if it were absent.
        hasOddValue = true
        present &= ~(1 << UInt32(key.rawValue))
        return 0
    }

    private static func key(_ bytes: UnsafeRawBufferPointer) -> Key? {
        func equals(_ text: StaticString) -> Bool {
            memcmpEqual(bytes, text)
        }
        switch bytes.count {
        case 3: return equals("gid") ? .gid : equals("ino") ? .inode : equals("md5") ? .md5 : equals("uid") ? .uid : nil
        case 4:
            return equals("mode") ? .mode : equals("name") ? .name : equals("size") ? .size : equals("type") ? .type : nil
        case 5: return equals("mtime") ? .mtime : equals("nlink") ? .linkCount : nil
        case 6: return equals("islink") ? .isLink : nil
        case 7: return equals("created") ? .created : nil
        case 8: return equals("mtime_ns") ? .mtimeNs : equals("ctime_ns") ? .ctimeNs : nil
        default: return nil
        }
    }

    /// The name's bytes. `buffer` is scratch for names with escapes; nil where they stand for no name of a file.
    package func withName<R>(
        of line: UnsafeRawBufferPointer, scratch buffer: inout [UInt8], _ body: (UnsafeRawBufferPointer) throws -> R
    ) rethrows -> R? {
        let contents = UnsafeRawBufferPointer(rebasing: line[nameRange])
        guard nameIsEscaped else { return try body(contents) }
        guard PythonString.decode(contents, into: &buffer) else { return nil }
        return try buffer.withUnsafeBytes(body)
    }

    /// The modification time in nanoseconds: the exact key, else the double's.
    package func modificationNanoseconds(of line: UnsafeRawBufferPointer) -> Int64? {
        if has(.mtimeNs) { return mtimeNs }
        return Self.double(line, mtimeRange).flatMap(PythonNumber.nanoseconds(double:))
    }

    /// The double that a number's text stands for.
    package static func double(_ line: UnsafeRawBufferPointer, _ range: Range<Int>) -> Double? {
        guard !range.isEmpty, let text = line[range].withMemoryRebound(to: CChar.self, { $0.baseAddress }) else { return nil }
        var value = 0.0
        if cplatform_parse_double(text, range.count, &value) != 0 { return value }
        return Double(String(decoding: line[range], as: UTF8.self))
    }
}

@inline(__always)
private func memcmpEqual(_ bytes: UnsafeRawBufferPointer, _ text: StaticString) -> Bool {
    let count = text.utf8CodeUnitCount
    guard bytes.count == count else { return false }
    for index in 0..<count where bytes[index] != text.utf8Start[index] { return false }
    return true
}
