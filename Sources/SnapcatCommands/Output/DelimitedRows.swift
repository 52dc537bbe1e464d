import SnapcatPlatform

/// Rows as csv (RFC 4180, but rows end in `\n` alone): the bytes of text as they are, quoted where needed.
///
/// NULL is the empty field and an empty text is `""`. So a NULL in a table of one column is an empty line.
struct CSVRows: RowEncoder {
    let columns: [Column]

    func start(_ buffer: inout [UInt8]) {
        if !columns.isEmpty { append(columns.map { .string($0.name) }, to: &buffer) }
    }

    func append(_ cells: [Cell], to buffer: inout [UInt8]) {
        for (index, cell) in cells.enumerated() {
            if index > 0 { buffer.append(UInt8(ascii: ",")) }
            switch cell {
            case .null: break
            // Numbers are never quoted.
            case .integer(let value): buffer.append(contentsOf: String(value).utf8)
            case .real(let value): buffer.append(contentsOf: value.description.utf8)
            default: Self.appendField(cell.plainBytes, to: &buffer)
            }
        }
        buffer.append(UInt8(ascii: "\n"))
    }

    func finish(_ buffer: inout [UInt8]) {}

    private static func appendField(_ bytes: [UInt8], to buffer: inout [UInt8]) {
        let quote = UInt8(ascii: "\"")
        guard bytes.isEmpty || bytes.contains(where: needsQuotes) else {
            return buffer.append(contentsOf: bytes)
        }
        buffer.append(quote)
        for byte in bytes {
            if byte == quote { buffer.append(quote) }
            buffer.append(byte)
        }
        buffer.append(quote)
    }

    private static func needsQuotes(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: ","), UInt8(ascii: "\""), UInt8(ascii: "\n"), UInt8(ascii: "\r"): true
        default: false
        }
    }
}

/// Rows as tab-separated lines, one row a line whatever the cells hold. NULL is the empty field.
///
/// A backslash is `\\`, control characters are escaped as by `TerminalText.oneLine` (`\t`, `\n`, `\u001b`),
/// and a byte that is not UTF-8 is `\xff`: so the exact bytes can be told from the output.
struct TSVRows: RowEncoder {
    let columns: [Column]

    func start(_ buffer: inout [UInt8]) {
        if !columns.isEmpty { append(columns.map { .string($0.name) }, to: &buffer) }
    }

    func append(_ cells: [Cell], to buffer: inout [UInt8]) {
        for (index, cell) in cells.enumerated() {
            if index > 0 { buffer.append(UInt8(ascii: "\t")) }
            let bytes = cell.plainBytes
            if CellText.isPrintableASCII(bytes) && !bytes.contains(UInt8(ascii: "\\")) {
                buffer.append(contentsOf: bytes)
            } else {
                buffer.append(contentsOf: Self.escaped(bytes).utf8)
            }
        }
        buffer.append(UInt8(ascii: "\n"))
    }

    func finish(_ buffer: inout [UInt8]) {}

    private static func escaped(_ bytes: [UInt8]) -> String {
        var text = ""
        var input = bytes.makeIterator()
        var parser = Unicode.UTF8.ForwardParser()
        var position = 0
        while true {
            switch parser.parseScalar(from: &input) {
            case .valid(let encoded):
                let scalar = Unicode.UTF8.decode(encoded)
                text.unicodeScalars.append(scalar)
                if scalar == "\\" { text.unicodeScalars.append(scalar) }
                position += encoded.count
            case .error(let length):
                for byte in bytes[position..<position + length] {
                    text += "\\x" + String(decoding: BinaryText.hex([byte]), as: UTF8.self)
                }
                position += length
            case .emptyInput:
                return TerminalText.oneLine(text)
            }
        }
    }
}

/// Rows as a table of GitHub Flavored Markdown. NULL is the empty cell.
///
/// `|` is escaped, and a backslash where Markdown would take it for an escape; control characters as in a
/// table. Other marks (`_`, `<`) stay.
struct MarkdownRows: RowEncoder {
    let columns: [Column]

    func start(_ buffer: inout [UInt8]) {
        guard !columns.isEmpty else { return }
        append(columns.map { .string($0.name) }, to: &buffer)
        for _ in columns { buffer.append(contentsOf: "| --- ".utf8) }
        buffer.append(contentsOf: "|\n".utf8)
    }

    func append(_ cells: [Cell], to buffer: inout [UInt8]) {
        for cell in cells {
            buffer.append(contentsOf: "| ".utf8)
            Self.appendEscaped(CellText.visible(cell.plainBytes), to: &buffer)
            buffer.append(UInt8(ascii: " "))
        }
        buffer.append(contentsOf: "|\n".utf8)
    }

    func finish(_ buffer: inout [UInt8]) {}

    private static func appendEscaped(_ bytes: [UInt8], to buffer: inout [UInt8]) {
        let backslash = UInt8(ascii: "\\")
        for (index, byte) in bytes.enumerated() {
            let isEscape = byte == backslash && index + 1 < bytes.count && isPunctuation(bytes[index + 1])
            if byte == UInt8(ascii: "|") || isEscape { buffer.append(backslash) }
            buffer.append(byte)
        }
    }

    /// What a backslash escapes in Markdown (CommonMark 2.1, ASCII punctuation).
    private static func isPunctuation(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x21...0x2f, 0x3a...0x40, 0x5b...0x60, 0x7b...0x7e: true
        default: false
        }
    }
}
