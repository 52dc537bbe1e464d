import Foundation
import SnapcatCatalog
import SnapcatFormat
import SnapcatHeap
import SnapcatPlatform
import Synchronization

/// Reads every object of a heap on all cores and compares its content's md5 with its name, while its maker does
/// something else.
final class CheckHeap: Sendable {
    /// What was read, and which objects are not what they must be, by md5.
    struct Result: Sendable {
        var objects: Int64 = 0
        var bytes: Int64 = 0
        var damaged: [MD5Digest: SnapcatError] = [:]
        /// What the buckets held when they were listed to be read.
        var buckets: [Int: BucketNames] = [:]
    }

    private let objects: HeapObjects
    private let workers: [Promise<Swift.Result<Result, any Error>>]

    /// Starts reading. `progress` counts the objects and their bytes.
    init(_ heap: Heap, progress: WorkProgress, cancellation: CancellationFlag) {
        let objects = HeapObjects(heap)
        self.objects = objects
        workers = (0..<max(1, ProcessInfo.processInfo.activeProcessorCount)).map { index in
            WorkerThread.start("snapcat-check-\(index)") {
                do {
                    var result = Result()
                    let reader = ObjectReader(heap)
                    while let some = try objects.next() { try result.read(some, reader, progress, cancellation) }
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
        whole.buckets = objects.buckets
        return whole
    }
}

extension CheckHeap.Result {
    fileprivate mutating func read(
        _ some: [MD5Digest], _ reader: ObjectReader, _ progress: WorkProgress, _ cancellation: CancellationFlag
    ) throws {
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
                progress.add(files: 1, bytes: count)
            } catch let error as SnapcatError where error.code != .interrupted {
                damaged[some[index]] = error
                progress.add(files: 1)
            }
        }
    }
}

/// The objects of a heap, dealt out to several threads, each bucket to all of them.
private final class HeapObjects: Sendable {
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

    /// nil at the end.
    func next() throws -> [MD5Digest]? {
        try position.withLock { position in
            while position.listed.isEmpty {
                if position.isStopped || position.nextBucket == 256 { return nil }
                position.listed = try heap.objects(inBucket: position.nextBucket, withSizes: false).map { $0.md5 }
                position.buckets[position.nextBucket] = BucketNames(position.listed)
                position.nextBucket += 1
            }
            defer { position.listed.removeLast(min(Self.atOnce, position.listed.count)) }
            return Array(position.listed.suffix(Self.atOnce))
        }
    }

    var buckets: [Int: BucketNames] { position.withLock { $0.buckets } }

    func stop() {
        position.withLock { position in
            position.isStopped = true
            position.listed = []
        }
    }
}
