/// How many cells of a terminal text takes, as `wcwidth` counts: close to what terminals do, not exact.
enum TextWidth {
    /// East Asian Wide and Fullwidth (UAX #11) in broad blocks; emoji come from Unicode's own property.
    private static let wideRanges: [ClosedRange<UInt32>] = [
        0x1100...0x115f, 0x2e80...0x303e, 0x3041...0x33ff, 0x3400...0x4dbf, 0x4e00...0x9fff, 0xa000...0xa4cf,
        0xa960...0xa97c, 0xac00...0xd7a3, 0xf900...0xfaff, 0xfe10...0xfe19, 0xfe30...0xfe6f, 0xff01...0xff60,
        0xffe0...0xffe6, 0x16fe0...0x18cff, 0x1aff0...0x1b2ff, 0x1f200...0x1f265, 0x20000...0x3fffd,
    ]
    private static let regionalIndicators: ClosedRange<UInt32> = 0x1f1e6...0x1f1ff
    private static let softHyphen: UInt32 = 0xad

    /// The width of UTF-8 without control characters.
    static func cells(_ bytes: [UInt8]) -> Int {
        if CellText.isPrintableASCII(bytes) { return bytes.count }
        return String(decoding: bytes, as: UTF8.self).unicodeScalars.reduce(0) { $0 + cells($1) }
    }

    /// The start of `bytes` and an ellipsis, together at most `limit` (at least 1) cells wide.
    static func cut(_ bytes: [UInt8], to limit: Int) -> (text: [UInt8], width: Int) {
        var kept = ""
        var width = 0
        for character in String(decoding: bytes, as: UTF8.self) {
            let next = character.unicodeScalars.reduce(0) { $0 + cells($1) }
            if width + next > limit - 1 { break }
            kept.append(character)
            width += next
        }
        return (Array((kept + "…").utf8), width + 1)
    }

    private static func cells(_ scalar: Unicode.Scalar) -> Int {
        let value = scalar.value
        if value < 0x300 { return 1 }
        if wideRanges.contains(where: { $0.contains(value) }) { return isCombining(scalar) ? 0 : 2 }
        if isCombining(scalar) { return 0 }
        return scalar.properties.isEmojiPresentation && !regionalIndicators.contains(value) ? 2 : 1
    }

    private static func isCombining(_ scalar: Unicode.Scalar) -> Bool {
        // The vowels and finals of Hangul that join the syllable before them.
        if (0x1160...0x11ff).contains(scalar.value) { return true }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: return true
        default: return false
        }
    }
}
