import SnapcatPlatform

/// Reads the entries of a snapshot in order, one at a time.
///
/// `advance` only finds the next line; `parse` looks into it. A merge that finds two lines equal byte for byte
/// never parses them.
package final class EntryReader {
    /// How names follow each other. Known once the reader is at its end (of the lines that were parsed).
    package enum OrderProblem: Error {
        /// A name sorts before the one before it.
        case unsorted(line: Int)
    }

    private let lines: LineReader
    package let name: String
    /// The current line; empty before the first and after the last.
    package private(set) var line = UnsafeRawBufferPointer(start: nil, count: 0)
    package private(set) var isAtEnd = false
    /// Of the current line, after `parse`.
    package private(set) var fields: EntryFields?
    private var scratch: [UInt8] = []
    /// The name of the current line, after `parse`.
    package private(set) var entryName: [UInt8] = []

    package convenience init(_ source: any ByteSource, name: String) {
        self.init(LineReader(source, name: name), name: name)
    }

    package init(_ lines: LineReader, name: String) {
        self.lines = lines
        self.name = name
    }

    package var lineNumber: Int { lines.lineNumber }

    /// Steps to the next line. False at the end.
    package func advance() throws -> Bool {
        fields = nil
        guard let next = try lines.next() else {
            line = UnsafeRawBufferPointer(start: nil, count: 0)
            isAtEnd = true
            return false
        }
        line = next
        return true
    }

    /// Parses the current line, once. Throws `.damage` with the file and the line's number.
    @discardableResult
    package func parse() throws -> EntryFields {
        if let fields { return fields }
        let parsed: EntryFields
        do throws(JSONScanner.Failure) { parsed = try EntryFields(line) } catch {
            throw damage("\(error.reason) (byte \(error.offset) of the line)")
        }
        let contents = UnsafeRawBufferPointer(rebasing: line[parsed.nameRange])
        if parsed.nameIsEscaped {
            guard PythonString.decode(contents, into: &entryName) else {
                throw damage("the name holds a lone surrogate, which no file name can hold")
            }
        } else {
            entryName.removeAll(keepingCapacity: true)
            entryName.append(contentsOf: contents)
        }
        fields = parsed
        return parsed
    }

    package func damage(_ reason: String) -> SnapcatError {
        SnapcatError(.damage, "Damaged snapshot", name, reason: "line \(lineNumber): \(reason)")
    }

    /// The current line as a value of its own.
    package func entry() throws -> Entry {
        let fields = try parse()
        return Entry(
            line: Array(line), fields: fields, name: EntryName(entryName), mtime: EntryFields.double(line, fields.mtimeRange))
    }
}
