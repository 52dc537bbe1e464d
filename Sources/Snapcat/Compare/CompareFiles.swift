import SnapcatFormat
import SnapcatPlatform
import SnapcatStorage

/// A snapshot's file.
struct SnapshotPlace: Sendable {
    let store: SnapshotStore
    let key: StorageKey

    /// Its nodes count where the companion can be read to its end.
    func hasNodes(_ monitor: Monitor) throws -> Bool { try store.usableCompanion(of: key, monitor.problem) != nil }
}

/// The comparison of two snapshots by their files, in flat memory: one pass over both, where their lines are sorted.
///
/// The first rows are held back, so that lines out of order, which a snapshot of snapshooter after a restore has, are
/// met before anything is given out; where there are more rows the files are read once before.
struct FileComparison {
    let left: SnapshotPlace
    let right: SnapshotPlace
    let wishes: MergeWishes
    let usesNodes: Bool

    /// Rows held back at most: some 10 MB.
    private static let mostHeldRows = 20_000

    /// Returns the number of equal names that no row was made for.
    func run(_ body: (ComparisonRow) throws -> Void) throws -> Int64 {
        do { return try run(sorts: false, body) } catch is EntryReader.OrderProblem { return try run(sorts: true, body) }
    }

    /// `sorts`: lines out of order are sorted in memory; else they are an `OrderProblem`, before the first row.
    private func run(sorts: Bool, _ body: (ComparisonRow) throws -> Void) throws -> Int64 {
        var stream = try stream(sorts: sorts)
        var held: [ComparisonRow] = []
        var holds = !sorts
        while let row = try stream.next() {
            if holds && held.count == Self.mostHeldRows {
                try requireSorted()
                holds = false
                for row in held { try body(row) }
                held = []
            }
            if holds { held.append(row) } else { try body(row) }
        }
        for row in held { try body(row) }
        return stream.passedEqual
    }

    private func stream(sorts: Bool) throws -> any DifferenceStream {
        let entries = EntryDifferences(try entries(left, sorts: sorts), try entries(right, sorts: sorts), wishes)
        guard usesNodes, let leftNodes = try left.store.companion(of: left.key),
            let rightNodes = try right.store.companion(of: right.key)
        else { return entries }
        return try JoinedDifferences(entries, try NodeDifferences(leftNodes, rightNodes, wishes), wishes)
    }

    private func entries(_ place: SnapshotPlace, sorts: Bool) throws -> OrderedEntries {
        let reader = try place.store.entries(place.key)
        guard sorts else { return try OrderedEntries(reader) }
        return try OrderedEntries(EntryReader(try SortedLines(reader), name: reader.name))
    }

    /// Reads both files to their ends, at the same time.
    private func requireSorted() throws {
        let (left, right) = (left, right)
        let other = WorkerThread.start("snapcat-order") { try SnapshotSide.isSorted(right.store, right.key) }
        let own = Result { try SnapshotSide.isSorted(left.store, left.key) }
        let (rightIsSorted, leftIsSorted) = (try other.wait().get(), try own.get())
        guard leftIsSorted && rightIsSorted else { throw EntryReader.OrderProblem.unsorted(line: 0) }
    }
}
