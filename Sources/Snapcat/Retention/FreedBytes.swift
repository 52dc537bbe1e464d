import GRDB
import SnapcatCatalog
import SnapcatFormat
import SnapcatHeap
import SnapcatPlatform
import SnapcatStorage

/// What forgetting a set of snapshots frees, exactly: the contents that only they name, as far as the heap holds them.
struct FreedBytes {
    let repository: Repository
    let monitor: Monitor

    init(_ repository: Repository, _ monitor: Monitor) { (self.repository, self.monitor) = (repository, monitor) }

    /// Each content at the newest of the snapshots that names it; nil, with a note, where the heap or another snap root of
    /// it cannot be read: forgetting removes no content, and need not know. Cost: one look-up and one look into the heap
    /// for each content; where the heap serves other snap roots too, these are read.
    func perSnapshot(forgetting snapshots: [IndexedSnapshot]) throws -> [SnapshotName: FreedAmount]? {
        if snapshots.isEmpty { return [:] }
        let contents = try only(snapshots)
        do { return try amounts(contents) } catch let error as SnapcatError where error.code != .interrupted {
            monitor.note("how much that frees is not known: \(error.description)")
            return nil
        }
    }

    private func amounts(_ given: [Content]) throws -> [SnapshotName: FreedAmount] {
        var contents = given
        if let heap = repository.heap, !contents.isEmpty {
            let others = try KnownSnapRoots(heap)?.others(than: repository.snapshots.storage, monitor) ?? []
            if !others.isEmpty {
                let named = try ContentCensus(others, monitor.cancellation).named()
                contents.removeAll { named.contains($0.md5) }
            }
        }
        var result: [SnapshotName: FreedAmount] = [:]
        for content in contents {
            try monitor.cancellation.check()
            guard let stored = try repository.heap?.storage.status(of: HeapLayout.key(content.md5)) else { continue }
            result[content.last, default: FreedAmount()] += FreedAmount(
                objects: 1, bytes: content.size, storedBytes: stored.size)
        }
        return result
    }

    private typealias Content = (md5: MD5Digest, size: Int64, last: SnapshotName)

    private func only(_ snapshots: [IndexedSnapshot]) throws -> [Content] {
        let ids = snapshots.filter { !$0.isDamaged }.map { String($0.id) }.joined(separator: ",")
        return try repository.catalog(monitor).read { db in
            var contents: [(md5: MD5Digest, size: Int64)] = []
            try Statement(db, FreedContents.sql(forgetting: ids)).forEach { row in
                if let md5 = MD5Digest(hex: row.bytes(0)) { contents.append((md5, row.integer(1))) }
            }
            let last = try Statement(db, FreedContents.lastSnapshotSQL)
            return try contents.compactMap { content in
                try last.bind(1, text: content.md5.hexBytes).first { row in
                    (content.md5, content.size, SnapshotName(time: SnapshotTime(microseconds: row.integer(0))))
                }
            }
        }
    }
}
