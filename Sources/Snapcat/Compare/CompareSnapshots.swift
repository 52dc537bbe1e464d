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
                _ = try syncedSnapshots(monitor)
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
        _ left: SnapshotReference, _ right: SnapshotReference, options: CompareOptions, monitor: Monitor
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
            return sql.replacing(":left", with: "\(times[0])").replacing(":right", with: "\(times[1])")
                + "\nWHERE j.status IN (\(list))\nORDER BY p.name"
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
        let take: (ComparisonRow) throws -> Void = { row in
            try monitor.cancellation.check()
            summary.add(row)
            if shown.contains(row.status) { try body(row) }
        }
        let filter = NameFilter(prefix: options.pathPrefix, include: options.include, exclude: options.exclude)
        if case .indexed(let left) = left, case .indexed(let right) = right {
            let nodes = try options.includesNodes && hasNodes(left, monitor) && hasNodes(right, monitor)
            let all = shown.contains(.equal)
            try compareIndexed(left, right, all: all, nodes: nodes, options, filter, monitor, take)
            // Names that no row changed for were not looked at; without filters their number is known.
            if !all && filter.acceptsAll { addUnchanged(left, right, nodes, &summary) }
            return summary
        }
        let nodes = try options.includesNodes && hasNodes(left, monitor) && hasNodes(right, monitor)
        let merge = SideMerge(
            left: try open(left, nodes), right: try open(right, nodes),
            includesMetadata: options.includesMetadata, filter: filter)
        try merge.forEach(take)
        return summary
    }

    private func addUnchanged(
        _ left: IndexedSnapshot, _ right: IndexedSnapshot, _ nodes: Bool, _ summary: inout ComparisonSummary
    ) {
        let total = left.files + (nodes ? left.nodes ?? 0 : 0)
        let seen = [ComparisonStatus.onlyLeft, .different, .metadata, .equal].map { summary[$0].files }.reduce(0, +)
        var equal = summary[.equal]
        equal.files += max(0, total - seen)
        summary.sums[.equal] = equal
    }

    /// The files are read: their nodes count where both companions can be read to the end.
    private func hasNodes(_ side: ComparisonSide, _ monitor: Monitor) throws -> Bool {
        switch side {
        case .indexed(let snapshot): try snapshots.usableCompanion(of: StorageKey(snapshot.key), monitor.problem) != nil
        case .file(let store, let key): try store.usableCompanion(of: key, monitor.problem) != nil
        }
    }

    /// The catalog is read: of a companion that was damaged when it was indexed it has no nodes, which is told.
    package func hasNodes(_ snapshot: IndexedSnapshot, _ monitor: Monitor) throws -> Bool {
        if snapshot.nodes != nil { return true }
        if snapshot.companionStatus != nil {
            _ = try snapshots.usableCompanion(of: StorageKey(snapshot.key), monitor.problem)
        }
        return false
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
                let isFolder = left?.type == "directory" || right?.type == "directory"
                guard filter.accepts(name, isFolder: isFolder) else { return }
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
