import SnapcatFormat
import SnapcatPlatform

/// The lines of an unsorted snapshot in order, of equal names the first: for the rare parent that snapshooter left
/// unsorted after a restore. Holds the whole snapshot in memory.
final class SortedLines: ByteSource {
    private let source: ArraySource

    init(_ reader: EntryReader) throws {
        var lines: [(name: EntryName, line: [UInt8])] = []
        while try reader.advance() {
            try reader.parse()
            lines.append((EntryName(reader.entryName), Array(reader.line)))
        }
        // Stable: of two lines with one name the first one stays first.
        let order = lines.indices.sorted { (lines[$0].name, $0) < (lines[$1].name, $1) }
        var bytes: [UInt8] = []
        var last: EntryName?
        for index in order where lines[index].name != last {
            bytes += lines[index].line
            bytes.append(0x0a)
            last = lines[index].name
        }
        source = ArraySource(bytes)
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int { source.read(into: buffer) }
}
