import SnapcatPlatform

/// A JSON text as a tree, for small documents such as a companion's first line. Strings are bytes.
package enum JSONValue: Equatable, Sendable {
    case null
    case boolean(Bool)
    /// The number's own spelling.
    case number([UInt8])
    case string([UInt8])
    case array([JSONValue])
    /// Members in the order of the text.
    case object([(key: String, value: JSONValue)])

    package static func text(_ text: String) -> JSONValue { .string(Array(text.utf8)) }
    package static func integer(_ value: Int64) -> JSONValue {
        var digits: [UInt8] = []
        PythonNumber.appendInteger(value, to: &digits)
        return .number(digits)
    }

    package init(parsing bytes: [UInt8]) throws(JSONScanner.Failure) {
        let result = bytes.withUnsafeBytes { raw -> Result<JSONValue, JSONScanner.Failure> in
            do throws(JSONScanner.Failure) {
                var scanner = JSONScanner(raw)
                try scanner.members { (_, _) throws(JSONScanner.Failure) in }
                var reader = JSONTreeReader(raw)
                return .success(reader.value())
            } catch { return .failure(error) }
        }
        self = try result.get()
    }

    package subscript(key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.last { $0.key == key }?.value
    }

    package var stringBytes: [UInt8]? { if case .string(let bytes) = self { bytes } else { nil } }
    package var stringText: String? { stringBytes.map { TerminalText.lossy($0) } }
    package var integerValue: Int64? {
        guard case .number(let digits) = self else { return nil }
        return digits.withUnsafeBytes { JSONScanner.canonicalInteger($0[...]) }
    }
    package var elements: [JSONValue] { if case .array(let elements) = self { elements } else { [] } }

    /// Appends the value as Python's `json.dumps(sort_keys=True)` would.
    package func append(to buffer: inout [UInt8]) {
        switch self {
        case .null: buffer.append(contentsOf: "null".utf8)
        case .boolean(let value): buffer.append(contentsOf: (value ? "true" : "false").utf8)
        case .number(let digits): buffer.append(contentsOf: digits)
        case .string(let bytes): PythonString.appendQuoted(bytes, to: &buffer)
        case .array(let elements):
            buffer.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { buffer.append(contentsOf: ", ".utf8) }
                element.append(to: &buffer)
            }
            buffer.append(UInt8(ascii: "]"))
        case .object(let members):
            buffer.append(UInt8(ascii: "{"))
            for (index, member) in members.sorted(by: { Array($0.key.utf8).lexicographicallyPrecedes(Array($1.key.utf8)) }).enumerated() {
                if index > 0 { buffer.append(contentsOf: ", ".utf8) }
                PythonString.appendQuoted(member.key, to: &buffer)
                buffer.append(contentsOf: ": ".utf8)
                member.value.append(to: &buffer)
            }
            buffer.append(UInt8(ascii: "}"))
        }
    }

    package var bytes: [UInt8] {
        var result: [UInt8] = []
        append(to: &result)
        return result
    }

    package static func == (left: JSONValue, right: JSONValue) -> Bool { left.bytes == right.bytes }
}

/// Builds the tree of a text that the scanner has found to be valid.
private struct JSONTreeReader {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    mutating func value() -> JSONValue {
        skipSpace()
        switch bytes[position] {
        case UInt8(ascii: "{"): return object()
        case UInt8(ascii: "["): return array()
        case UInt8(ascii: "\""): return .string(string())
        default:
            let start = position
            while position < bytes.count, !Self.ends(bytes[position]) { position += 1 }
            let text = Array(bytes[start..<position])
            switch text.first {
            case UInt8(ascii: "t"): return .boolean(true)
            case UInt8(ascii: "f"): return .boolean(false)
            case UInt8(ascii: "n"): return .null
            default: return .number(text)
            }
        }
    }

    private mutating func object() -> JSONValue {
        var members: [(key: String, value: JSONValue)] = []
        position += 1
        skipSpace()
        while bytes[position] != UInt8(ascii: "}") {
            let key = TerminalText.lossy(string())
            skipSpace()
            position += 1
            members.append((key, value()))
            skipSeparator()
        }
        position += 1
        return .object(members)
    }

    private mutating func array() -> JSONValue {
        var elements: [JSONValue] = []
        position += 1
        skipSpace()
        while bytes[position] != UInt8(ascii: "]") {
            elements.append(value())
            skipSeparator()
        }
        position += 1
        return .array(elements)
    }

    private mutating func string() -> [UInt8] {
        position += 1
        let start = position
        while bytes[position] != UInt8(ascii: "\"") { position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1 }
        var decoded: [UInt8] = []
        let contents = UnsafeRawBufferPointer(rebasing: bytes[start..<position])
        if !PythonString.decode(contents, into: &decoded) { decoded = Array(contents) }
        position += 1
        return decoded
    }

    private mutating func skipSeparator() {
        skipSpace()
        if bytes[position] == UInt8(ascii: ",") { position += 1 }
        skipSpace()
    }

    private mutating func skipSpace() {
        while [0x20, 0x09, 0x0a, 0x0d].contains(bytes[position]) { position += 1 }
    }

    private static func ends(_ byte: UInt8) -> Bool {
        [0x20, 0x09, 0x0a, 0x0d, UInt8(ascii: ","), UInt8(ascii: "]"), UInt8(ascii: "}")].contains(byte)
    }
}
