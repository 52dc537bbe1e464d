import SnapcatPlatform

/// What every format asks of a cell's text.
enum CellText {
    static func isUTF8(_ bytes: [UInt8]) -> Bool {
        bytes.allSatisfy { $0 < 0x80 } || String(validating: bytes, as: UTF8.self) != nil
    }

    /// The same with U+FFFD for what is not UTF-8.
    static func repaired(_ bytes: [UInt8]) -> [UInt8] {
        Array(TerminalText.lossy(bytes).utf8)
    }

    /// True where nothing need be escaped and each byte is one cell wide: nearly every name.
    static func isPrintableASCII(_ bytes: [UInt8]) -> Bool {
        bytes.allSatisfy { (0x20..<0x7f).contains($0) }
    }

    /// Text to look at: one line of UTF-8 that cannot drive a terminal.
    static func visible(_ bytes: [UInt8]) -> [UInt8] {
        if isPrintableASCII(bytes) { return bytes }
        return Array(TerminalText.oneLine(TerminalText.lossy(bytes)).utf8)
    }
}
