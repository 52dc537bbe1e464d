import SnapcatPlatform
import SnapcatStorage

extension Repository {
    /// Snapshots `fileRoot`: objects, companion, snapshot, catalog, in this order (RELIABILITY.md).
    ///
    /// Files that cannot be read do not cost the snapshot: they are told to `monitor`, and counted. Throws
    /// `.notFound` for a missing file root, `.locked` where another process is at work, `.failed` otherwise.
    /// Cost: one walk; an unchanged file costs one `lstat`; memory follows the depth of the tree.
    public func make(
        _ fileRoot: String, options: MakeOptions = MakeOptions(), monitor: Monitor = .silent
    ) async throws -> MakeSummary {
        try await run("snapcat-make", monitor) { [self] in
            try makeBlocking(Array(fileRoot.utf8), options: options, monitor: monitor)
        }
    }

    /// `isLocked`: the caller holds the repository's lock.
    package func makeBlocking(
        _ fileRoot: [UInt8], options: MakeOptions, monitor: Monitor, isLocked: Bool = false
    ) throws -> MakeSummary {
        let started = monotonicNanoseconds()
        var job = try MakeJob(self, fileRoot: fileRoot, options: options, monitor: monitor)
        let lock = try isLocked || options.isDryRun ? nil : lockSnapRoot("make", monitor)
        let heapLock = try options.isDryRun ? nil : lockHeap("make", exclusive: false, monitor)
        job.locks = [lock, heapLock].compactMap { $0 }
        defer { withExtendedLifetime((lock, heapLock)) {} }
        var summary = options.isDryRun ? try job.rehearse() : try withUsableCatalog(monitor) { try job.run() }
        summary.seconds = Double(monotonicNanoseconds() - started) / 1e9
        if !isLocked, let note = summary.leftoverNote { monitor.note(note) }
        return summary
    }
}
