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
/// Nothing is given out before both files are read, so that lines out of order, which a snapshot of snapshooter after a
/// restore has, are met before: the lines that differ are held back. Where they are too many, or find no room, both
/// files are read once more, for their order alone.
struct FileComparison {
    let left: SnapshotPlace
    let right: SnapshotPlace
    let wishes: MergeWishes
    let usesNodes: Bool
    /// Bytes of lines held back at most, of each side.
    var mostHeld = 128 << 20
    /// Of these in memory: the others are in a temporary file.
    var mostInMemory = 4 << 20

    /// Returns the number of equal names that no row was made for.
    func run(_ body: (ComparisonRow) throws -> Void) throws -> Int64 {
        var stream: any DifferenceStream
        var passedEqual: Int64 = 0
        do {
            if let held = try heldLines() {
                stream = try self.stream(held.left.entries(of: left), held.right.entries(of: right))
                passedEqual = held.passedEqual
            } else {
                try requireSorted()
                stream = try self.stream(entries(left, sorts: false), entries(right, sorts: false))
            }
        } catch is EntryReader.OrderProblem {
            stream = try self.stream(entries(left, sorts: true), entries(right, sorts: true))
        }
        while let row = try stream.next() { try body(row) }
        return passedEqual + stream.passedEqual
    }

    /// Reads both files to their ends and returns the lines that rows are made of: again two sorted files, of which nothing
    /// is passed over. nil where they cannot all be held; throws `OrderProblem` for lines out of order.
    private func heldLines() throws -> (left: HeldLines, right: HeldLines, passedEqual: Int64)? {
        let held = (left: HeldLines(mostInMemory), right: HeldLines(mostInMemory))
        var differences = EntryDifferences(try entries(left, sorts: false), try entries(right, sorts: false), wishes)
        while try differences.next() != nil {
            guard held.left.append(differences.leftLine), held.right.append(differences.rightLine),
                max(held.left.count, held.right.count) <= mostHeld
            else { return nil }
        }
        return (held.left, held.right, differences.passedEqual)
    }

    private func stream(_ left: OrderedEntries, _ right: OrderedEntries) throws -> any DifferenceStream {
        let entries = EntryDifferences(left, right, wishes)
        guard usesNodes, let leftNodes = try self.left.store.companion(of: self.left.key),
            let rightNodes = try self.right.store.companion(of: self.right.key)
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

/// Lines of one side that are held back, in order.
private final class HeldLines {
    private let bytes: SpooledBytes

    init(_ mostInMemory: Int) { bytes = SpooledBytes(mostInMemory: mostInMemory) }

    var count: Int { bytes.count }

    /// False where there is no room for it.
    func append(_ line: UnsafeRawBufferPointer?) -> Bool {
        guard let line else { return true }
        // Whatever the reason: reading the files twice serves as well.
        do {
            try bytes.write(line)
            try bytes.write([0x0a])
            return true
        } catch { return false }
    }

    /// `place`: what they were read from, for messages.
    func entries(of place: SnapshotPlace) throws -> OrderedEntries {
        try OrderedEntries(EntryReader(bytes.source(), name: place.store.displayPath(place.key)))
    }
}
