import SnapcatFormat
import SnapcatPlatform

/// Names: of snapshots, of entries, and their order.
enum NameFuzz {
    static func check(_ input: [UInt8]) throws {
        if let name = SnapshotName(fileName: input) {
            try claim((name.stem + SnapshotName.fileSuffix).utf8.elementsEqual(input), "\(text(input)) reads back as \(name.stem)")
        }
        if let (name, isInItsFolder) = SnapshotName.parse(key: input) {
            try claim(isInItsFolder == input.elementsEqual(name.key.utf8), "\(text(input)) and its folder")
        }
        var quoted: [UInt8] = []
        PythonString.appendQuoted(input, to: &quoted)
        try claim(quoted.allSatisfy { (0x20...0x7f).contains($0) }, "not ASCII: \(text(quoted))")
        var back: [UInt8] = []
        let isDecoded = quoted.withUnsafeBytes { PythonString.decode(UnsafeRawBufferPointer(rebasing: $0[1..<($0.count - 1)]), into: &back) }
        try claim(isDecoded && back == input, "\(text(input)) reads back as \(text(back))")
        try checkOrder(input)
        if EntryName(input).restoreObjection == nil {
            let components = input.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            let isContained = components.allSatisfy { !$0.isEmpty && $0 != [0x2e] && $0 != [0x2e, 0x2e] && !$0.contains(0) }
            try claim(isContained, "a name that leads out: \(text(input))")
        }
        let line = TerminalText.oneLine(TerminalText.lossy(input))
        try claim(!line.utf8.contains { $0 < 0x20 || $0 == 0x7f }, "a control character: \(line)")
    }

    /// Three names: their order is that of their code points, and it is an order.
    private static func checkOrder(_ input: [UInt8]) throws {
        let names = input.split(separator: UInt8(ascii: "/"), maxSplits: 2, omittingEmptySubsequences: false).map { Array($0) }
        let decoded = names.map(codePoints)
        for left in names.indices {
            for right in names.indices {
                let order = names[left].withUnsafeBytes { left in names[right].withUnsafeBytes { NameOrder.compare(left, $0) } }
                let expected = decoded[left].lexicographicallyPrecedes(decoded[right]) ? -1 : decoded[left] == decoded[right] ? 0 : 1
                try claim(order.signum() == expected, "the order of \(text(names[left])) and \(text(names[right]))")
            }
        }
    }

    /// As Python decodes a name: what is not UTF-8 is U+DC00 plus the byte.
    private static func codePoints(_ name: [UInt8]) -> [UInt32] {
        var rest = name[...]
        var result: [UInt32] = []
        while let first = rest.first {
            let length = (1...4).first { String(validating: rest.prefix($0), as: UTF8.self)?.unicodeScalars.count == 1 }
            if let length, let scalar = String(decoding: rest.prefix(length), as: UTF8.self).unicodeScalars.first {
                result.append(scalar.value)
                rest = rest.dropFirst(length)
            } else {
                result.append(0xdc00 + UInt32(first))
                rest = rest.dropFirst()
            }
        }
        return result
    }
}
