import GRDB
import SnapcatCatalog
import SnapcatFormat
import SnapcatPlatform
import SnapcatStorage

/// One side of a comparison, resolved.
package enum ComparisonSide: Sendable {
    /// A snapshot of the repository, in its catalog.
    case indexed(IndexedSnapshot)
    /// A file anywhere, in its storage.
    case file(SnapshotStore, StorageKey)
}

extension Repository {
    /// Compares two snapshots: the rows that the options show, by name, and the counts of all that pass the filters.
    ///
    /// Two indexed snapshots cost what changed between them; any other pair is merged line by line, in flat memory.
    ///
    /// `liveRoot`: the folder that `.live` stands for.
    public func compare(
        _ left: SnapshotReference, _ right: SnapshotReference, liveRoot: String? = nil,
        options: CompareOptions = CompareOptions(), monitor: Monitor = .silent,
        _ body: @escaping @Sendable (ComparisonRow) throws -> Void
    ) async throws -> ComparisonSummary {
        try await run("snapcat-compare", monitor) { [self] in
            var survey: TargetState?
            defer { survey?.remove() }
            func resolved(_ reference: SnapshotReference) throws -> ComparisonSide {
                guard reference == .live else { return try side(reference, monitor) }
                guard let liveRoot else { throw SnapcatError(.usage, "No file root", advice: "'live' needs one") }
                try sync(monitor)
                let state = try self.survey(Array(liveRoot.utf8), parallelism: 0, monitor)
                survey = state
                return .file(state.place.store, state.place.key)
            }
            let sides = (try resolved(left), try resolved(right))
            return try compareBlocking(sides.0, sides.1, options: options, monitor: monitor, body)
        }
    }

    /// The SQL of a comparison of two indexed snapshots, its parameters filled in.
    package func compareSQL(
        _ left: SnapshotReference, _ right: SnapshotReference, options: CompareOptions, isSummary: Bool = false,
        monitor: Monitor
    ) async throws -> String {
        try await run("snapcat-compare", monitor) { [self] in
            guard case .indexed(let left) = try side(left, monitor), case .indexed(let right) = try side(right, monitor)
            else { throw SnapcatError(.usage, "No SQL", reason: "files and live are merged, not queried") }
            let swapped = right.name < left.name
            let times = [left, right].map(\.name.time.microseconds).sorted()
            let nodes = options.includesNodes && left.nodes != nil && right.nodes != nil
            let shown = options.shownStatuses
            let sql = CatalogCompare.sql(all: shown.contains(.equal), nodes: nodes, swapped: swapped)
            let list = shown.map { "'\($0.rawValue)'" }.sorted().joined(separator: ", ")
            let rows = sql.replacing(":left", with: "\(times[0])").replacing(":right", with: "\(times[1])")
                + "\nWHERE j.status IN (\(list))"
            if options.pairsRenames { throw SnapcatError(.usage, "No SQL", reason: "renames are paired outside of it") }
            guard options.condition != nil || isSummary else { return rows + "\nORDER BY p.name" }
            let condition = try options.condition.map {
                _ = try RowCondition($0, columns: ComparisonRow.columns)
                return "\nWHERE (\n\($0)\n)"
            }
            let columns = isSummary ? "status, count(*) AS files, sum(coalesce(size_right, size_left)) AS bytes" : "*"
            return "SELECT \(columns) FROM (\n\(rows)\n)\(condition ?? "")\n\(isSummary ? "GROUP BY status" : "ORDER BY name")"
        }
    }

    package func side(_ reference: SnapshotReference, _ monitor: Monitor) throws -> ComparisonSide {
        if case .file(let path) = reference { return try fileSide(path) }
        let resolved = try resolve(reference, monitor)
        if resolved.isDamaged { throw damaged(resolved) }
        return .indexed(resolved)
    }

    /// The same by the listing of the snap root alone, for a dry run: the catalog is not touched.
    package func sideWithoutCatalog(_ reference: SnapshotReference, _ monitor: Monitor) throws -> ComparisonSide {
        if case .file(let path) = reference { return try fileSide(path) }
        let listing = try snapshots.list().snapshots
        var damaged: Set<SnapshotName> = []
        while true {
            let name = try reference.resolve(
                in: listing.map { SnapshotCandidate(name: $0.name, isDamaged: damaged.contains($0.name)) })
            guard let item = listing.first(where: { $0.name == name }) else {
                throw SnapcatError(.noSnapshot, "No such snapshot", name.stem)
            }
            do {
                _ = try SnapshotSide.isSorted(snapshots, item.key)
                monitor.note("snapshot \(name.time.iso8601)")
                return .file(snapshots, item.key)
            } catch let error as SnapcatError where error.code == .damage {
                // Named directly it is damage; else the next one is chosen.
                guard damaged.insert(name).inserted, case .namePrefix = reference else { continue }
                throw error
            }
        }
    }

    private func fileSide(_ path: String) throws -> ComparisonSide {
        let location = try StorageLocation(path)
        let (storage, key) = try location.openFile()
        return .file(SnapshotStore(BlockingStorage(storage)), key)
    }

