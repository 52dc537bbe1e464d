import Foundation
import SnapcatHeap
import SnapcatPlatform

/// Runs a scan on several threads: the caller's walks and merges, workers read files, one writes in order.
///
/// Everything between them is bounded. The first error of any thread stops all.
struct ScanPipeline {
    let options: MakeOptions
    let session: HeapSession?
    let monitor: Monitor

    /// So many batches are under way at once; with `ScanBatch.mostFolders` this bounds the open folders.
    private static let mostBatches = 12

    func run(_ merge: inout ScanMerge, into writer: BatchWriter) throws {
        let work = BoundedQueue<ScanBatch>(capacity: Self.mostBatches)
        let ordered = BoundedQueue<ScanBatch>(capacity: Self.mostBatches)
        let stop = CancellationFlag()
        let workers = startWorkers(work, stop)
        let writerResult = startWriter(ordered, writer, stop)
        var failure: (any Error)?
        do {
            try merge.run { batch in
                guard ordered.push(batch), batch.pending.isEmpty || work.push(batch) else { return false }
                return !stop.isCancelled
            }
        } catch {
            failure = error
            stop.cancel()
        }
        work.close()
        ordered.close()
        for worker in workers {
            if case .failure(let error) = worker.wait(), failure == nil { failure = error }
        }
        if case .failure(let error) = writerResult.wait(), failure == nil || stop.isCancelled && failure == nil {
            failure = error
        }
        if let failure { throw failure }
        try monitor.cancellation.check()
    }

    private func startWorkers(
        _ work: BoundedQueue<ScanBatch>, _ stop: CancellationFlag
    ) -> [Promise<Result<Void, any Error>>] {
        let count = options.parallelism > 0 ? options.parallelism : max(1, ProcessInfo.processInfo.activeProcessorCount)
        let (session, options, monitor) = (session, options, monitor)
        return (0..<count).map { index in
            WorkerThread.start("snapcat-read-\(index)") {
                var failure: (any Error)?
                var reader: FileReader?
                while let batch = work.pop() {
                    var results: [FileResult]?
                    if failure == nil && !stop.isCancelled {
                        do {
                            let current = try reader ?? FileReader(session, options: options, monitor: monitor)
                            reader = current
                            results = try current.read(batch.pending)
                        } catch {
                            failure = error
                            stop.cancel()
                        }
                    }
                    // Whatever happened, the writer must not wait for it for ever.
                    batch.complete(results ?? Array(repeating: .vanished, count: batch.pending.count))
                }
                if let failure { throw failure }
            }
        }
    }

    /// The writer thread owns the batch writer until it ends; then the caller has it back.
    private struct Handover: @unchecked Sendable { let writer: BatchWriter }

    private func startWriter(
        _ ordered: BoundedQueue<ScanBatch>, _ writer: BatchWriter, _ stop: CancellationFlag
    ) -> Promise<Result<Void, any Error>> {
        let handover = Handover(writer: writer)
        return WorkerThread.start("snapcat-write") {
            var failure: (any Error)?
            while let batch = ordered.pop() {
                guard failure == nil && !stop.isCancelled else { continue }
                do { try handover.writer.write(batch) } catch {
                    failure = error
                    stop.cancel()
                }
            }
            if let failure { throw failure }
        }
    }
}
