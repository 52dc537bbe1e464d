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

    /// Each content at the newest of the snapshots that names it; nil, with a note, where there is no heap, where it or
    /// another snap root of it cannot be read, or where a file that stays here may name any content: forgetting removes no
    /// content, and need not know. Cost: one look-up and one look into the heap for each content; where the heap serves
    /// other snap roots too, these are read.
    func perSnapshot(forgetting snapshots: [IndexedSnapshot], of all: [IndexedSnapshot]) throws -> [SnapshotName: FreedAmount]? {
        if snapshots.isEmpty { return [:] }
        do {
            guard let heap = repository.heap else {
                throw SnapcatError(.usage, "No heap root", advice: "give --heap-root")
            }
            try refuseUnknown(forgetting: snapshots, of: all)
            return try amounts(only(snapshots), heap)
        } catch let error as SnapcatError where error.code != .interrupted {
            monitor.note("how much that frees is not known: \(error.description)")
            return nil
        }
    }

    /// What gc counts as well, or for which it takes nothing away, and no catalog tells the contents of.
    private func refuseUnknown(forgetting snapshots: [IndexedSnapshot], of all: [IndexedSnapshot]) throws {
        let store = repository.snapshots
        let gone = Set(snapshots.map(\.name))
        if let damaged = all.first(where: { $0.isDamaged && !gone.contains($0.name) }) {
            throw SnapcatError(.damage, "A damaged snapshot stays", store.displayPath(StorageKey(damaged.key)))
        }
        let listing = try store.list()
        if let key = listing.blocked.first { throw store.problem(blocked: key) }
        if let (key, reason) = listing.ignored.min(by: { $0.key.bytes.lexicographicallyPrecedes($1.key.bytes) }) {
            throw SnapcatError(.failed, "A file that is no snapshot may name contents", store.displayPath(key), reason: reason)
        }
    }

    private func amounts(_ given: [Content], _ heap: Heap) throws -> [SnapshotName: FreedAmount] {
        var contents = given
        if !contents.isEmpty {
            let others = try KnownSnapRoots(heap)?.others(than: repository.snapshots.storage, monitor) ?? []
            if !others.isEmpty {
                let named = try ContentCensus(others, monitor.cancellation).named()
                contents.removeAll { named.contains($0.md5) }
            }
        }
        var result: [SnapshotName: FreedAmount] = [:]
        for content in contents {
            try monitor.cancellation.check()
            guard let stored = try heap.storage.status(of: HeapLayout.key(content.md5)) else { continue }
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
