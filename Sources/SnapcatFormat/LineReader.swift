import CPlatform
import SnapcatPlatform

/// Splits a stream into lines, without copying them.
///
/// Blank lines and a final newline are skipped, as snapshooter does. Memory is one buffer, which grows to the
/// longest line.
package final class LineReader {
    private let source: any ByteSource
    private let name: String
    private var buffer: UnsafeMutableRawBufferPointer
    private var start = 0
    private var end = 0
    private var scanned = 0
    private var atEnd = false
    /// The number of the line that `next` returned last, counting from 1 and counting blank lines.
    package private(set) var lineNumber = 0

    /// Longer lines are damage: every buffer has a size.
    package static let longestLine = 64 << 20

    package init(_ source: any ByteSource, name: String) {
        self.source = source
        self.name = name
        buffer = .allocate(byteCount: 256 << 10, alignment: 16)
    }

    deinit { buffer.deallocate() }

    /// The next line, valid until the next call; nil at the end. Throws what the source throws, `.damage` for a
    /// line over the limit.
    package func next() throws -> UnsafeRawBufferPointer? {
        while true {
            if let newline = findNewline() {
                let line = UnsafeRawBufferPointer(rebasing: buffer[start..<newline])
                start = newline + 1
                scanned = start
                lineNumber += 1
                if isBlank(line) { continue }
                return line
            }
            if atEnd {
                guard start < end else { return nil }
                let line = UnsafeRawBufferPointer(rebasing: buffer[start..<end])
                start = end
                lineNumber += 1
                return isBlank(line) ? nil : line
            }
            try fill()
        }
    }

    private func findNewline() -> Int? {
        guard scanned < end, let base = buffer.baseAddress else { return nil }
        if let hit = memchr(base + scanned, 0x0a, end - scanned) { return hit - UnsafeMutableRawPointer(base) }
        scanned = end
        return nil
    }

    private func fill() throws {
        if start > 0 {
            let rest = UnsafeRawBufferPointer(rebasing: buffer[start..<end])
            buffer.copyMemory(from: rest)
            end -= start
            scanned -= start
            start = 0
        }
        if end == buffer.count {
            guard buffer.count < Self.longestLine else {
                throw SnapcatError(
                    .damage, "Cannot read", name,
                    reason: "line \(lineNumber + 1) is longer than \(Self.longestLine) bytes")
            }
            let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: buffer.count * 2, alignment: 16)
            larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[..<end]))
            buffer.deallocate()
            buffer = larger
        }
        let count = try source.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[end...]))
        if count == 0 { atEnd = true } else { end += count }
    }

    private func isBlank(_ line: UnsafeRawBufferPointer) -> Bool {
        // Almost every line begins with a brace: one comparison.
        if let first = line.first, first > 0x20 { return false }
        return line.allSatisfy { $0 == 0x20 || (0x09...0x0d).contains($0) }
    }
}
