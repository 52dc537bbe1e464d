import SnapcatPlatform

/// What a change makes of an entry; nil: it is gone.
typealias ParsedChange = (name: [UInt8], version: EntryVersion?)

/// Turns lines into versions.
struct EntryParser {
    private var scratch: [UInt8] = []

    mutating func version(of change: LineChange) -> EntryVersion? {
        guard let line = change.line, let fields = change.fields else { return nil }
        return EntryVersion(line: line, fields: fields, name: change.name, scratch: &scratch)
    }
}

/// The changes of a source, found and parsed on a thread of its own while the caller writes them.
enum ParsedChanges {
    private struct Batch: Sendable {
        var changes: [ParsedChange] = []
        var warnings: [(name: [UInt8], message: String)] = []
    }

    /// Carries the source to its thread: from then on no other touches it.
    private struct Handover: @unchecked Sendable { let source: any LineChangeSource }

    private static let changesPerBatch = 512

    /// Calls `body` for some changes after the other, in order; throws what the source throws.
    static func forEachBatch(
        _ source: any LineChangeSource, warn: ([UInt8], String) -> Void,
        _ body: (ArraySlice<ParsedChange>) throws -> Void
    ) throws {
        let queue = BoundedQueue<Result<Batch, any Error>>(capacity: 4)
        // An error of `body` ends the other thread at its next batch.
        defer { queue.close() }
        let handover = Handover(source: source)
        _ = WorkerThread.start("snapcat-parse") { parse(handover.source, into: queue) }
        while let result = queue.pop() {
            let batch = try result.get()
            for warning in batch.warnings { warn(warning.name, warning.message) }
            if !batch.changes.isEmpty { try body(batch.changes[...]) }
        }
    }

    /// Nobody reads on.
    private struct Closed: Error {}

    private static func parse(_ source: any LineChangeSource, into queue: BoundedQueue<Result<Batch, any Error>>) {
        defer { queue.close() }
        do {
            var parser = EntryParser()
            var batch = Batch()
            batch.changes.reserveCapacity(changesPerBatch)
            var warnings: [(name: [UInt8], message: String)] = []
            try source.forEachChange(warn: { warnings.append(($0, $1)) }) { change in
                // A copy: the source fills its buffer again, which no other thread is to have.
                let name = change.name.withUnsafeBufferPointer { Array($0) }
                batch.changes.append((name, parser.version(of: change)))
                guard batch.changes.count == changesPerBatch else { return }
                if !queue.push(.success(batch)) { throw Closed() }
                batch = Batch()
                batch.changes.reserveCapacity(changesPerBatch)
            }
            batch.warnings = warnings
            _ = queue.push(.success(batch))
        } catch {
            // Where the queue is closed nobody wants to know.
            _ = queue.push(.failure(error))
        }
    }
}
