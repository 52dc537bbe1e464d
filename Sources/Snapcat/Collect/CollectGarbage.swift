import SnapcatFormat
import SnapcatHeap
import SnapcatPlatform
import SnapcatStorage

/// How unused objects are collected.
public struct CollectOptions: Sendable {
    /// Objects younger than this stay, and so does what is in the trash for less, in microseconds. 0: all go at once,
    /// from the trash too; then no other program may be writing to the heap.
    public var graceMicroseconds: Int64 = 86_400_000_000
    /// Further snap roots that the heap serves: they are remembered in the heap.
    public var snapRoots: [any Storage] = []
    /// Absolute paths, or ids, of remembered snap roots that are gone for good. One that is there, with snapshots, is refused.
    public var droppedSnapRoots: [String] = []
    /// A snap root without any snapshot is taken for empty, and not for one that is not mounted.
    public var allowsEmpty = false
    /// Nothing is moved or removed: what would be is told.
    public var isDryRun = false

    public init() {}
}

/// One step of collecting, or of bringing back.
public struct CollectAction: Sendable, Equatable {
    public enum Kind: String, Sendable {
        /// Back from the trash: a snapshot names it.
        case restore
        /// Into the trash.
        case trash
        /// For good.
        case remove
        /// Left as it is, where something was asked for.
        case skip
    }
    public enum Subject: String, Sendable { case object, snapshot }

    public var kind: Kind
    public var subject: Subject
    /// The md5 of an object, the path of a snapshot.
    public var name: String
    /// Of the file.
    public var storedBytes: Int64?
    public var reason: String
}

public struct CollectSummary: Sendable, Equatable {
    /// Snapshots that were read, and contents that they name.
    public var snapshots: Int64 = 0
    public var contents: Int64 = 0
    /// Objects and snapshots that came back from the trash.
    public var restored: Int64 = 0
    /// Objects that were moved to the trash, and the bytes that they take in the heap.
    public var trashed: Int64 = 0
    public var trashedBytes: Int64 = 0
    /// Objects and snapshots that were removed for good, and the bytes of their files.
    public var removed: Int64 = 0
    public var removedBytes: Int64 = 0
    /// Objects that no snapshot names and that are too young to go.
    public var young: Int64 = 0
    /// What cannot be had back, as it is in neither place.
    public var missing: Int64 = 0

    mutating func count(_ action: CollectAction) {
        let bytes = action.storedBytes ?? 0
        switch action.kind {
        case .restore: restored += 1
        case .trash: (trashed, trashedBytes) = (trashed + 1, trashedBytes + bytes)
        case .remove: (removed, removedBytes) = (removed + 1, removedBytes + bytes)
        case .skip: break
        }
    }
}

extension Repository {
    /// Moves objects that no snapshot names to the trash, and removes from the trash what has been there for longer
    /// than the grace; forgotten snapshots too. What a snapshot names comes back from the trash.
    ///
    /// Every snapshot of every snap root of the heap is read for that; the catalog is not asked. Throws `.damage`, and
    /// takes nothing away, where one of them cannot be read; `.failed` where a snap root is missing or empty, or where
    /// ages cannot be told as the clock is behind; `.locked` while another process uses the heap.
    /// Cost: reads all snapshots; 16 bytes of memory for each content.
    public func collectGarbage(
        _ options: CollectOptions = CollectOptions(), monitor: Monitor = .silent,
        _ tell: @escaping @Sendable (CollectAction) throws -> Void
    ) async throws -> CollectSummary {
        try await run("snapcat-gc", monitor) { [self] in
            let heap = try requireHeap()
            guard let trash = HeapTrash(heap), let known = KnownSnapRoots(heap) else {
                throw SnapcatError(.usage, "The heap root must be a local folder", heap.storage.place)
            }
            guard let local = heap.storage.base.local, FolderOperations.realPath(local.root) != nil else {
                throw SnapcatError(.noSnapshot, "No heap", heap.storage.place, reason: "the folder does not exist")
            }
            let roots = CollectRoots(
                known: known, given: [snapshots.storage] + options.snapRoots.map { BlockingStorage($0) },
                dropped: options.droppedSnapRoots)
            let job = CollectJob(
                heap: heap, trash: trash, roots: roots, clock: clock, options: options, monitor: monitor,
                takeLock: { [self] in try options.isDryRun ? nil : lockHeap("gc", exclusive: true, monitor) }, tell: tell)
            return try job.run()
        }
    }
}
