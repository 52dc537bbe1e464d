import GRDB
import SnapcatCatalog
import SnapcatFormat
import SnapcatHeap
import SnapcatPlatform
import SnapcatStorage
import Synchronization

/// The objects that a bounded check reads: those first that the last reading found bad, then the longest unread; notes in
/// the catalog those that were found good, as they come (RELIABILITY.md).
///
/// Cost: a look at each object of the heap, and 48 bytes of memory for each that is due.
final class DueObjects: ObjectSupply {
    private struct Due {
        var md5: MD5Digest
        var storedBytes: Int64
        /// What the storage says of it.
        var stamp: Int64
        /// In microseconds; `never` where it is not known for certain.
        var verifiedAt: Int64
        /// The last reading found it so.
        var isBad: Bool
    }

    private struct Position {
        /// Into `chosen`.
        var next = 0
        var isStopped = false
        /// By the index of `due`: read to its end, and the same file all the time.
        var isDone: [Bool]
        /// By the same index: good, but another file than before.
        var changed: Set<Int> = []
        var cannotNote = false
    }

    private static let never = Int64.min
    private static let mostAtOnce = (objects: 64, bytes: Int64(32) << 20)

    private let repository: Repository
    private let heap: Heap
    private let monitor: Monitor
    private let now: SnapshotTime
    private let bounds: ReadingBounds
    private let deadline: Int64?
    /// In the order in which they are to be read.
    private let due: [Due]
    /// Those that fit into the budget, by their index.
    private let chosen: [Int]
    private let position: Mutex<Position>

    /// Looks at all of the heap. `now`: when the check began. The catalog must know what the heap holds.
    init(_ repository: Repository, _ heap: Heap, _ bounds: ReadingBounds, now: SnapshotTime, _ monitor: Monitor) throws {
        (self.repository, self.heap, self.bounds, self.now, self.monitor) = (repository, heap, bounds, now, monitor)
        let catalog = try repository.catalog(monitor)
        let due = try catalog.read { try Self.find(heap, $0, bounds, now, monitor.cancellation) }
        var room = bounds.budgetBytes ?? .max
        chosen = due.indices.filter { index in
            guard due[index].storedBytes <= room else { return false }
            room -= due[index].storedBytes
            return true
        }
        self.due = due
        deadline = bounds.budgetNanoseconds.map { monotonicNanoseconds().addingReportingOverflow($0) }
            .map { $0.overflow ? .max : $0.partialValue }
        position = Mutex(Position(isDone: Array(repeating: false, count: due.count)))
        if catalog.path == nil { position.withLock { tellThatNothingIsNoted(&$0, "the catalog cannot be written") } }
    }

    private static func find(
        _ heap: Heap, _ db: Database, _ bounds: ReadingBounds, _ now: SnapshotTime, _ cancellation: CancellationFlag
    ) throws -> [Due] {
        var due: [Due] = []
        let bad = try HeapMembership.bad(db)
        for bucket in 0..<256 {
            try cancellation.check()
            let verified = try HeapMembership.verified(db, inBucket: bucket)
            for (md5, status) in try heap.objectStatuses(inBucket: bucket) {
                let stamp = status.stamp
                let at = verified[md5].flatMap { $0.holds(of: status, stamp, now) ? $0.at.microseconds : nil } ?? never
                if let most = bounds.maxAgeMicroseconds, at != never, now.microseconds - at < most { continue }
                due.append(Due(md5: md5, storedBytes: status.size, stamp: stamp, verifiedAt: at, isBad: bad.contains(md5)))
            }
        }
        due.sort { $0.isBad == $1.isBad ? ($0.verifiedAt, $0.md5) < ($1.verifiedAt, $1.md5) : $0.isBad }
        return due
    }

    // MARK: Reading

    /// How many objects are to be read, and their stored bytes.
    var plan: (objects: Int64, storedBytes: Int64) {
        (Int64(chosen.count), chosen.reduce(0) { $0 + due[$1].storedBytes })
    }

