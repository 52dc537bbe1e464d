import CPlatform
import SnapcatFormat
import SnapcatPlatform

/// A line that differs from what the snapshot before has under its name.
package struct LineChange {
    package var name: [UInt8]
    /// nil: the name is no longer there. Valid during the call only.
    package var line: UnsafeRawBufferPointer?
    package var fields: EntryFields?
}

/// The differences between two neighbouring snapshots, in the order of names.
package protocol LineChangeSource {
    /// Calls `body` once per name that differs. `warn` gets names that come twice with one md5.
    /// Throws `EntryReader.OrderProblem` where the lines are not sorted: then the slow road has to be taken.
    func forEachChange(
        warn: ([UInt8], String) -> Void, _ body: (LineChange) throws -> Void
    ) throws
}

/// Checks that names ascend, and lets through the first of several lines with one name and one md5.
struct OrderGuard {
    private enum Last { case none, line, name }
    private var last = Last.none
    /// Of a line that nobody has parsed yet.
    private var lastLine: [UInt8] = []
    private var lastName: [UInt8] = []
    private var lastMD5: MD5Digest?

    /// Keeps the current line as the one before the next.
    mutating func keep(_ reader: EntryReader) {
        if let fields = reader.fields {
            keep(name: reader.entryName, fields.md5)
        } else {
            lastLine.removeAll(keepingCapacity: true)
            lastLine.append(contentsOf: reader.line)
            last = .line
        }
    }

    private mutating func keep(name: [UInt8], _ md5: MD5Digest?) {
        // A copy in place: the reader goes on writing into its own.
        lastName.removeAll(keepingCapacity: true)
        lastName.append(contentsOf: name)
        lastMD5 = md5
        last = .name
    }

    /// False where the (parsed) current line repeats the one before.
    mutating func accepts(_ reader: EntryReader, warn: ([UInt8], String) -> Void) throws -> Bool {
        if last == .none { return true }
        if last == .line {
            // It equals one that was parsed when it was current.
            let (name, md5) = try lastLine.withUnsafeBytes { line in
                let fields = try EntryFields(line)
                var scratch: [UInt8] = []
                return (fields.withName(of: line, scratch: &scratch) { Array($0) } ?? [], fields.md5)
            }
            keep(name: name, md5)
        }
        let order = lastName.withUnsafeBytes { last in
            reader.entryName.withUnsafeBytes { NameOrder.compare(last, $0) }
        }
        if order < 0 { return true }
        guard order == 0 else { throw EntryReader.OrderProblem.unsorted(line: reader.lineNumber) }
        try Self.refuseOtherContent(reader, md5: lastMD5)
        warn(reader.entryName, "the name comes twice; the first line counts")
        return false
    }

    static func refuseOtherContent(_ reader: EntryReader, md5: MD5Digest?) throws {
        if try reader.parse().md5 != md5 {
            throw reader.damage("'\(TerminalText.lossy(reader.entryName))' comes twice with different contents")
        }
    }
}

/// All lines of a snapshot that has none before it.
package struct FullSource: LineChangeSource {
    private let reader: EntryReader

    package init(_ reader: EntryReader) { self.reader = reader }

    package func forEachChange(warn: ([UInt8], String) -> Void, _ body: (LineChange) throws -> Void) throws {
        var order = OrderGuard()
        while try reader.advance() {
            let fields = try reader.parse()
            if try order.accepts(reader, warn: warn) {
                try body(LineChange(name: reader.entryName, line: reader.line, fields: fields))
            }
            order.keep(reader)
        }
    }
}

/// The merge of two sorted files as byte lines: equal lines cost a memcmp, no parsing (CATALOG.md).
package struct MergeSource: LineChangeSource {
    private let before: EntryReader
    private let after: EntryReader

    /// `before` is known to be sorted and without repeated names.
    package init(before: EntryReader, after: EntryReader) {
        self.before = before
        self.after = after
    }

    package func forEachChange(warn: ([UInt8], String) -> Void, _ body: (LineChange) throws -> Void) throws {
        var order = OrderGuard()
        var hasBefore = try before.advance()
        var hasAfter = try after.advance()
        while hasAfter {
            if hasBefore && before.line.isSame(as: after.line) {
                order.keep(after)
                hasBefore = try before.advance()
                hasAfter = try after.advance()
                continue
            }
            let fields = try after.parse()
            guard try order.accepts(after, warn: warn) else {
                hasAfter = try after.advance()
                continue
            }
            let comparison = hasBefore ? try compareNames() : 1
            if comparison < 0 {
                try body(LineChange(name: before.entryName))
                hasBefore = try before.advance()
                continue
            }
            try body(LineChange(name: after.entryName, line: after.line, fields: fields))
            if comparison == 0 { hasBefore = try before.advance() }
            order.keep(after)
            hasAfter = try after.advance()
        }
        while hasBefore {
            try before.parse()
            try body(LineChange(name: before.entryName))
            hasBefore = try before.advance()
        }
    }

    private func compareNames() throws -> Int {
        try before.parse()
        return before.entryName.withUnsafeBytes { left in
            after.entryName.withUnsafeBytes { NameOrder.compare(left, $0) }
        }
    }
}

/// Changes that a make has noted while it merged.
package struct NotedChanges: LineChangeSource, Sendable {
    package struct Item: Sendable {
        package var name: [UInt8]
        package var line: [UInt8]?

        package init(name: [UInt8], line: [UInt8]?) {
            self.name = name
            self.line = line
        }
    }

    private let items: [Item]

    package init(_ items: [Item]) { self.items = items }

    package func forEachChange(warn: ([UInt8], String) -> Void, _ body: (LineChange) throws -> Void) throws {
        for item in items {
            guard let line = item.line else {
                try body(LineChange(name: item.name))
                continue
            }
            try line.withUnsafeBytes { raw in
                try body(LineChange(name: item.name, line: raw, fields: try EntryFields(raw)))
            }
        }
    }
}

extension NotedChanges {
    package var isEmpty: Bool { items.isEmpty }
}

extension UnsafeRawBufferPointer {
    /// Byte for byte, by one call.
    func isSame(as other: UnsafeRawBufferPointer) -> Bool {
        guard count == other.count, let start = baseAddress, let otherStart = other.baseAddress
        else { return count == other.count }
        return memcmp(start, otherStart, count) == 0
    }
}
