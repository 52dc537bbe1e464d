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

    private struct Work: Sendable {
        var batch: ScanBatch
        var indices: Range<Int>
    }

    /// So many batches are under way at once; with `ScanBatch.mostPending` this bounds the open folders.
    private static let mostBatches = 8

    func run(_ merge: inout ScanMerge, into writer: BatchWriter) throws {
        let work = BoundedQueue<Work>(capacity: 256)
        let ordered = BoundedQueue<ScanBatch>(capacity: Self.mostBatches)
        let stop = CancellationFlag()
        let workers = startWorkers(work, stop)
        let writerResult = startWriter(ordered, writer, stop)
        var failure: (any Error)?
        do {
            try merge.run { batch in
                batch.seal()
                guard ordered.push(batch) else { return false }
                for start in stride(from: 0, to: batch.pending.count, by: 4) {
                    let end = min(start + 4, batch.pending.count)
                    guard work.push(Work(batch: batch, indices: start..<end)) else { return false }
                }
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
        _ work: BoundedQueue<Work>, _ stop: CancellationFlag
    ) -> [Promise<Result<Void, any Error>>] {
        let count = options.parallelism > 0 ? options.parallelism : max(1, ProcessInfo.processInfo.activeProcessorCount)
        let (session, options, monitor) = (session, options, monitor)
        return (0..<count).map { index in
            WorkerThread.start("snapcat-read-\(index)") {
                var failure: (any Error)?
                var reader: FileReader?
                while let item = work.pop() {
                    for pending in item.indices {
                        var result = FileResult.vanished
                        if failure == nil && !stop.isCancelled {
                            do {
                                if reader == nil {
                                    reader = try FileReader(session, options: options, cancellation: monitor.cancellation)
                                }
                                let file = item.batch.pending[pending]
                                result = try reader?.read(file) ?? .vanished
                                if case .entry(_, let size, _, _) = result { monitor.progress.add(bytes: size) }
                            } catch let error as SnapcatError where error.code == .collision {
                                result = .unreadable(error)
                            } catch {
                                failure = error
                                stop.cancel()
                            }
                        }
                        // Whatever happened, the writer must not wait for it for ever.
                        item.batch.complete(pending, result)
                    }
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
