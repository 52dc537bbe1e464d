/// The widths and sides of a table's columns, and a line laid out by them.
struct TableLayout {
    private struct Slot {
        var width: Int
        /// Longer text is cut, as the column was shortened for the terminal.
        var isCut = false
        let isRight: Bool
    }

    /// A shortened column keeps this much, even if the line then overflows.
    private static let minimumWidth = 4
    private static let gap = 2

    private var slots: [Slot]

    /// Measures `header` and `rows`, and shortens the widest text until a line fits `terminalColumns`.
    init(header: [TableField], rows: [[TableField]], terminalColumns: Int?) {
        slots = header.indices.map { index in
            var width = header[index].width
            var hasNumber = false
            var hasText = false
            for row in rows {
                width = max(width, row[index].width)
                if row[index].kind == .number { hasNumber = true }
                if row[index].kind == .text { hasText = true }
            }
            return Slot(width: width, isRight: hasNumber && !hasText)
        }
        if let terminalColumns { shorten(to: terminalColumns) }
    }

    /// Finds the width that no text column may exceed: narrow ones keep theirs, wide ones share the rest.
    private mutating func shorten(to total: Int) {
        let fixed = slots.filter(\.isRight).reduce(0) { $0 + $1.width }
        var budget = total - fixed - Self.gap * (slots.count - 1)
        let widths = slots.filter { !$0.isRight }.map(\.width).sorted()
        for (index, width) in widths.enumerated() {
            let remaining = widths.count - index
            if width * remaining > budget {
                let limit = max(Self.minimumWidth, budget / remaining)
                for slot in slots.indices where !slots[slot].isRight && slots[slot].width > limit {
                    slots[slot].width = limit
                    slots[slot].isCut = true
                }
                return
            }
            budget -= width
        }
    }

    /// Appends a line without spaces at its end.
    func append(_ fields: [TableField], to buffer: inout [UInt8], end: String = "\n") {
        var spaces = 0
        for (index, field) in fields.enumerated() {
            let slot = slots[index]
            var (text, width) = (field.text, field.width)
            if slot.isCut && width > slot.width { (text, width) = TextWidth.cut(text, to: slot.width) }
            let padding = max(0, slot.width - width)
            if index > 0 { spaces += Self.gap }
            if slot.isRight { spaces += padding }
            if !text.isEmpty {
                buffer.append(contentsOf: repeatElement(UInt8(ascii: " "), count: spaces))
                buffer.append(contentsOf: text)
                spaces = 0
            }
            if !slot.isRight { spaces += padding }
        }
        buffer.append(contentsOf: end.utf8)
    }

    func appendRule(to buffer: inout [UInt8]) {
        for (index, slot) in slots.enumerated() {
            if index > 0 { buffer.append(contentsOf: repeatElement(UInt8(ascii: " "), count: Self.gap)) }
            buffer.append(contentsOf: repeatElement(UInt8(ascii: "-"), count: slot.width))
        }
        buffer.append(UInt8(ascii: "\n"))
    }
}