    func next() throws -> ObjectBatch? {
        position.withLock { position in
            if let deadline, monotonicNanoseconds() >= deadline { return nil }
            if position.isStopped || position.next == chosen.count { return nil }
            let start = position.next
            var bytes: Int64 = 0
            while position.next < chosen.count, position.next - start < Self.mostAtOnce.objects, bytes < Self.mostAtOnce.bytes {
                bytes += due[chosen[position.next]].storedBytes
                position.next += 1
            }
            return ObjectBatch(start: start, objects: chosen[start..<position.next].map { due[$0].md5 })
        }
    }

    /// What was good is noted at once: a check that is killed later need not read it again.
    func finished(_ batch: ObjectBatch, good: [Int]) throws {
        let isGood = Set(good)
        var verified: [(md5: MD5Digest, stamp: Int64)] = []
        var changed: Set<Int> = []
        for offset in good {
            let object = due[chosen[batch.start + offset]]
            // The file was the same before and after: then it was this one that was read.
            let status: StorageStatus?
            do { status = try heap.storage.status(of: HeapLayout.key(object.md5)) } catch let error as SnapcatError where error.meansUnreadable {
                // What the disk does not tell is not noted: the next check reads it again.
                status = nil
            }
            if status?.stamp == object.stamp { verified.append((object.md5, object.stamp)) } else { changed.insert(offset) }
        }
        position.withLock { position in
            // What is bad has been read too, and is told: it is not left over.
            for offset in batch.objects.indices where !isGood.contains(offset) || !changed.contains(offset) {
                position.isDone[chosen[batch.start + offset]] = true
            }
            for offset in changed { position.changed.insert(chosen[batch.start + offset]) }
        }
        do {
            try repository.catalog(monitor).write { [now] in try HeapMembership.noteVerified($0, at: now, verified) }
        } catch let error as SnapcatError where error.code != .interrupted {
            // The objects are looked at all the same: only the next run has to begin anew.
            position.withLock { tellThatNothingIsNoted(&$0, error.reason.isEmpty ? error.what : error.reason) }
        }
    }

    private func tellThatNothingIsNoted(_ position: inout Position, _ reason: String) {
        if position.cannotNote { return }
        position.cannotNote = true
        monitor.note("what is read cannot be noted (\(reason)): the next check reads the same; '--catalog' names another place")
    }

    func stop() { position.withLock { $0.isStopped = true } }

    // MARK: After reading

    var readStoredBytes: Int64 {
        position.withLock { position in chosen.reduce(0) { $0 + (position.isDone[$1] ? due[$1].storedBytes : 0) } }
    }

    /// What the last reading found bad and this one did not come to.
    var unreadDamage: [MD5Digest] {
        position.withLock { position in
            due.indices.filter { due[$0].isBad && !position.isDone[$0] && !position.changed.contains($0) }.map { due[$0].md5 }
        }
    }

    /// What was due and was not read.
    var unread: UnreadObjects {
        position.withLock { position in
            var result = UnreadObjects()
            for index in due.indices where !position.isDone[index] {
                let object = due[index]
                if result.objects == 0, object.verifiedAt != Self.never {
                    result.oldest = SnapshotTime(microseconds: object.verifiedAt)
                }
                result.objects += 1
                result.bytes += object.storedBytes
                if object.storedBytes > bounds.budgetBytes ?? .max { result.tooLarge += 1 }
            }
            return result
        }
    }
}

extension VerifiedObject {
    /// A file system's stamps may be that coarse, in microseconds.
    private static let coarseness: Int64 = 2_000_000

    /// Whether it can be said for certain of the object as it is now.
    fileprivate func holds(of status: StorageStatus, _ stamp: Int64, _ now: SnapshotTime) -> Bool {
        // A clock has lied, then or now.
        if at > now { return false }
        if let noted = self.stamp { return noted == stamp }
        // A check of the whole heap, or a repair, has read it: then it must be older than that.
        guard let mtime = status.mtimeNanoseconds, let ctime = status.ctimeNanoseconds else { return false }
        return max(mtime, ctime) / 1000 + Self.coarseness < at.microseconds
    }
}

extension StorageStatus {
    /// One number that differs where the file does.
    fileprivate var stamp: Int64 {
        var text = fingerprint
        return text.withUTF8 { Int64(bitPattern: MD5Hasher.digest(UnsafeRawBufferPointer($0)).high) }
    }
}
