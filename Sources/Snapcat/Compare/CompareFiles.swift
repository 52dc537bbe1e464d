import SnapcatFormat
import SnapcatPlatform
import SnapcatStorage

extension Repository {
    /// Compares two snapshots by their files, in flat memory: one pass over both, where their lines are sorted.
    ///
    /// The first rows are held back, so that lines out of order, which a snapshot of snapshooter after a restore has,
    /// are met before anything is given out; where there are more rows the files are read once before.
    func compareFiles(
        _ left: ComparisonSide, _ right: ComparisonSide, options: CompareOptions, monitor: Monitor,
        _ body: (ComparisonRow) throws -> Void
    ) throws -> ComparisonSummary {
        let sides = (place(left), place(right))
        let nodes = try options.includesNodes && hasNodes(sides.0, monitor) && hasNodes(sides.1, monitor)
        do {
            let files = FileComparison(sides, options: options, nodes: nodes, monitor: monitor, sorts: false)
            return try files.run(body)
        } catch is EntryReader.OrderProblem {
            return try FileComparison(sides, options: options, nodes: nodes, monitor: monitor, sorts: true).run(body)
        }
    }

    private func place(_ side: ComparisonSide) -> SnapshotPlace {
        switch side {
        case .indexed(let snapshot): SnapshotPlace(store: snapshots, key: StorageKey(snapshot.key))
        case .file(let store, let key): SnapshotPlace(store: store, key: key)
        }
    }

    /// Their nodes count where both companions can be read to the end.
    private func hasNodes(_ place: SnapshotPlace, _ monitor: Monitor) throws -> Bool {
        try place.store.usableCompanion(of: place.key, monitor.problem) != nil
    }
}

/// A snapshot's file.
private struct SnapshotPlace {
    let store: SnapshotStore
    let key: StorageKey
}

private struct FileComparison {
    private let sides: (left: SnapshotPlace, right: SnapshotPlace)
    private let options: CompareOptions
    private let usesNodes: Bool
    private let monitor: Monitor
    /// Lines out of order are sorted in memory; else they are an `OrderProblem`.
    private let sorts: Bool

    /// Rows held back at most: some 10 MB.
    private static let mostHeldRows = 20_000

    init(
        _ sides: (left: SnapshotPlace, right: SnapshotPlace), options: CompareOptions, nodes: Bool, monitor: Monitor,
        sorts: Bool
    ) {
        self.sides = sides
        self.options = options
        usesNodes = nodes
        self.monitor = monitor
        self.sorts = sorts
    }

    func run(_ body: (ComparisonRow) throws -> Void) throws -> ComparisonSummary {
        let shown = options.shownStatuses
        var stream = try stream(includesEqual: shown.contains(.equal))
        var summary = ComparisonSummary()
        var held: [ComparisonRow] = []
        var holds = !sorts
        while let row = try stream.next() {
            try monitor.cancellation.check()
            summary.add(row)
            guard shown.contains(row.status) else { continue }
            if holds && held.count == Self.mostHeldRows {
                try requireSorted(sides.left)
                try requireSorted(sides.right)
                holds = false
                for row in held { try body(row) }
                held = []
            }
            if holds { held.append(row) } else { try body(row) }
        }
        for row in held { try body(row) }
        summary.addEqual(stream.passedEqual)
        return summary
    }

    private func stream(includesEqual: Bool) throws -> any DifferenceStream {
        let wishes = MergeWishes(
            includesEqual: includesEqual, includesMetadata: options.includesMetadata,
            includesEntries: options.includesEntries,
            filter: NameFilter(prefix: options.pathPrefix, include: options.include, exclude: options.exclude),
            cancellation: monitor.cancellation)
        let entries = EntryDifferences(try entries(sides.left), try entries(sides.right), wishes)
        guard usesNodes, let left = try sides.left.store.companion(of: sides.left.key),
            let right = try sides.right.store.companion(of: sides.right.key)
        else { return entries }
        return try JoinedDifferences(entries, try NodeDifferences(left, right, wishes), wishes)
    }

    private func entries(_ place: SnapshotPlace) throws -> OrderedEntries {
        let reader = try place.store.entries(place.key)
        guard sorts else { return try OrderedEntries(reader) }
        return try OrderedEntries(EntryReader(try SortedLines(reader), name: reader.name))
    }

    private func requireSorted(_ place: SnapshotPlace) throws {
        guard try SnapshotSide.isSorted(place.store, place.key) else { throw EntryReader.OrderProblem.unsorted(line: 0) }
    }
}

extension ComparisonSummary {
    /// Names that are equal, their sizes not known.
    mutating func addEqual(_ count: Int64) {
        if count > 0 { sums[.equal, default: Sum()].files += count }
    }
}
