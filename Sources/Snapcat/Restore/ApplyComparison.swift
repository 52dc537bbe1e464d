import SnapcatFormat
import SnapcatHeap
import SnapcatPlatform
import SystemPackage

extension Repository {
    /// Makes `target` follow the left side of a comparison: names that only the left has, and those that differ, are
    /// written from the heap; names that only the right has are deleted. snapshooter's `apply_diff`.
    ///
    /// Only files are touched. No snapshot is taken and none is needed: whoever calls this has compared. A name or
    /// object that cannot be restored is told to `monitor`, counted, and costs no other. Takes the repository's lock.
    public func apply(
        _ rows: [ComparisonRow], to target: String, options: RestoreOptions = RestoreOptions(),
        monitor: Monitor = .silent
    ) async throws -> RestoreSummary {
        try await run("snapcat-apply", monitor) { [self] in
            let lock = try lockForRestore(monitor)
            defer { withExtendedLifetime(lock) {} }
            let bytes = Array(target.utf8)
            let ownPaths = try ownPaths(in: bytes, monitor)
            let root = try openTarget(bytes)
            let widened = WidenedFolders()
            var job = ApplyJob(
                tree: TargetTree(root, widening: widened), ownPaths: ownPaths, monitor: monitor,
                restorer: FileRestorer(
                    try requireHeap(), root: root, widening: widened, replaces: options.replacesObstacles, options: options,
                    cancellation: monitor.cancellation))
            for row in rows {
                try monitor.cancellation.check()
                try job.take(row)
            }
            try withSystemError("Cannot make durable", bytes) { () throws(Errno) in
                try FolderOperations.syncFileSystem(of: root)
            }
            return job.summary
        }
    }
}

private struct ApplyJob {
    let tree: TargetTree
    let ownPaths: [[UInt8]]
    let monitor: Monitor
    let restorer: FileRestorer
    var summary = RestoreSummary()

    mutating func take(_ row: ComparisonRow) throws {
        if row.status == .renamed, let nameLeft = row.nameLeft {
            try take(ComparisonRow(status: .onlyLeft, name: nameLeft, left: row.left, right: nil))
            return try take(ComparisonRow(status: .onlyRight, name: row.name, left: nil, right: row.right))
        }
        let name = row.name.bytes
        let isOwn = ownPaths.contains { name == $0 || name.starts(with: $0 + [UInt8(ascii: "/")]) }
        if let objection = row.name.restoreObjection ?? (isOwn ? "it is a part of the repository" : nil) {
            summary.damaged += 1
            monitor.problem(SnapcatError(.damage, "Not restored", row.name.description, reason: objection))
            return
        }
        do {
            switch row.status {
            case .onlyLeft, .different:
                guard let left = row.left, left.type == "file" else { return }
                summary.writtenBytes += try restorer.write(name, left)
                summary.writtenFiles += 1
            case .onlyRight:
                guard row.right?.type == "file" else { return }
                try withSystemError("Cannot delete", name) { () throws(Errno) in
                    let place = try tree.place(name, creates: false, replaces: false)
                    try FolderOperations.removeFile(place.name, in: place.folder.raw)
                }
                summary.deleted += 1
            case .equal, .metadata, .renamed: summary.unchanged += 1
            }
        } catch let error as SnapcatError where error.code != .interrupted {
            if error.code == .damage || error.code == .notFound { summary.damaged += 1 } else { summary.failed += 1 }
            monitor.problem(error.costing(name))
        }
    }
}
