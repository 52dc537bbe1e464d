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

    /// Returns the key of the snapshot in the survey's own store, and what a killed restore has left. Without the
    /// catalog nothing of the repository is opened for writing.
    func run(
        parallelism: Int, scan: ScanOptions, rehashesAll: Bool = false, usesCatalog: Bool
    ) throws -> (key: StorageKey, leftovers: [[UInt8]]) {
        var options = MakeOptions()
        options.parallelism = parallelism
        options.scan = scan
        options.rehashesAll = rehashesAll
        guard usesCatalog else { return try run(options, ParentSnapshot.newestReadable(repository.snapshots, monitor)) }
        return try ParentSnapshot.withNewest(try repository.catalog(monitor), repository.snapshots, monitor) { parent in
            try run(options, parent)
        }
    }

    private func run(_ options: MakeOptions, _ parent: ParentSnapshot?) throws -> (key: StorageKey, leftovers: [[UInt8]]) {
        monitor.progress.begin("looking at the folder", files: parent?.files)
        var merge = try ParentSnapshot.merge(
            parent, root: root, store: repository.snapshots, missing: [], options: options, monitor: monitor)
        let name = SnapshotName(time: SnapshotTime(microseconds: repository.clock.nowNanoseconds / 1000))
        let key = StorageKey(name.key)
        let pipeline = ScanPipeline(options: options, session: nil, monitor: monitor)
        let level = options.compression
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
            try store.storage.write(store.companionKey(of: key), .replacing) { sink in
                try sink.write(try CompanionWriter.factsMember(facts, level: level))
                try spool.copy(to: sink)
            }
        }
        return (key, merge.walk.leftovers)
    }
}
