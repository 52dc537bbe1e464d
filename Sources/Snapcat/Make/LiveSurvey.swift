import SnapcatCatalog
import SnapcatFormat
import SnapcatPlatform
import SnapcatStorage

/// Looks at a folder as it is now: hashes what has changed, stores no content, and writes its state as a snapshot
/// into a store of its own. For a restore without a safety snapshot, and for comparing with `live`.
struct LiveSurvey {
    private let repository: Repository
    private let root: FileRoot
    private let store: SnapshotStore
    private let monitor: Monitor

    init(_ repository: Repository, fileRoot: [UInt8], store: SnapshotStore, monitor: Monitor) throws {
        self.repository = repository
        self.store = store
        self.monitor = monitor
        root = try FileRoot(fileRoot, repository: repository, monitor: monitor)
    }

    struct Result {
        /// Of the snapshot in the survey's own store.
        var key: StorageKey
        /// What a killed restore has left.
        var leftovers: [[UInt8]]
        /// Files and folders that could not be read, or changed all the time.
        var problems: Int64
        /// The names of those that could not be read; nil where they are too many.
        var unread: Set<[UInt8]>?
    }

    /// Without the catalog nothing of the repository is opened for writing.
    func run(
        parallelism: Int, scan: ScanOptions, rehashesAll: Bool = false, usesCatalog: Bool
    ) throws -> Result {
        var options = MakeOptions()
        options.parallelism = parallelism
        options.scan = scan
        options.rehashesAll = rehashesAll
        guard usesCatalog else { return try run(options, ParentSnapshot.newestReadable(repository.snapshots, monitor)) }
        return try ParentSnapshot.withNewest(try repository.catalog(monitor), repository.snapshots, monitor) { parent in
            try run(options, parent)
        }
    }

    private func run(_ options: MakeOptions, _ parent: ParentSnapshot?) throws -> Result {
        monitor.progress.begin("looking at the folder", files: parent?.files)
        var merge = try ParentSnapshot.merge(
            parent, root: root, store: repository.snapshots, missing: [], options: options, monitor: monitor)
        let name = SnapshotName(time: SnapshotTime(microseconds: repository.clock.nowNanoseconds / 1000))
        let key = StorageKey(name.key)
        let pipeline = ScanPipeline(options: options, session: nil, monitor: monitor)
        let level = options.compression
        var problems: Int64 = 0
        var unread: Set<[UInt8]>?
        try store.storage.write(key, .exclusive) { sink in
            let lines = try SnapshotWriter(into: sink, level: level)
            let spool = SpooledBytes(mostInMemory: MakeJob.mostNodeBytes, overflowsIntoMemory: true)
            let nodes = try CompanionWriter.NodeSpool(into: spool, level: level)
            let writer = BatchWriter(snapshot: lines, nodes: nodes, notesChanges: false, monitor: monitor)
            try pipeline.run(&merge, into: writer)
            try lines.finish()
            try nodes.finish()
            var facts = SnapshotFacts()
            facts.fileRoot = root.path
            facts.device = Int64(truncatingIfNeeded: merge.walk.device)
            facts.files = writer.summary.files
            facts.nodes = writer.summary.nodes
            problems = writer.summary.unreadable + writer.summary.unstable
            // A slash at its end tells a folder that could be opened and not listed.
            if writer.omittedProblems == 0 {
                unread = Set(writer.errors.map(\.name.bytes).map { $0.last == UInt8(ascii: "/") ? $0.dropLast() : $0 })
            }
            try store.storage.write(store.companionKey(of: key), .replacing) { sink in
                try sink.write(try CompanionWriter.factsMember(facts, level: level))
                try spool.copy(to: sink)
            }
        }
        return Result(key: key, leftovers: merge.walk.leftovers, problems: problems, unread: unread)
    }
}
