import SnapcatCatalog
import SnapcatFormat
import SnapcatPlatform

/// One line of a snapshot.
enum LineFuzz {
    static func check(_ input: [UInt8]) throws {
        // A reader hands over lines: no newline is in one.
        let line = input.filter { $0 != 0x0a }
        let quick = fields(line) { bytes throws(JSONScanner.Failure) in try EntryFields(bytes) }
        let general = fields(line) { bytes throws(JSONScanner.Failure) in try EntryFields(scanning: bytes) }
        var spelled = quick
        spelled?.hasOwnSpelling = false
        try claim(spelled == general, "the quick parser and the general one differ: \(text(line))")
        let entry = try outcome { try Entry(line: line) }
        try checkReader(line, against: entry)
        guard let entry = entry.success, let fields = quick else {
            if let error = entry.failure { try claim(error.code == .damage, "\(error.code) instead of damage") }
            return
        }
        var scratch: [UInt8] = []
        let version = line.withUnsafeBytes {
            EntryVersion(line: $0, fields: fields, name: entry.name.bytes, scratch: &scratch)
        }
        try claim(version.line(name: entry.name.bytes) == line, "the catalog does not give the line back: \(text(line))")
        let members = entry.members()
        try claim(members.contains { $0.key.elementsEqual("name".utf8) }, "no name among the members: \(text(line))")
    }

    /// nil where it is no line.
    private static func fields(
        _ line: [UInt8], _ parse: (UnsafeRawBufferPointer) throws(JSONScanner.Failure) -> EntryFields
    ) -> EntryFields? {
        line.withUnsafeBytes { bytes in
            do throws(JSONScanner.Failure) { return try parse(bytes) } catch { return nil }
        }
    }

    /// The reader of a whole snapshot says the same of its line.
    private static func checkReader(_ line: [UInt8], against entry: Result<Entry, SnapcatError>) throws {
        let reader = EntryReader(ArraySource(line), name: "fuzz")
        // Blank lines are skipped.
        guard try reader.advance() else { return }
        let read = try outcome { try reader.entry() }
        try claim(read.success == entry.success, "the reader and the line alone differ: \(text(line))")
    }
}

/// Bytes as a message shows them.
func text(_ bytes: [UInt8]) -> String { String(decoding: bytes.prefix(2000), as: UTF8.self).debugDescription }
