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
            func resolved(_ reference: SnapshotReference, syncs: Bool = true) throws -> ComparisonSide {
                guard reference == .live else { return try side(reference, monitor, syncs: syncs) }
                guard let liveRoot else { throw SnapcatError(.usage, "No file root", advice: "'live' needs one") }
                _ = try syncedSnapshots(monitor)
                let state = try self.survey(Array(liveRoot.utf8), parallelism: 0, monitor)
                survey = state
                return .file(state.place.store, state.place.key)
            }
            let leftSide = try resolved(left)
            var isSynced = false
            if case .indexed = leftSide { isSynced = true }
            let sides = (leftSide, try resolved(right, syncs: !isSynced))
            var summary = try compareBlocking(sides.0, sides.1, options: options, monitor: monitor, body)
            summary.unread = survey?.problems ?? 0
            return summary
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
            if options.pairsRenames { throw SnapcatError(.usage, "No SQL", reason: "renames are paired outside of it") }
            let compare = try catalogCompare(left, right, options, monitor)
            let list = options.shownStatuses.map { "'\($0.rawValue)'" }.sorted().joined(separator: ", ")
            let rows = compare.sql.replacing(":left", with: "\(left.name.time.microseconds)")
                .replacing(":right", with: "\(right.name.time.microseconds)") + "\nWHERE status IN (\(list))"
            guard options.condition != nil || isSummary else { return rows + "\nORDER BY name" }
            let condition = try options.condition.map {
                _ = try RowCondition($0, columns: ComparisonRow.columns)
                return "\nWHERE (\n\($0)\n)"
            }
            let columns = isSummary ? "status, count(*) AS files, sum(coalesce(size_right, size_left)) AS bytes" : "*"
            return "SELECT \(columns) FROM (\n\(rows)\n)\(condition ?? "")\n\(isSummary ? "GROUP BY status" : "ORDER BY name")"
        }
    }

    package func side(
        _ reference: SnapshotReference, _ monitor: Monitor, syncs: Bool = true
    ) throws -> ComparisonSide {
        if case .file(let path) = reference { return try fileSide(path) }
        let resolved = try resolve(reference, monitor, syncs: syncs)
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
        return .file(SnapshotStore(BlockingStorage(storage), isRepository: false), key)
    }

    package func compareBlocking(
        _ left: ComparisonSide, _ right: ComparisonSide, options: CompareOptions, monitor: Monitor,
        _ body: (ComparisonRow) throws -> Void
    ) throws -> ComparisonSummary {
        try withoutActuallyEscaping(body) { body in
            let collector = try ComparisonCollector(options, monitor, body)
            if case .indexed(let left) = left, case .indexed(let right) = right {
                return try compareIndexed(left, right, options, monitor, collector)
            }
            let (left, right) = (place(left), place(right))
            let wishes = MergeWishes(
                includesEqual: options.readsAll || options.countsAll, includesMetadata: options.includesMetadata,
                includesEntries: options.includesEntries, filter: NameFilter(options), cancellation: monitor.cancellation)
            let usesNodes = try options.includesNodes && left.hasNodes(monitor) && right.hasNodes(monitor)
            let comparison = FileComparison(left: left, right: right, wishes: wishes, usesNodes: usesNodes)
            let passed = try comparison.run { try collector.take($0) }
            return try collector.finish { _ in ComparisonSummary.Sum(files: passed) }
        }
    }

    private func place(_ side: ComparisonSide) -> SnapshotPlace {
        switch side {
        case .indexed(let snapshot): SnapshotPlace(store: snapshots, key: StorageKey(snapshot.key))
        case .file(let store, let key): SnapshotPlace(store: store, key: key)
        }
    }

    private func compareIndexed(
        _ left: IndexedSnapshot, _ right: IndexedSnapshot, _ options: CompareOptions, _ monitor: Monitor,
        _ collector: ComparisonCollector
    ) throws -> ComparisonSummary {
        let compare = try catalogCompare(left, right, options, monitor)
        let filter = NameFilter(options)
        try catalog(monitor).read { db in
            try CatalogRows(db, left, right, includesEntries: options.includesEntries).forEach(
                compare, includesMetadata: options.includesMetadata
            ) { row in
                if filter.accepts(row.name.bytes, isFolder: row.isFolder) { try collector.take(row) }
            }
        }
        // Names that no row changed for were not looked at; without filters their number is known.
        let knowsRest = compare.road != .all && filter.acceptsAll && options.condition == nil
        let total = left.files + (compare.includesNodes ? left.nodes ?? 0 : 0)
        return try collector.finish { summary in
            guard knowsRest else { return ComparisonSummary.Sum() }
            return ComparisonSummary.Sum(
                files: max(0, total - summary.left.files), bytes: max(0, left.bytes - summary.left.bytes))
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

    private func catalogCompare(
        _ left: IndexedSnapshot, _ right: IndexedSnapshot, _ options: CompareOptions, _ monitor: Monitor
    ) throws -> CatalogCompare {
        let nodes = try options.includesNodes && hasNodes(left, monitor) && hasNodes(right, monitor)
        if options.readsAll { return CatalogCompare(road: .all, includesNodes: nodes) }
        let changes = try catalog(monitor).read { db in
            try CatalogSnapshots.changes(db, between: left.name.time, and: right.name.time)
        }
        return CatalogCompare(
            road: CatalogCompare.road(changes: changes, files: max(left.files, right.files)), includesNodes: nodes)
    }

    package func damaged(_ snapshot: IndexedSnapshot) -> SnapcatError {
        SnapcatError(
            .damage, "The snapshot is damaged", snapshots.displayPath(StorageKey(snapshot.key)),
            reason: snapshot.message ?? "", advice: "choose another one")
    }
}

/// The rows of a comparison's SQL, with what the catalog has of both sides.
private struct CatalogRows {
    private let db: Database
    private let left: IndexedSnapshot
    private let right: IndexedSnapshot
    private let lines: LineLookup?

    init(_ db: Database, _ left: IndexedSnapshot, _ right: IndexedSnapshot, includesEntries: Bool) throws {
        self.db = db
        self.left = left
        self.right = right
        lines = includesEntries ? try LineLookup(db) : nil
    }

    func forEach(_ compare: CatalogCompare, includesMetadata: Bool, _ body: (ComparisonRow) throws -> Void) throws {
        let statement = try Statement(db, compare.sidesSQL)
        for position in 1...max(1, statement.parameterCount) {
            let side = statement.parameterName(position) == ":left" ? left : right
            statement.bind(position, side.name.time.microseconds)
        }
        // A name has a row for each side that knows it, one after the other.
        var name: [UInt8] = []
        var sides: (left: SideItem?, right: SideItem?) = (nil, nil)
        func finishName() throws {
            if sides.left == nil && sides.right == nil { return }
            let (left, right) = sides
            sides = (nil, nil)
            try body(ComparisonRow(left, right, name: EntryName(name), includesMetadata: includesMetadata))
        }
        try statement.forEach { row in
            if !row.withBytes(0, { $0.elementsEqual(name) }) {
                try finishName()
                name = row.bytes(0)
            }
            if row.integer(1) == 0 {
                sides.left = try item(row, name, left)
            } else {
                sides.right = try item(row, name, right)
            }
        }
        try finishName()
    }

    private func item(
        _ row: SnapcatCatalog.Statement, _ name: [UInt8], _ snapshot: IndexedSnapshot
    ) throws -> SideItem {
        var item = SideItem(row, at: 2)
        if item.type == "file" { item.entry = try lines?.entry(name, at: snapshot.name.time) }
        return item
    }
}

/// The lines of names, one by one.
private struct LineLookup {
    private let entries: TemporalTable<EntryVersion>
    private let paths: PathTable

    init(_ db: Database) throws {
        entries = try TemporalTable(db)
        paths = try PathTable(db)
    }

    func entry(_ name: [UInt8], at time: SnapshotTime) throws -> Entry? {
        guard let path = try paths.existing(name) else { return nil }
        return try entries.row(path, at: time.microseconds).map { try Entry(line: $0.content.line(name: name)) }
    }
}

extension SideItem {
    /// From the columns of a side in `CatalogCompare.sidesSQL`.
    fileprivate init(_ row: SnapcatCatalog.Statement, at first: Int32) {
        // Almost every item is a file.
        self.init(type: row.withBytes(first) { $0.elementsEqual("file".utf8) } ? "file" : row.text(first))
        size = row.optionalInteger(first + 1)
        md5 = row.md5(first + 2)
        mtime = row.optionalReal(first + 3)
        mtimeNanoseconds = row.optionalInteger(first + 4)
        mode = row.optionalInteger(first + 5)
        uid = row.optionalInteger(first + 6)
        gid = row.optionalInteger(first + 7)
        destination = row.optionalBytes(first + 8)
    }
}
