import CPlatform
import SnapcatFormat
import SnapcatPlatform

/// The lines of a snapshot as a merge reads them: looked into only where it must be, and then checked to ascend.
///
/// A run of lines that both sides of a merge share needs no check: whatever its order, both are behind it.
final class OrderedEntries {
    private let reader: EntryReader
    private(set) var isAtEnd = false
    /// The line before the current one, and its name where it is known.
    private var lastLine: [UInt8] = []
    private var lastName: [UInt8] = []
    private var knowsLastName = false
    private var isChecked = false

    init(_ reader: EntryReader) throws {
        self.reader = reader
        isAtEnd = try !reader.advance()
    }

    var line: UnsafeRawBufferPointer { reader.line }

    /// Steps to the next line.
    func advance() throws {
        knowsLastName = reader.fields != nil
        if knowsLastName {
            lastName.removeAll(keepingCapacity: true)
            lastName.append(contentsOf: reader.entryName)
        }
        lastLine.removeAll(keepingCapacity: true)
        lastLine.append(contentsOf: reader.line)
        isChecked = false
        isAtEnd = try !reader.advance()
    }

    /// Looks into the current line; of lines with one name and one md5 only the first is ever seen.
    ///
    /// Throws `EntryReader.OrderProblem` where it sorts before the line before it.
    func look() throws {
        while !isAtEnd && !isChecked {
            let fields = try reader.parse()
            let order = try compareWithLast()
            if order > 0 { throw EntryReader.OrderProblem.unsorted(line: reader.lineNumber) }
            if order == 0 {
                guard try lastLine.withUnsafeBytes({ try EntryFields($0) }).md5 == fields.md5 else {
                    throw reader.damage("'\(TerminalText.lossy(reader.entryName))' comes twice with different contents")
                }
                try advance()
                continue
            }
            isChecked = true
        }
    }

    private func compareWithLast() throws -> Int {
        if lastLine.isEmpty { return -1 }
        if !knowsLastName {
            let fields = try lastLine.withUnsafeBytes { try EntryFields($0) }
            var scratch: [UInt8] = []
            lastName = lastLine.withUnsafeBytes { fields.withName(of: $0, scratch: &scratch) { Array($0) } } ?? []
            knowsLastName = true
        }
        return lastName.withUnsafeBytes { last in reader.entryName.withUnsafeBytes { NameOrder.compare(last, $0) } }
    }

    /// The line before the current one is the same, byte for byte.
    var repeatsLastLine: Bool {
        guard lastLine.count == reader.line.count, let line = reader.line.baseAddress else { return false }
        return lastLine.withUnsafeBytes { $0.baseAddress.map { memcmp($0, line, lastLine.count) == 0 } ?? false }
    }

    /// After `look`.
    var name: [UInt8] { reader.entryName }

    /// After `look`: the current entry, with its line where it is wanted.
    func item(withEntry: Bool) throws -> SideItem {
        if withEntry { return SideItem(try reader.entry()) }
        return SideItem(try reader.parse(), reader.line)
    }
}

extension SideItem {
    /// An entry without its line.
    fileprivate init(_ fields: EntryFields, _ line: UnsafeRawBufferPointer) {
        self.init(type: "file")
        md5 = fields.md5
        func value(_ key: EntryFields.Key, _ value: Int64) -> Int64? { fields.has(key) ? value : nil }
        size = value(.size, fields.size)
        mode = value(.mode, fields.mode)
        uid = value(.uid, fields.uid)
        gid = value(.gid, fields.gid)
        mtimeNanoseconds = value(.mtimeNs, fields.mtimeNs)
        mtime = EntryFields.double(line, fields.mtimeRange) ?? mtimeNanoseconds.map(PythonNumber.double(nanoseconds:))
    }
}