    package func compareBlocking(
        _ left: ComparisonSide, _ right: ComparisonSide, options: CompareOptions, monitor: Monitor,
        _ body: (ComparisonRow) throws -> Void
    ) throws -> ComparisonSummary {
        var summary = ComparisonSummary()
        let shown = options.shownStatuses
        let condition = try options.condition.map {
            try RowCondition($0, columns: ComparisonRow.columns, cancellation: monitor.cancellation)
        }
        func count(_ row: ComparisonRow) throws {
            if let condition, try !condition.holds(row.values) { return }
            summary.add(row)
            if shown.contains(row.status) { try body(row) }
        }
        var pairing = RenamePairing(holdsEqual: shown.contains(.equal))
        func take(_ row: ComparisonRow) throws {
            try monitor.cancellation.check()
            if options.pairsRenames { try pairing.add(row, count) } else { try count(row) }
        }
        let filter = NameFilter(prefix: options.pathPrefix, include: options.include, exclude: options.exclude)
        let isUnfiltered = filter.acceptsAll && condition == nil
        if case .indexed(let left) = left, case .indexed(let right) = right {
            let nodes = options.includesNodes && left.nodes != nil && right.nodes != nil
            let all = shown.contains(.equal) || options.countsAll && !isUnfiltered
            try compareIndexed(left, right, all: all, nodes: nodes, options, filter, monitor, take)
            try pairing.finish(count)
            // Names that no row changed for were not looked at; without filters their number is known.
            if !all && isUnfiltered { addUnchanged(left, right, nodes, &summary) }
        } else {
            let nodes = try options.includesNodes && hasNodes(left) && hasNodes(right)
            let merge = SideMerge(
                left: try open(left, nodes), right: try open(right, nodes),
                includesMetadata: options.includesMetadata, filter: filter)
            try merge.forEach(take)
            try pairing.finish(count)
        }
        if pairing.isOverfull {
            monitor.note("more than \(RenamePairing.mostRows) names differ: renames are not paired")
        }
        return summary
    }

    private func addUnchanged(
        _ left: IndexedSnapshot, _ right: IndexedSnapshot, _ nodes: Bool, _ summary: inout ComparisonSummary
    ) {
        let total = left.files + (nodes ? left.nodes ?? 0 : 0)
        let unseen = ComparisonSummary.Sum(
            files: max(0, total - summary.left.files), bytes: max(0, left.bytes - summary.left.bytes))
        summary.sums[.equal, default: ComparisonSummary.Sum()].files += unseen.files
        summary.left.add(unseen)
        summary.right.add(unseen)
    }

    private func hasNodes(_ side: ComparisonSide) throws -> Bool {
        switch side {
        case .indexed(let snapshot): return snapshot.nodes != nil
        case .file(let store, let key): return try store.companion(of: key) != nil
        }
    }

    private func open(_ side: ComparisonSide, _ nodes: Bool) throws -> SnapshotSide {
        switch side {
        case .indexed(let snapshot): try .open(snapshots, StorageKey(snapshot.key), usesNodes: nodes)
        case .file(let store, let key): try .open(store, key, usesNodes: nodes)
        }
    }

    private func compareIndexed(
        _ left: IndexedSnapshot, _ right: IndexedSnapshot, all: Bool, nodes: Bool, _ options: CompareOptions,
        _ filter: NameFilter, _ monitor: Monitor, _ take: (ComparisonRow) throws -> Void
    ) throws {
        let swapped = right.name < left.name
        let (earlier, later) = swapped ? (right, left) : (left, right)
        let sql = CatalogCompare.sql(all: all, nodes: nodes, swapped: swapped)
        try catalog(monitor).read { db in
            try CatalogRows(db).forEach(
                sql: sql, earlier: earlier.name.time.microseconds, later: later.name.time.microseconds,
                swapped: swapped
            ) { status, name, left, right in
                var status = status
                if status == .metadata && !options.includesMetadata { status = .equal }
                guard filter.accepts(name) else { return }
                try take(ComparisonRow(status: status, name: EntryName(name), left: left, right: right))
            }
        }
    }

    package func damaged(_ snapshot: IndexedSnapshot) -> SnapcatError {
        SnapcatError(
            .damage, "The snapshot is damaged", snapshots.displayPath(StorageKey(snapshot.key)),
            reason: snapshot.message ?? "", advice: "choose another one")
    }
}

/// The rows of a comparison's SQL, with the items of both sides as the catalog has them.
private struct CatalogRows {
    private let entries: TemporalTable<EntryVersion>
    private let nodes: TemporalTable<NodeVersion>
    private let paths: PathTable
    private let db: Database

    init(_ db: Database) throws {
        self.db = db
        entries = try TemporalTable(db)
        nodes = try TemporalTable(db)
        paths = try PathTable(db)
    }

    func forEach(
        sql: String, earlier: Int64, later: Int64, swapped: Bool,
        _ body: (ComparisonStatus, [UInt8], SideItem?, SideItem?) throws -> Void
    ) throws {
        let statement = try Statement(db, sql + " ORDER BY p.name")
        for position in 1...max(1, statement.parameterCount) {
            statement.bind(position, statement.parameterName(position) == ":left" ? earlier : later)
        }
        let (leftTime, rightTime) = swapped ? (later, earlier) : (earlier, later)
        try statement.forEach { row in
            guard let status = ComparisonStatus(rawValue: row.text(0)) else { return }
            let name = row.bytes(1)
            let left = row.isNull(2) ? nil : try item(name, row.text(2), leftTime)
            let right = row.isNull(3) ? nil : try item(name, row.text(3), rightTime)
            try body(status, name, left, right)
        }
    }

    private func item(_ name: [UInt8], _ type: String, _ time: Int64) throws -> SideItem? {
        guard let path = try paths.existing(name) else { return nil }
        if type == "file" {
            return try entries.row(path, at: time).map { SideItem(try Entry(line: $0.content.line(name: name))) }
        }
        return try nodes.row(path, at: time)?.content.node(name: name).map(SideItem.init)
    }
}
