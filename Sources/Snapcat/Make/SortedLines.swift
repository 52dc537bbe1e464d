import SnapcatFormat
import SnapcatPlatform

/// The lines of an unsorted snapshot in order, of equal names (with one md5) the first: for the rare parent that snapshooter left
/// unsorted after a restore. Holds the whole snapshot in memory.
final class SortedLines: ByteSource {
    private let source: ArraySource

    init(_ reader: EntryReader) throws {
        var lines: [(name: EntryName, md5: MD5Digest?, line: [UInt8])] = []
        while try reader.advance() {
            let md5 = try reader.parse().md5
            lines.append((EntryName(reader.entryName), md5, Array(reader.line)))
        }
        // Stable: of two lines with one name the first one stays first.
        let order = lines.indices.sorted { (lines[$0].name, $0) < (lines[$1].name, $1) }
        var bytes: [UInt8] = []
        var last: Int?
        for index in order {
            if let last, lines[last].name == lines[index].name {
                guard lines[last].md5 == lines[index].md5 else {
                    throw reader.damage("'\(lines[index].name)' comes twice with different contents")
                }
                continue
            }
            bytes += lines[index].line
            bytes.append(0x0a)
            last = index
        }
        source = ArraySource(bytes)
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int { source.read(into: buffer) }
}
