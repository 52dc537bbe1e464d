import SnapcatCatalog
import SnapcatHeap
import SnapcatPlatform

@_exported import struct SnapcatCatalog.QueryOptions
@_exported import struct SnapcatCatalog.QuerySummary
@_exported import enum SnapcatCatalog.QueryValue
@_exported import enum SnapcatCatalog.SQLText

extension Repository {
    /// Runs read-only SQL over the catalog's views, after bringing it up to the snap root and the heap.
    ///
    /// `columns` is called once, then `row` for each row. Writing, attaching and loading extensions are refused.
    /// Over its time or cancelled, it throws within a tenth of a second; a thread that SQLite holds then ends later.
    public func query(
        _ sql: String, options: QueryOptions = QueryOptions(), syncs: Bool = true, monitor: Monitor = .silent,
        columns: @escaping @Sendable ([String]) throws -> Void,
        row: @escaping @Sendable ([QueryValue]) throws -> Void
    ) async throws -> QuerySummary {
        let given = options
        return try await WorkerThread.run("snapcat-query", cancellation: monitor.cancellation, abandonable: { [self] abandon in
            var options = given
            options.whenStuck = abandon
            return try queryBlocking(sql, options: options, syncs: syncs, monitor: monitor, columns: columns, row: row)
        })
    }

    /// Bounds what SQLite may allocate in this process, for all repositories: for a program that only queries.
    package static func limitQueryMemory(bytes: Int64) { CatalogQuery.limitMemory(bytes: bytes) }

    /// For a process that runs nobody's SQL: indexing is faster without the count. Before anything else.
    package static func forgoQueryMemoryLimit() { CatalogQuery.forgoMemoryLimit() }

    /// What the catalog holds, in rows and bytes.
    public func catalogCounts(syncs: Bool = true, monitor: Monitor = .silent) async throws -> [(what: String, count: Int64)] {
        try await run("snapcat-stats", monitor) { [self] in
            try withUsableCatalog(monitor) {
                if syncs { try sync(monitor) }
                return try catalog(monitor).read { try CatalogSnapshots.counts($0) }
            }
        }
    }

    package func queryBlocking(
        _ sql: String, options: QueryOptions, syncs: Bool, monitor: Monitor, columns: ([String]) throws -> Void,
        row: ([QueryValue]) throws -> Void
    ) throws -> QuerySummary {
        var hasRows = false
        return try withUsableCatalog(monitor) {
            do {
                return try queryOnce(sql, options: options, syncs: syncs, monitor: monitor, columns: columns) {
                    hasRows = true
                    try row($0)
                }
            } catch var error as SnapcatError where hasRows {
                // Rows are out already: they cannot be taken back.
                if error.code == .catalogDamage { error.code = .damage }
                if error.code == .catalogUnwritable { error.code = .failed }
                throw error
            }
        }
    }

    private func queryOnce(
        _ sql: String, options: QueryOptions, syncs: Bool, monitor: Monitor, columns: ([String]) throws -> Void,
        row: ([QueryValue]) throws -> Void
    ) throws -> QuerySummary {
        if syncs {
            try sync(monitor)
            // Listing a heap that has changed takes its time: only for SQL that can ask for it. Every view of the
            // heap has the word in its name.
            if sql.lowercased().contains("object") { try updateMembership(monitor) }
        }
        let functions = FunctionSupport(clock: clock, heap: heap)
        let query = try CatalogQuery(
            try catalog(monitor), attachments: options.attachments, scalars: functions.scalars, tables: functions.tables,
            globs: NameGlob.matcher)
        return try query.run(sql, options: options, cancellation: monitor.cancellation, columns: columns, row: row)
    }

    /// What the heap holds now, for `object`, `missing_object` and `orphan_object`.
    package func updateMembership(_ monitor: Monitor) throws {
        guard let heap else { return }
        let (clock, cancellation) = (clock, monitor.cancellation)
        try catalog(monitor).write {
            _ = try HeapMembership.update($0, heap.buckets, now: clock.nowNanoseconds, cancellation: cancellation)
        }
    }
}
