import SnapcatPlatform

/// Writes canonical snapshot bytes: gzip of lines joined by newlines, none after the last (FORMAT.md).
package final class SnapshotWriter {
    private let gzip: GzipWriter
    private var buffer: [UInt8] = []
    private var isFirst = true
    package private(set) var lineCount = 0

    package init(into sink: any ByteSink, level: GzipLevel) throws {
        gzip = try GzipWriter(level: level, into: sink)
        buffer.reserveCapacity(Self.bufferSize + 4096)
    }

    private static let bufferSize = 128 << 10

    /// Adds a line, given without its newline.
    package func write(line: UnsafeRawBufferPointer) throws {
        if !isFirst { buffer.append(0x0a) }
        isFirst = false
        buffer.append(contentsOf: line)
        lineCount += 1
        if buffer.count >= Self.bufferSize { try flush() }
    }

    package func write(line: [UInt8]) throws {
        try line.withUnsafeBytes { try write(line: $0) }
    }

    /// Ends the gzip stream. The sink is the caller's to end.
    package func finish() throws {
        try flush()
        try gzip.finish()
    }

    private func flush() throws {
        guard !buffer.isEmpty else { return }
        try gzip.write(buffer)
        buffer.removeAll(keepingCapacity: true)
    }
}
