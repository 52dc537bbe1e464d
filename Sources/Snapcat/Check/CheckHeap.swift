import Foundation
import SnapcatCatalog
import SnapcatFormat
import SnapcatHeap
import SnapcatPlatform
import Synchronization

/// Some objects that one thread reads.
struct ObjectBatch: Sendable {
    /// Of the supply's own.
    var start = 0
    var objects: [MD5Digest]
}

/// Where the objects come from that are to be read. Called from several threads.
protocol ObjectSupply: Sendable {
    /// nil at the end.
    func next() throws -> ObjectBatch?
    /// The batch has been read to its end; `good`: the indices of those that are what they must be.
    func finished(_ batch: ObjectBatch, good: [Int]) throws
    /// No more are wanted.
    func stop()
}

/// Reads objects of a heap on all cores and compares each content's md5 with its name, while its maker does something
/// else.
final class CheckHeap: Sendable {
    /// What was read, and which objects are not what they must be, by md5.
    struct Result: Sendable {
        var objects: Int64 = 0
        var bytes: Int64 = 0
        var damaged: [MD5Digest: SnapcatError] = [:]
    }

    private let objects: any ObjectSupply
    private let workers: [Promise<Swift.Result<Result, any Error>>]

    /// Starts reading. `progress` counts the objects and their bytes.
    init(_ heap: Heap, _ objects: any ObjectSupply, progress: WorkProgress, cancellation: CancellationFlag) {
        self.objects = objects
        workers = (0..<max(1, ProcessInfo.processInfo.activeProcessorCount)).map { index in
            WorkerThread.start("snapcat-check-\(index)") {
                do {
                    var result = Result()
                    let reader = ObjectReader(heap)
                    while let batch = try objects.next() {
                        let good = try result.read(batch.objects, reader, progress, cancellation)
                        try objects.finished(batch, good: good)
                    }
                    return result
                } catch {
                    objects.stop()
                    throw error
                }
            }
        }
    }

    /// Ends the reading early.
    func stop() { objects.stop() }

    /// Waits for the end of it. Throws the first error that is not an object's own.
    func finish() throws -> Result {
        var whole = Result()
        for part in try workers.map({ $0.wait() }).map({ try $0.get() }) {
            whole.objects += part.objects
            whole.bytes += part.bytes
            whole.damaged.merge(part.damaged) { first, _ in first }
        }
        return whole
    }
}

extension CheckHeap.Result {
    /// Returns the indices of the good ones.
    fileprivate mutating func read(
        _ some: [MD5Digest], _ reader: ObjectReader, _ progress: WorkProgress, _ cancellation: CancellationFlag
    ) throws -> [Int] {
        var good: [Int] = []
        good.reserveCapacity(some.count)
        try reader.read(some) { index, content in
            try cancellation.check()
            objects += 1
            do {
                let count: Int64
                switch try content.get() {
                case .whole(let content): count = Int64(content.count)
                case .large: count = try reader.stream { _ in try cancellation.check() }
                }
                bytes += count
                good.append(index)
                progress.add(files: 1, bytes: count)
            } catch let error as SnapcatError where error.code != .interrupted {
                damaged[some[index]] = error
                progress.add(files: 1)
            }
        }
        return good
    }
}

/// All objects of a heap, dealt out to several threads, each bucket to all of them.
final class HeapObjects: ObjectSupply {
    private let heap: Heap
    private struct Position {
        var nextBucket = 0
        var listed: [MD5Digest] = []
        var buckets: [Int: BucketNames] = [:]
        var isStopped = false
    }
    private let position = Mutex(Position())
    private static let atOnce = 64

    init(_ heap: Heap) { self.heap = heap }

    func next() throws -> ObjectBatch? {
        try position.withLock { position in
            while position.listed.isEmpty {
                if position.isStopped || position.nextBucket == 256 { return nil }
                position.listed = try heap.objects(inBucket: position.nextBucket)
                position.buckets[position.nextBucket] = BucketNames(position.listed)
                position.nextBucket += 1
            }
            defer { position.listed.removeLast(min(Self.atOnce, position.listed.count)) }
            return ObjectBatch(objects: Array(position.listed.suffix(Self.atOnce)))
        }
    }

    func finished(_ batch: ObjectBatch, good: [Int]) {}

    /// What the buckets held when they were listed to be read.
    var buckets: [Int: BucketNames] { position.withLock { $0.buckets } }

    func stop() {
        position.withLock { position in
            position.isStopped = true
            position.listed = []
        }
    }
}
