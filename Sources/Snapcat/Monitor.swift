import SnapcatPlatform
import Synchronization

/// How far a long operation is. Counters only grow; read them from any thread.
public final class WorkProgress: Sendable {
    private let fileCount = Atomic<Int64>(0)
    private let byteCount = Atomic<Int64>(0)
    private let totals = Mutex<(phase: String, files: Int64?, bytes: Int64?)>(("", nil, nil))
    private let counter = Mutex<WorkProgress?>(nil)

    public init() {}

    public var files: Int64 { counter.withLock { $0 }?.files ?? fileCount.load(ordering: .relaxed) }
    public var bytes: Int64 { counter.withLock { $0 }?.bytes ?? byteCount.load(ordering: .relaxed) }
    /// What is being done, in a word or two.
    public var phase: String { totals.withLock { $0.phase } }
    /// nil while it is not known.
    public var totalFiles: Int64? { totals.withLock { $0.files } }
    public var totalBytes: Int64? { totals.withLock { $0.bytes } }

    /// `countedBy`: the work has begun before, and its files and bytes are counted there.
    package func begin(_ phase: String, files: Int64? = nil, bytes: Int64? = nil, countedBy other: WorkProgress? = nil) {
        totals.withLock { $0 = (phase, files, bytes) }
        counter.withLock { $0 = other }
        fileCount.store(0, ordering: .relaxed)
        byteCount.store(0, ordering: .relaxed)
    }

    package func add(files: Int64 = 0, bytes: Int64 = 0) {
        if files != 0 { fileCount.add(files, ordering: .relaxed) }
        if bytes != 0 { byteCount.add(bytes, ordering: .relaxed) }
    }
}

/// What an operation tells while it runs, and how it is stopped.
///
/// An error that ends the operation is thrown; one that does not goes to `problem`, and the run goes on.
public struct Monitor: Sendable {
    public var progress: WorkProgress
    public var cancellation: CancellationFlag
    /// Something a user may want to know.
    public var note: @Sendable (String) -> Void
    /// Something that could not be done. Called from any thread, one call per file.
    public var problem: @Sendable (SnapcatError) -> Void

    public init(
        progress: WorkProgress = WorkProgress(), cancellation: CancellationFlag = CancellationFlag(),
        note: @escaping @Sendable (String) -> Void = { _ in },
        problem: @escaping @Sendable (SnapcatError) -> Void = { _ in }
    ) {
        self.progress = progress
        self.cancellation = cancellation
        self.note = note
        self.problem = problem
    }

    /// Tells nothing.
    public static var silent: Monitor { Monitor() }
}
