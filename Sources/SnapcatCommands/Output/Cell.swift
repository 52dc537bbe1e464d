/// One value of a printed row.
package enum Cell: Sendable, Equatable {
    case null
    case integer(Int64)
    case real(Double)
    /// Text as bytes, which need not be UTF-8: names of files are bytes.
    case text([UInt8])
    case blob([UInt8])
    case boolean(Bool)
    /// One JSON value, already spelled: raw in json and jsonl, text elsewhere. Only its line breaks, which
    /// JSON has between tokens only, become spaces. Empty stands for no value.
    case json([UInt8])

    /// Text, `null` where there is none.
    package static func string(_ text: String?) -> Cell {
        text.map { .text(Array($0.utf8)) } ?? .null
    }

    /// A count, `null` where there is none.
    package static func int(_ value: Int?) -> Cell {
        value.map { .integer(Int64($0)) } ?? .null
    }
}

extension Cell {
    /// Numbers, as opposed to what is read as text.
    var isNumber: Bool {
        switch self {
        case .integer, .real: true
        default: false
        }
    }

    /// The value as csv, tsv, markdown and table spell it before they escape: nothing for `null`, a blob as
    /// lower-case hex, the shortest digits of a real that read back (`inf` and `nan` where it is not finite).
    var plainBytes: [UInt8] {
        switch self {
        case .null: []
        case .integer(let value): Array(String(value).utf8)
        case .real(let value): Array(value.description.utf8)
        case .text(let bytes), .json(let bytes): bytes
        case .blob(let bytes): BinaryText.hex(bytes)
        case .boolean(let value): Array((value ? "true" : "false").utf8)
        }
    }
}
