import Foundation
import SnapcatFormat
import SnapcatHeap
import SnapcatPlatform
import Synchronization

/// The threads of a restore that inflate and write files.
final class RestoreWriters: Sendable {
    struct Counts: Sendable {
        var files: Int64 = 0
        var bytes: Int64 = 0
        var damaged: Int64 = 0
        var failed: Int64 = 0

        /// One bad file does not cost the others: only what ends the restore is thrown.
        mutating func take(
            _ work: FileRestorer.Work, _ result: Result<Int64, any Error>, _ stop: RestoreStop, _ monitor: Monitor
        ) throws {
            do {
                let written = try result.get()
                files += 1
                bytes += written
                monitor.progress.add(bytes: written)
            } catch let error as SnapcatError where error.code != .interrupted && !stop.isMeant(by: error) {
                let isDamage = error.code == .damage || error.code == .notFound
                if isDamage { damaged += 1 } else { failed += 1 }
                monitor.problem(error.costing(work.name))
            }
        }
    }

    private let queue = BoundedQueue<[FileRestorer.Work]>(capacity: 64)
    /// Files that a thread takes at once: their md5s are taken side by side.
    private static let batchCount = 64
    private let batch = Mutex<[FileRestorer.Work]>([])
    private let threads: [Promise<Result<Counts, any Error>>]

    init(heap: Heap, root: Descriptor, widening widened: WidenedFolders, options: RestoreOptions, monitor: Monitor) {
        let queue = queue
        let stop = RestoreStop(root: root)
        let count = options.parallelism > 0 ? options.parallelism : max(1, ProcessInfo.processInfo.activeProcessorCount)
        threads = (0..<count).map { index in
            WorkerThread.start("snapcat-restore-\(index)") {
                var counts = Counts()
                let restorer = FileRestorer(
                    heap, root: root, widening: widened, options: options, cancellation: monitor.cancellation)
                do {
                    while let batch = queue.pop() {
                        try restorer.write(batch) { try counts.take($0, $1, stop, monitor) }
                    }
                } catch {
                    queue.close()
                    throw error
                }
                return counts
            }
        }
    }

    /// A thread has ended with an error, which `finish` throws.
    struct Stopped: Error {}

    /// Neighbouring files go to one thread: they share their folders. Throws `Stopped` where nobody writes any more.
    func write(_ name: [UInt8], _ item: SideItem, over occupant: Occupant) throws {
        let full = batch.withLock { batch -> [FileRestorer.Work]? in
            batch.append(FileRestorer.Work(name: name, item: item, occupant: occupant))
            guard batch.count >= Self.batchCount else { return nil }
            defer { batch = [] }
            return batch
        }
        if let full, !queue.push(full) { throw Stopped() }
    }

    func stop() { queue.close() }

    /// Waits for all. Throws the first error that ended a thread.
    func finish() throws -> Counts {
        let rest = batch.withLock { batch -> [FileRestorer.Work] in
            defer { batch = [] }
            return batch
        }
        if !rest.isEmpty { _ = queue.push(rest) }
        queue.close()
        var total = Counts()
        for result in threads.map({ $0.wait() }) {
            let counts = try result.get()
            total.files += counts.files
            total.bytes += counts.bytes
            total.damaged += counts.damaged
            total.failed += counts.failed
        }
        return total
    }
}
