import Foundation
import SnapcatFormat
import SnapcatHeap
import SnapcatPlatform
import Synchronization

/// Reads every object of a heap on all cores and compares its content's md5 with its name.
struct CheckHeap: Sendable {
    let heap: Heap
    let monitor: Monitor

    /// What was read, and which objects are not what they must be, by md5.
    struct Result: Sendable {
        var objects: Int64 = 0
        var bytes: Int64 = 0
        var damaged: [MD5Digest: SnapcatError] = [:]
    }

    /// The next bucket to be read.
    private final class Buckets: Sendable {
        private let next = Atomic<Int>(0)
        func take() -> Int? {
            let bucket = next.add(1, ordering: .relaxed).oldValue
            return bucket < 256 ? bucket : nil
        }
    }

    func run() throws -> Result {
        let buckets = Buckets()
        let workers = (0..<max(1, ProcessInfo.processInfo.activeProcessorCount)).map { index in
            WorkerThread.start("snapcat-check-\(index)") { try read(buckets) }
        }
        var whole = Result()
        var failure: (any Error)?
        for worker in workers {
            switch worker.wait() {
            case .success(let part):
                whole.objects += part.objects
                whole.bytes += part.bytes
                whole.damaged.merge(part.damaged) { first, _ in first }
            case .failure(let error): failure = failure ?? error
            }
        }
        if let failure { throw failure }
        return whole
    }

    private func read(_ buckets: Buckets) throws -> Result {
        let reader = try ObjectReader(heap)
        var result = Result()
        while let bucket = buckets.take() {
            for object in try heap.objects(inBucket: bucket, withSizes: false) {
                try monitor.cancellation.check()
                result.objects += 1
                do { result.bytes += try reader.verify(object.md5) } catch let error as SnapcatError where error.code != .interrupted {
                    result.damaged[object.md5] = error
                }
                monitor.progress.add(files: 1)
            }
        }
        return result
    }
}
