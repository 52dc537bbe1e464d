import SnapcatPlatform

/// The entries of a first snapshot, parsed on a thread of its own while the caller inserts them.
enum ParsedEntries {
    private struct Batch: Sendable {
        var entries: [(name: [UInt8], version: EntryVersion)] = []
        var warnings: [(name: [UInt8], message: String)] = []
    }

    /// Carries the source to its thread: from then on no other touches it.
    private struct Handover: @unchecked Sendable { let source: any LineChangeSource }

    private static let entriesPerBatch = 512

    /// Calls `body` for each entry in order; throws what the source throws.
    static func forEach(
        _ source: any LineChangeSource, warn: ([UInt8], String) -> Void,
        _ body: ([UInt8], EntryVersion) throws -> Void
    ) throws {
        let queue = BoundedQueue<Result<Batch, any Error>>(capacity: 4)
        // An error of `body` ends the other thread at its next batch.
        defer { queue.close() }
        let handover = Handover(source: source)
        _ = WorkerThread.start("snapcat-parse") { parse(handover.source, into: queue) }
        while let result = queue.pop() {
            let batch = try result.get()
            for warning in batch.warnings { warn(warning.name, warning.message) }
            for entry in batch.entries { try body(entry.name, entry.version) }
        }
    }

    /// Nobody reads on.
    private struct Closed: Error {}

    private static func parse(_ source: any LineChangeSource, into queue: BoundedQueue<Result<Batch, any Error>>) {
        defer { queue.close() }
        do {
            var scratch: [UInt8] = []
            var batch = Batch()
            batch.entries.reserveCapacity(entriesPerBatch)
            var warnings: [(name: [UInt8], message: String)] = []
            try source.forEachChange(warn: { warnings.append(($0, $1)) }) { change in
                guard let line = change.line, let fields = change.fields else { return }
                let version = EntryVersion(line: line, fields: fields, name: change.name, scratch: &scratch)
                batch.entries.append((change.name, version))
                guard batch.entries.count == entriesPerBatch else { return }
                if !queue.push(.success(batch)) { throw Closed() }
                batch.entries.removeAll(keepingCapacity: true)
            }
            batch.warnings = warnings
            _ = queue.push(.success(batch))
        } catch {
            // Where the queue is closed nobody wants to know.
            _ = queue.push(.failure(error))
        }
    }
}
