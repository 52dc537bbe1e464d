import SnapcatFormat
import SnapcatPlatform

/// The columns of a version of an entry, and the line that they spell.
///
/// The line can always be had back, byte for byte: from the columns alone for the usual lines, from `extra` for
/// those of other file systems, from `line` for any that is spelled in no canonical way.
package struct EntryVersion: TemporalContent, Sendable {
    private enum Shape: Int64 {
        case snapcat = 0
        case snapshooter = 1
        case other = 2
    }

    package var md5: MD5Digest?
    package var size: Int64?
    private var mode: Int64?
    private var uid: Int64?
    private var gid: Int64?
    private var mtimeNs: Int64?
    private var ctimeNs: Int64?
    private var inode: Int64?
    private var linkCount: Int64?
    private var mtime: Double?
    private var created: Double?
    private var shape: Shape
    private var extra: [UInt8]?
    private var rawLine: [UInt8]?

    package static let table = "version"
    package static let columns = [
        "md5", "size", "mode", "uid", "gid", "mtime_ns", "ctime_ns", "inode", "link_count", "mtime", "created",
        "shape", "extra", "line",
    ]

    // MARK: From a line

    package init(line: UnsafeRawBufferPointer, fields: EntryFields, name: [UInt8], scratch: inout [UInt8]) {
        md5 = fields.md5
        func value(_ key: EntryFields.Key, _ value: Int64) -> Int64? { fields.has(key) ? value : nil }
        size = value(.size, fields.size)
        mode = value(.mode, fields.mode)
        uid = value(.uid, fields.uid)
        gid = value(.gid, fields.gid)
        mtimeNs = value(.mtimeNs, fields.mtimeNs)
        ctimeNs = value(.ctimeNs, fields.ctimeNs)
        inode = value(.inode, fields.inode)
        linkCount = value(.linkCount, fields.linkCount)
        if fields.isSnapcatShape {
            // The doubles of the exact times: that they are spelled so is checked below, with the line.
            shape = .snapcat
        } else if fields.isSnapshooterShape {
            shape = .snapshooter
            mtime = EntryFields.double(line, fields.mtimeRange)
            created = EntryFields.double(line, fields.createdRange)
        } else {
            shape = .other
            (mtime, created, extra) = Self.otherKeys(line, fields)
            if fields.hasOddValue { clearOddColumns(line) }
        }
        if fields.hasOwnSpelling, spellsTimes(of: line, fields, scratch: &scratch) { return }
        spell(name, into: &scratch)
        if !Self.areEqual(scratch, line) {
            if shape == .snapcat {
                // Times that are not the doubles of the exact ones have columns of their own.
                mtime = EntryFields.double(line, fields.mtimeRange)
                created = EntryFields.double(line, fields.createdRange)
                spell(name, into: &scratch)
                if Self.areEqual(scratch, line) { return }
            }
            rawLine = Array(line)
        }
    }

    /// Whether the line has the times as they would be spelled: all that is left to prove of one in snapcat's spelling.
    private func spellsTimes(of line: UnsafeRawBufferPointer, _ fields: EntryFields, scratch: inout [UInt8]) -> Bool {
        for (double, exact, range) in [(created, ctimeNs, fields.createdRange), (mtime, mtimeNs, fields.mtimeRange)] {
            scratch.removeAll(keepingCapacity: true)
            PythonNumber.appendRepr(double ?? PythonNumber.double(nanoseconds: exact ?? 0), to: &scratch)
            if !Self.areEqual(scratch, UnsafeRawBufferPointer(rebasing: line[range])) { return false }
        }
        return true
    }

    private static func areEqual(_ spelled: [UInt8], _ line: UnsafeRawBufferPointer) -> Bool {
        spelled.withUnsafeBytes { $0.isSame(as: line) }
    }

    /// The members that no column holds as they are spelled, and the times where their double spells them.
    private static func otherKeys(
        _ line: UnsafeRawBufferPointer, _ fields: EntryFields
    ) -> (mtime: Double?, created: Double?, extra: [UInt8]?) {
        // A time that is spelled in another way has its column all the same: the line itself is kept then.
        let mtime = EntryFields.double(line, fields.mtimeRange)
        let created = EntryFields.double(line, fields.createdRange)
        var members: [(key: [UInt8], json: [UInt8])] = []
        forEachMember(line) { key, json in
            if !isColumn(key, json: json, mtime: mtime, created: created) { members.append((Array(key), Array(json))) }
        }
        return (mtime, created, members.isEmpty ? nil : object(members))
    }

    private static func isColumn(
        _ key: UnsafeRawBufferPointer, json: UnsafeRawBufferPointer, mtime: Double?, created: Double?
    ) -> Bool {
        switch String(decoding: key, as: UTF8.self) {
        case "name": return true
        case "md5": return json.count == 34 && MD5Digest(hex: json.dropFirst().dropLast()) != nil
        case "mtime": return mtime != nil
        case "created": return created != nil
        case "size", "mode", "uid", "gid", "mtime_ns", "ctime_ns", "ino", "nlink":
            return JSONScanner.canonicalInteger(json[...]) != nil
        default: return false
        }
    }

    /// A known key with a value that its column cannot hold is in `extra`, and its column is NULL.
    private mutating func clearOddColumns(_ line: UnsafeRawBufferPointer) {
        var odd: Set<String> = []
        Self.forEachMember(line) { key, json in
            if !Self.isColumn(key, json: json, mtime: mtime, created: created) {
                odd.insert(String(decoding: key, as: UTF8.self))
            }
        }
        if odd.contains("size") { size = nil }
        if odd.contains("mode") { mode = nil }
        if odd.contains("uid") { uid = nil }
        if odd.contains("gid") { gid = nil }
        if odd.contains("mtime_ns") { mtimeNs = nil }
        if odd.contains("ctime_ns") { ctimeNs = nil }
        if odd.contains("ino") { inode = nil }
        if odd.contains("nlink") { linkCount = nil }
    }

    private static func forEachMember(
        _ line: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Void
    ) {
        var scanner = JSONScanner(line)
        do throws(JSONScanner.Failure) {
            try scanner.members { (key, value) throws(JSONScanner.Failure) in
                let quote = value.kind == .string ? 1 : 0
                body(
                    UnsafeRawBufferPointer(rebasing: line[key.range]),
                    UnsafeRawBufferPointer(
                        rebasing: line[value.range.lowerBound - quote..<value.range.upperBound + quote]))
            }
        } catch {
            preconditionFailure("a parsed line does not parse: \(error.reason)")
        }
    }

    // MARK: To a line

    /// The line, byte for byte.
    package func line(name: [UInt8]) -> [UInt8] {
        if let rawLine { return rawLine }
        var result: [UInt8] = []
        spell(name, into: &result)
        return result
    }

    private func spell(_ name: [UInt8], into line: inout [UInt8]) {
        line.removeAll(keepingCapacity: true)
        guard shape != .other, let md5, let size, let mode, let uid, let gid, let inode, let linkCount else {
            return spellOther(name, into: &line)
        }
        let local = EntryLine.Local(
            md5: md5, size: size, mode: mode, uid: uid, gid: gid, inode: inode, linkCount: linkCount,
            created: created ?? PythonNumber.double(nanoseconds: ctimeNs ?? 0),
            mtime: mtime ?? PythonNumber.double(nanoseconds: mtimeNs ?? 0),
            mtimeNs: shape == .snapcat ? mtimeNs : nil, ctimeNs: shape == .snapcat ? ctimeNs : nil)
        name.withUnsafeBytes { EntryLine.append(local, name: $0, to: &line) }
    }

    private func spellOther(_ name: [UInt8], into line: inout [UInt8]) {
        var members: [(key: [UInt8], json: [UInt8])] = []
        if let extra {
            extra.withUnsafeBytes { Self.forEachMember($0) { members.append((Array($0), Array($1))) } }
        }
        func add(_ key: String, _ value: Int64?) {
            guard let value else { return }
            var json: [UInt8] = []
            PythonNumber.appendInteger(value, to: &json)
            members.append((Array(key.utf8), json))
        }
        func add(_ key: String, real value: Double?) {
            guard let value else { return }
            var json: [UInt8] = []
            PythonNumber.appendRepr(value, to: &json)
            members.append((Array(key.utf8), json))
        }
        add("size", size)
        add("mode", mode)
        add("uid", uid)
        add("gid", gid)
        add("mtime_ns", mtimeNs)
        add("ctime_ns", ctimeNs)
        add("ino", inode)
        add("nlink", linkCount)
        add("mtime", real: mtime)
        add("created", real: created)
        if let md5 {
            members.append((Array("md5".utf8), [UInt8(ascii: "\"")] + md5.hexBytes + [UInt8(ascii: "\"")]))
        }
        var quotedName: [UInt8] = []
        PythonString.appendQuoted(name, to: &quotedName)
        members.append((Array("name".utf8), quotedName))
        line += Self.object(members.sorted { $0.key.lexicographicallyPrecedes($1.key) })
    }

    private static func object(_ members: [(key: [UInt8], json: [UInt8])]) -> [UInt8] {
        var result: [UInt8] = [UInt8(ascii: "{")]
        for (index, member) in members.enumerated() {
            if index > 0 { result += Array(", ".utf8) }
            result.append(UInt8(ascii: "\""))
            result += member.key
            result += Array("\": ".utf8)
            result += member.json
        }
        result.append(UInt8(ascii: "}"))
        return result
    }

    // MARK: Database

    package init(_ row: Statement, at first: Int32) {
        md5 = row.md5(first)
        size = row.optionalInteger(first + 1)
        mode = row.optionalInteger(first + 2)
        uid = row.optionalInteger(first + 3)
        gid = row.optionalInteger(first + 4)
        mtimeNs = row.optionalInteger(first + 5)
        ctimeNs = row.optionalInteger(first + 6)
        inode = row.optionalInteger(first + 7)
        linkCount = row.optionalInteger(first + 8)
        mtime = row.optionalReal(first + 9)
        created = row.optionalReal(first + 10)
        shape = Shape(rawValue: row.integer(first + 11)) ?? .other
        extra = row.optionalBytes(first + 12)
        rawLine = row.optionalBytes(first + 13)
    }

    package func bind(to statement: Statement, at first: Int32) {
        statement.bind(first, md5: md5).bind(first + 1, size).bind(first + 2, mode).bind(first + 3, uid)
            .bind(first + 4, gid).bind(first + 5, mtimeNs).bind(first + 6, ctimeNs).bind(first + 7, inode)
            .bind(first + 8, linkCount).bind(first + 9, real: mtime).bind(first + 10, real: created)
            .bind(first + 11, shape.rawValue).bind(first + 12, text: extra).bind(first + 13, blob: rawLine)
    }

    package func isSame(as other: EntryVersion, name: [UInt8]) -> Bool { line(name: name) == other.line(name: name) }
}
