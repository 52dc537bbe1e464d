import SnapcatCatalog
import SnapcatFormat
import SnapcatPlatform

/// Where the rows of a comparison end up, whichever road they come by: renames are paired, the condition is asked,
/// what is left is counted and, where its status is shown, given out.
final class ComparisonCollector {
    private let options: CompareOptions
    private let monitor: Monitor
    private let condition: RowCondition?
    private let shown: Set<ComparisonStatus>
    private var pairing: RenamePairing
    private let body: (ComparisonRow) throws -> Void
    private(set) var summary = ComparisonSummary()

    init(_ options: CompareOptions, _ monitor: Monitor, _ body: @escaping (ComparisonRow) throws -> Void) throws {
        self.options = options
        self.monitor = monitor
        self.body = body
        shown = options.shownStatuses
        condition = try options.condition.map {
            try RowCondition($0, columns: ComparisonRow.columns, cancellation: monitor.cancellation)
        }
        pairing = RenamePairing(holdsEqual: shown.contains(.equal))
    }

    func take(_ row: ComparisonRow) throws {
        try monitor.cancellation.check()
        if options.pairsRenames { try pairing.add(row, count) } else { try count(row) }
    }

    /// After the last row. `unseen`: equal names that no row was made for, on each side.
    func finish(unseen: (ComparisonSummary) -> ComparisonSummary.Sum) throws -> ComparisonSummary {
        try pairing.finish(count)
        if pairing.isOverfull {
            monitor.note("more than \(RenamePairing.mostRows) names differ: renames are not paired")
        }
        summary.addEqual(unseen(summary))
        return summary
    }

    private func count(_ row: ComparisonRow) throws {
        if let condition, try !condition.holds(row.values) { return }
        summary.add(row)
        if shown.contains(row.status) { try body(row) }
    }
}
