import SnapcatFormat
import SnapcatHeap
import SnapcatPlatform

/// Merges the walk with the lines of the snapshot before, and hands out batches in order.
///
/// An unchanged file's line is taken over as bytes; all others become pending.
struct ScanMerge {
    let walk: TreeWalk
    /// nil: there is no snapshot before.
    let before: EntryReader?
    let detection: ChangeDetection?
    /// Contents that the heap lacks: their files are read again.
    let missing: Set<MD5Digest>
    let options: MakeOptions
    let monitor: Monitor

    private var scratch: [UInt8] = []
    private var hasBefore = false

    init(
        walk: TreeWalk, before: EntryReader?, detection: ChangeDetection?, missing: Set<MD5Digest>,
        options: MakeOptions, monitor: Monitor
    ) {
        self.walk = walk
        self.before = before
        self.detection = detection
        self.missing = missing
        self.options = options
        self.monitor = monitor
    }

    /// `hand` takes each batch, in order; false where nobody wants more.
    mutating func run(_ hand: (ScanBatch) throws -> Bool) throws {
        try advance()
        var batch = ScanBatch()
        while let item = try walk.next() {
            try monitor.cancellation.check()
            switch item {
            case .node(let node): batch.append(.node(node))
            case .problem(let error): batch.append(.problem(error, name: batch.append(walk.path)))
            case .file(let status, let folder, let name):
                try add(status, folder, name, to: batch)
                monitor.progress.add(files: 1)
            }
            if batch.isFull {
                guard try hand(batch) else { return }
                batch = ScanBatch()
            }
        }
        while hasBefore {
            try remove(to: batch)
            if batch.isFull {
                guard try hand(batch) else { return }
                batch = ScanBatch()
            }
        }
        if !batch.isEmpty { _ = try hand(batch) }
    }

    private mutating func advance() throws {
        guard let before else { return }
        hasBefore = try ParentSnapshot.reading {
            guard try before.advance() else { return false }
            try before.parse()
            return true
        }
    }

    private mutating func remove(to batch: ScanBatch) throws {
        guard let before else { return }
        batch.append(.removed(batch.append(before.entryName)))
        try advance()
    }

    private mutating func add(
        _ status: FileStatus, _ folder: Descriptor, _ name: ArraySlice<UInt8>, to batch: ScanBatch
    ) throws {
        var oldLine: [UInt8] = []
        if let before {
            while hasBefore {
                let order = before.entryName.withUnsafeBytes { old in
                    walk.path.withUnsafeBytes { NameOrder.compare(old, $0) }
                }
                if order > 0 { break }
                if order == 0 {
                    let isDone = try takeOver(status, to: batch)
                    if !isDone { oldLine = Array(before.line) }
                    try advance()
                    if isDone { return }
                    break
                }
                try remove(to: batch)
            }
        }
        batch.append(
            pending: PendingFile(
                name: walk.path, folder: folder, baseName: Array(name), expectedSize: status.size, oldLine: oldLine))
    }

    /// True where the line before, or its md5, serves.
    private mutating func takeOver(_ status: FileStatus, to batch: ScanBatch) throws -> Bool {
        guard let before, let detection else { return false }
        let fields = try before.parse()
        guard let md5 = detection.reusableMD5(fields, line: before.line, status), !missing.contains(md5)
        else { return false }
        if ChangeDetection.lineStillHolds(fields, status) {
            batch.append(.unchanged(batch.append(before.line), size: status.size))
            return true
        }
        scratch.removeAll(keepingCapacity: true)
        walk.path.withUnsafeBytes {
            EntryLine.append(EntryLine.Local(status, md5: md5, size: status.size), name: $0, to: &scratch)
        }
        let line = batch.append(scratch)
        batch.append(.respelled(line: line, name: batch.append(walk.path), size: status.size))
        return true
    }
}
