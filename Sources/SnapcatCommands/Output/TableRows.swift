import Snapcat
/// Rows as aligned columns: a header, a rule, and the rows; for no rows the header alone.
///
/// The widths are those of the first `sampleCount` rows (fewer where they are long), which are held back until then. Later rows may
/// overflow, except in a column that was shortened for the terminal. NULL is empty.
struct TableRows: RowEncoder {
    static let sampleCount = 200
    /// Of text that is held back: values may have many megabytes.
    private static let mostSampleBytes = 8 << 20

    private let columns: [Column]
    private let terminal: TerminalInfo
    private var sample: [[TableField]] = []
    private var sampleBytes = 0
    private var layout: TableLayout?

    init(columns: [Column], terminal: TerminalInfo) {
        self.columns = columns
        self.terminal = terminal
    }

    func start(_ buffer: inout [UInt8]) {}

    mutating func append(_ cells: [Cell], to buffer: inout [UInt8]) {
        let isTerminal = terminal.columns != nil
        let fields = zip(cells, columns).map { cell, column in
            TableField(cell, style: isTerminal ? column.style : .plain)
        }
        if let layout { return layout.append(fields, to: &buffer) }
        sample.append(fields)
        sampleBytes += fields.reduce(0) { $0 + $1.text.count }
        if sample.count == Self.sampleCount || sampleBytes > Self.mostSampleBytes { printSample(to: &buffer) }
    }

    mutating func finish(_ buffer: inout [UInt8]) {
        if layout == nil { printSample(to: &buffer) }
    }

    private mutating func printSample(to buffer: inout [UInt8]) {
        let header = columns.map { TableField(.string($0.name), style: .plain) }
        let layout = TableLayout(header: header, rows: sample, terminalColumns: terminal.columns)
        if !columns.isEmpty {
            if terminal.colour { buffer.append(contentsOf: "\u{1b}[1m".utf8) }
            layout.append(header, to: &buffer, end: terminal.colour ? "\u{1b}[0m\n" : "\n")
        }
        if !sample.isEmpty { layout.appendRule(to: &buffer) }
        for row in sample { layout.append(row, to: &buffer) }
        sample = []
        self.layout = layout
    }
}

/// A cell as a table shows it.
struct TableField {
    enum Kind { case null, number, text }

    let text: [UInt8]
    /// In terminal cells.
    let width: Int
    let kind: Kind

    init(_ cell: Cell, style: Column.Style) {
        let plain = Self.humanised(cell, style) ?? CellText.visible(cell.plainBytes)
        text = plain
        width = TextWidth.cells(plain)
        kind = cell == .null ? .null : cell.isNumber && style != .mode ? .number : .text
    }

    private static func humanised(_ cell: Cell, _ style: Column.Style) -> [UInt8]? {
        let text: String
        switch (style, cell) {
        case (.bytes, .integer(let value)): text = HumanText.bytes(value)
        case (.mode, .integer(let value)): text = HumanText.mode(value)
        case (.count, .integer(let value)): text = HumanText.count(value)
        case (.duration, .integer(let value)): text = HumanText.duration(seconds: Double(value))
        case (.duration, .real(let value)): text = HumanText.duration(seconds: value)
        default: return nil
        }
        return Array(text.utf8)
    }
}
