import SnapcatPlatform

/// Reads a companion: the facts, then the nodes in the order of their names.
package final class CompanionReader {
    package let facts: SnapshotFacts
    private let lines: LineReader
    private let name: String
    /// The current line, valid until the next `advance`.
    package private(set) var line = UnsafeRawBufferPointer(start: nil, count: 0)

    /// Throws `.damage` where the first line is no companion's.
    package init(_ source: any ByteSource, name: String) throws {
        lines = LineReader(source, name: name)
        self.name = name
        guard let first = try lines.next() else {
            throw SnapcatError(.damage, "Damaged companion", name, reason: "it is empty")
        }
        do throws(JSONScanner.Failure) { facts = try SnapshotFacts(parsing: first) } catch {
            throw SnapcatError(.damage, "Damaged companion", name, reason: error.reason)
        }
    }

    /// The rest of the companion, as lines that have names: for a merge of two companions.
    package var rest: EntryReader { EntryReader(lines, name: name) }

    /// Steps to the next node's line. False at the end.
    package func advance() throws -> Bool {
        guard let next = try lines.next() else {
            line = UnsafeRawBufferPointer(start: nil, count: 0)
            return false
        }
        line = next
        return true
    }

    /// The node of the current line.
    package func node() throws -> Node {
        do throws(JSONScanner.Failure) { return try Node(parsing: line) } catch {
            throw SnapcatError(
                .damage, "Damaged companion", name, reason: "line \(lines.lineNumber): \(error.reason)")
        }
    }

    /// Steps and parses; nil at the end.
    package func nextNode() throws -> Node? { try advance() ? try node() : nil }
}

/// Writes a companion in two gzip members, which together are one gzip file: the facts, known only at the end of
/// a scan, and before that the nodes, spooled by the caller.
package enum CompanionWriter {
    /// The member that holds the first line.
    package static func factsMember(_ facts: SnapshotFacts, level: GzipLevel) throws -> [UInt8] {
        try Gzip.compress(facts.line, level: level)
    }

    /// Writes the member of the nodes: each line led by its newline.
    package final class NodeSpool {
        private let gzip: GzipWriter
        private var buffer: [UInt8] = []
        package private(set) var count: Int64 = 0

        package init(into sink: any ByteSink, level: GzipLevel) throws {
            gzip = try GzipWriter(level: level, into: sink)
        }

        package func write(_ node: Node) throws {
            buffer.append(0x0a)
            node.append(to: &buffer)
            count += 1
            if buffer.count >= 64 << 10 { try flush() }
        }

        package func finish() throws {
            try flush()
            try gzip.finish()
        }

        private func flush() throws {
            try gzip.write(buffer)
            buffer.removeAll(keepingCapacity: true)
        }
    }
}
