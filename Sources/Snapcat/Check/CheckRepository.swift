import SnapcatPlatform

extension Repository {
    /// Looks at everything: every snapshot and companion is read, every object that a snapshot names must be in the
    /// heap, the catalog must say what the snapshots say. With `readsData` every object is read too, and its md5
    /// compared, or those that `bounds` chooses. Changes nothing but the catalog, which follows.
    ///
    /// Takes no lock: what others forget, purge or collect meanwhile is no finding. Whatever looks wrong is looked at
    /// again before it is told. Cost: each snapshot is read twice; with `readsData` the heap once, on all cores,
    /// meanwhile (with `bounds` afterwards: the catalog must be up to date to choose). Without a heap the objects are not
    /// looked at, which is told; `readsData` needs one.
    public func check(
        _ options: CheckOptions = CheckOptions(), monitor: Monitor = .silent,
        _ tell: @escaping @Sendable (CheckFinding) throws -> Void
    ) async throws -> CheckSummary {
        try await run("snapcat-check", monitor) { [self] in
            if options.readsData { _ = try requireHeap() }
            let job = CheckJob(self, monitor, tell)
            let progress = WorkProgress()
            var reading: CheckHeap?
            do {
                if options.readsData, options.bounds == nil, let heap {
                    let objects = HeapObjects(heap)
                    let all = CheckHeap(heap, objects, progress: progress, cancellation: monitor.cancellation)
                    reading = all
                    try job.checkAllButObjects()
                    try job.take(all, of: heap, objects, progress)
                } else {
                    try job.checkAllButObjects()
                }
                if options.readsData, let bounds = options.bounds, let heap {
                    let due = try job.dueObjects(bounds, of: heap, progress)
                    let some = CheckHeap(heap, due, progress: progress, cancellation: monitor.cancellation)
                    reading = some
                    try job.take(some, of: heap, due)
                }
                return job.summary
            } catch {
                reading?.stop()
                do { _ = try reading?.finish() } catch {
                    // The first error counts.
                }
                throw error
            }
        }
    }
}
