import SnapcatPlatform

/// One line of a snapshot: a file with its metadata and md5.
///
/// Keys that snapcat does not know (those of other file systems) are kept; `json(forKey:)` gives any value as it
/// is spelled in the line.
public struct Entry: Sendable, Equatable {
    /// The line, without its newline.
    public let line: [UInt8]
    public let name: EntryName
    /// nil where the line has none that is usable.
    public let md5: MD5Digest?
    /// In bytes.
    public let size: Int64?
    /// The full `st_mode`.
    public let mode: Int64?
    public let uid: Int64?
    public let gid: Int64?
    public let inode: Int64?
    public let linkCount: Int64?
    public let mtimeNanoseconds: Int64?
    public let ctimeNanoseconds: Int64?
    /// Seconds, as Python's `st_mtime`.
    public let mtime: Double?

    /// Parses one line. Throws `.damage` where it is no JSON object with a name that a file can have.
    public init(line: [UInt8]) throws(SnapcatError) {
        let parsed = line.withUnsafeBytes { bytes -> Result<(EntryFields, EntryName, Double?), JSONScanner.Failure> in
            do throws(JSONScanner.Failure) {
                let fields = try EntryFields(bytes)
                var scratch: [UInt8] = []
                guard let name = fields.withName(of: bytes, scratch: &scratch, { EntryName(Array($0)) }) else {
                    throw JSONScanner.Failure(
                        reason: "the name holds a lone surrogate", offset: fields.nameRange.lowerBound)
                }
                return .success((fields, name, EntryFields.double(bytes, fields.mtimeRange)))
            } catch { return .failure(error) }
        }
        do throws(JSONScanner.Failure) {
            let (fields, name, mtime) = try parsed.get()
            self.init(line: line, fields: fields, name: name, mtime: mtime)
        } catch {
            throw SnapcatError(.damage, "Bad snapshot line", reason: "\(error.reason) at byte \(error.offset)")
        }
    }

    /// Of a line that has been parsed.
    init(line: [UInt8], fields: EntryFields, name: EntryName, mtime: Double?) {
        self.line = line
        self.name = name
        self.mtime = mtime
        md5 = fields.md5
        func integer(_ key: EntryFields.Key, _ value: Int64, _ range: Bool = true) -> Int64? {
            fields.has(key) ? value : nil
        }
        size = integer(.size, fields.size)
        mode = integer(.mode, fields.mode)
        uid = integer(.uid, fields.uid)
        gid = integer(.gid, fields.gid)
        inode = integer(.inode, fields.inode)
        linkCount = integer(.linkCount, fields.linkCount)
        ctimeNanoseconds = integer(.ctimeNs, fields.ctimeNs)
        mtimeNanoseconds = integer(.mtimeNs, fields.mtimeNs)
    }

    /// The keys of the line with their values as JSON text, in the order of the line.
    public func members() -> [(key: [UInt8], json: [UInt8])] {
        line.withUnsafeBytes { bytes in
            var result: [(key: [UInt8], json: [UInt8])] = []
            var scanner = JSONScanner(bytes)
            do throws(JSONScanner.Failure) {
                try scanner.members { (key, value) throws(JSONScanner.Failure) in
                    var decoded: [UInt8] = []
                    _ = PythonString.decode(UnsafeRawBufferPointer(rebasing: bytes[key.range]), into: &decoded)
                    let range = value.kind == .string
                        ? value.range.lowerBound - 1..<value.range.upperBound + 1 : value.range
                    result.append((decoded, Array(bytes[range])))
                }
            } catch {
                // The line was parsed by init: it cannot fail now.
                preconditionFailure("a parsed line does not parse: \(error.reason)")
            }
            return result
        }
    }

    /// The JSON text of a key's value, nil where the line has no such key.
    public func json(forKey key: String) -> [UInt8]? {
        members().last { $0.key.elementsEqual(key.utf8) }?.json
    }
}
