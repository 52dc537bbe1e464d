/// Rows as JSON objects, keys in column order: in an array (json) or one a line (jsonl).
///
/// A column's key is its name; where several columns share a name, all but the first get `:1`, `:2`, ...
/// after it (`SELECT a, a` gives `a` and `a:1`). What JSON cannot hold comes as base64 under `<key>_b64`,
/// directly after `<key>`: a blob (whose `<key>` is null), and text that is not UTF-8 (whose `<key>` shows
/// U+FFFD). Should that key be a column's, the column keeps it, and the base64 takes `:1` too. A real that is
/// not finite is null. Separators are `", "` and `": "`, as in snapshots (FORMAT.md).
struct JSONRows: RowEncoder {
    /// Quoted, with the colon.
    private let keys: [(value: [UInt8], base64: [UInt8])]
    private let isArray: Bool
    private var isEmpty = true

    init(columns: [Column], isArray: Bool) {
        keys = Self.distinctKeys(columns.map { Array($0.name.utf8) }).map { key in
            (Self.spelled(key.value), Self.spelled(key.base64))
        }
        self.isArray = isArray
    }

    func start(_ buffer: inout [UInt8]) {
        if isArray { buffer.append(UInt8(ascii: "[")) }
    }

    mutating func append(_ cells: [Cell], to buffer: inout [UInt8]) {
        if isArray { buffer.append(contentsOf: (isEmpty ? "\n " : ",\n ").utf8) }
        isEmpty = false
        buffer.append(UInt8(ascii: "{"))
        for index in cells.indices {
            if index > 0 { buffer.append(contentsOf: ", ".utf8) }
            buffer.append(contentsOf: keys[index].value)
            if let bytes = Self.append(cells[index], to: &buffer) {
                buffer.append(contentsOf: ", ".utf8)
                buffer.append(contentsOf: keys[index].base64)
                buffer.append(UInt8(ascii: "\""))
                BinaryText.appendBase64(bytes, to: &buffer)
                buffer.append(UInt8(ascii: "\""))
            }
        }
        buffer.append(UInt8(ascii: "}"))
        if !isArray { buffer.append(UInt8(ascii: "\n")) }
    }

    func finish(_ buffer: inout [UInt8]) {
        if isArray { buffer.append(contentsOf: (isEmpty ? "]\n" : "\n]\n").utf8) }
    }

    /// Appends the value, and returns the bytes that must follow as base64, nil where JSON holds them.
    private static func append(_ cell: Cell, to buffer: inout [UInt8]) -> [UInt8]? {
        switch cell {
        case .null:
            buffer.append(contentsOf: "null".utf8)
        case .integer(let value):
            buffer.append(contentsOf: String(value).utf8)
        case .real(let value):
            buffer.append(contentsOf: (value.isFinite ? value.description : "null").utf8)
        case .boolean(let value):
            buffer.append(contentsOf: (value ? "true" : "false").utf8)
        case .blob(let bytes):
            buffer.append(contentsOf: "null".utf8)
            return bytes
        case .text(let bytes):
            let isUTF8 = CellText.isUTF8(bytes)
            JSONText.appendQuoted(isUTF8 ? bytes : CellText.repaired(bytes), to: &buffer)
            return isUTF8 ? nil : bytes
        case .json(let bytes):
            let isUTF8 = CellText.isUTF8(bytes)
            JSONText.appendVerbatim(isUTF8 ? bytes : CellText.repaired(bytes), to: &buffer)
            return isUTF8 ? nil : bytes
        }
        return nil
    }

    /// Compares names as bytes: equal Strings may differ in bytes, and are different keys.
    private static func distinctKeys(_ names: [[UInt8]]) -> [(value: [UInt8], base64: [UInt8])] {
        var taken = Set(names)
        var seen: Set<[UInt8]> = []
        let values = names.map { seen.insert($0).inserted ? $0 : numbered($0, &taken) }
        return values.map { value in
            let base64 = value + Array("_b64".utf8)
            return (value, taken.insert(base64).inserted ? base64 : numbered(base64, &taken))
        }
    }

    private static func numbered(_ name: [UInt8], _ taken: inout Set<[UInt8]>) -> [UInt8] {
        var number = 1
        while true {
            let candidate = name + Array(":\(number)".utf8)
            if taken.insert(candidate).inserted { return candidate }
            number += 1
        }
    }

    private static func spelled(_ key: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        JSONText.appendQuoted(key, to: &result)
        result.append(contentsOf: ": ".utf8)
        return result
    }
}
