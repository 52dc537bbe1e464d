import GRDB
import SnapcatPlatform

/// What a version says, without its validity.
package protocol TemporalContent {
    static var table: String { get }
    static var columns: [String] { get }
    /// Reads the columns, the first of which is at position `first` (from 0).
    init(_ row: Statement, at first: Int32)
    /// Binds the columns from position `first` (from 1) on.
    func bind(to statement: Statement, at first: Int32)
    func isSame(as other: Self, name: [UInt8]) -> Bool
}

/// The neighbours of a snapshot on the time line; nil where there is none.
package struct Neighbours: Equatable, Sendable {
    package var before: Int64?
    package var after: Int64?

    /// Where a validity ends that the next snapshot does not continue.
    var end: Int64 { after ?? Int64.max }
}

/// What a change did to the path, seen from the snapshot before.
package enum ChangeKind { case none, added, changed, removed }

/// A table of versions with half-open validities `[valid_from, valid_to)` (CATALOG.md).
///
/// Invariants: both ends are times of snapshots (or the open end); the versions of a path do not overlap; two that
/// touch differ. So a version is always the longest run. All operations keep them, whatever the order of events.
package final class TemporalTable<Content: TemporalContent> {
    package struct Row {
        package var from: Int64
        package var to: Int64
        package var content: Content
    }

    static var keyColumns: [String] { ["path_id", "valid_from", "valid_to"] }

    private let selectAt: Statement
    private let insertRow: Statement
    private let updateTo: Statement
    private let updateFrom: Statement
    private let deleteRow: Statement
    private let touching: Statement

    package init(_ db: Database) throws {
        let table = Content.table
        let columns = Content.columns.joined(separator: ", ")
        selectAt = try Statement(
            db,
            """
            SELECT valid_from, valid_to, \(columns) FROM \(table)
            WHERE path_id = ? AND valid_from <= ? ORDER BY valid_from DESC LIMIT 1
            """)
        let marks = Array(repeating: "?", count: Content.columns.count + Self.keyColumns.count).joined(separator: ", ")
        insertRow = try Statement(
            db, "INSERT INTO \(table) (\(Self.keyColumns.joined(separator: ", ")), \(columns)) VALUES (\(marks))")
        updateTo = try Statement(db, "UPDATE \(table) SET valid_to = ? WHERE path_id = ? AND valid_from = ?")
        updateFrom = try Statement(db, "UPDATE \(table) SET valid_from = ? WHERE path_id = ? AND valid_from = ?")
        deleteRow = try Statement(db, "DELETE FROM \(table) WHERE path_id = ? AND valid_from = ?")
        touching = try Statement(
            db,
            """
            SELECT path_id FROM \(table) INDEXED BY \(table)_opened WHERE valid_from = ?1
            UNION SELECT path_id FROM \(table) INDEXED BY \(table)_closed
            WHERE valid_to = ?1 AND valid_to < 9223372036854775807
            """)
    }

    /// The version of a path that is valid at `time`.
    package func row(_ path: Int64, at time: Int64) throws -> Row? {
        let row = try selectAt.bind(1, path).bind(2, time).first {
            Row(from: $0.integer(0), to: $0.integer(1), content: Content($0, at: 2))
        }
        guard let row, row.to > time else { return nil }
        return row
    }

    package func insert(_ path: Int64, from: Int64, to: Int64, _ content: Content) throws {
        Self.bind(path, from: from, to: to, content, to: insertRow, at: 1)
        try insertRow.run()
    }

    /// Binds the key columns and the content's.
    static func bind(_ path: Int64, from: Int64, to: Int64, _ content: Content, to statement: Statement, at first: Int32) {
        statement.bind(first, path).bind(first + 1, from).bind(first + 2, to)
        content.bind(to: statement, at: first + Int32(keyColumns.count))
    }

    /// Makes the path be as `content` says (nil: absent) at the new snapshot `time`, and at no other.
    ///
    /// Returns the version at the snapshot before and what changed since.
    package func apply(
        _ path: Int64, name: [UInt8], at time: Int64, _ neighbours: Neighbours, _ content: Content?
    ) throws -> (before: Content?, kind: ChangeKind) {
        var before: Row?
        if let previous = neighbours.before { before = try row(path, at: previous) }
        if let before, let content, before.content.isSame(as: content, name: name) { return (before.content, .none) }
        if let before {
            try updateTo.bind(1, time).bind(2, path).bind(3, before.from).run()
            // It is the same again at the next snapshot: from there on it is a version of its own.
            if before.to > neighbours.end { try insert(path, from: neighbours.end, to: before.to, before.content) }
        }
        guard let content else { return (before?.content, before == nil ? .none : .removed) }
        if let after = neighbours.after, let next = try row(path, at: after), next.from == after,
            next.content.isSame(as: content, name: name)
        {
            try updateFrom.bind(1, time).bind(2, path).bind(3, after).run()
        } else {
            try insert(path, from: time, to: neighbours.end, content)
        }
        return (before?.content, before == nil ? .added : .changed)
    }

    /// Takes the snapshot `time` off the time line. Returns the paths whose versions changed.
    @discardableResult
    package func remove(at time: Int64, _ neighbours: Neighbours, name: (Int64) throws -> [UInt8]) throws -> [Int64] {
        var paths: [Int64] = []
        try touching.bind(1, time).forEach { paths.append($0.integer(0)) }
        for path in paths { try remove(path, at: time, neighbours, name: name(path)) }
        return paths
    }

    private func remove(_ path: Int64, at time: Int64, _ neighbours: Neighbours, name: [UInt8]) throws {
        if let started = try row(path, at: time), started.from == time {
            if let after = neighbours.after, started.to > after {
                try updateFrom.bind(1, after).bind(2, path).bind(3, time).run()
            } else {
                try deleteRow.bind(1, path).bind(2, time).run()
            }
        }
        guard let before = neighbours.before, let ended = try row(path, at: before), ended.to == time else { return }
        if let after = neighbours.after, let next = try row(path, at: after), next.from == after,
            next.content.isSame(as: ended.content, name: name)
        {
            try deleteRow.bind(1, path).bind(2, after).run()
            try updateTo.bind(1, next.to).bind(2, path).bind(3, ended.from).run()
        } else {
            try updateTo.bind(1, neighbours.end).bind(2, path).bind(3, ended.from).run()
        }
    }
}
