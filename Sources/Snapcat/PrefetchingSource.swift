import SnapcatPlatform

/// Reads ahead on a thread of its own, so that inflating one file and working on its lines overlap.
package final class PrefetchingSource: ByteSource {
    private enum Chunk: Sendable {
        case bytes([UInt8])
        case failure(any Error)
        case end
    }

    /// Carries the source to its thread: from then on no other touches it.
    private struct Handover: @unchecked Sendable { let source: any ByteSource }

    private let queue = BoundedQueue<Chunk>(capacity: 4)
    private var current: [UInt8] = []
    private var position = 0
    private var ended = false
    private var failure: (any Error)?

    package init(_ source: sending any ByteSource) throws {
        let handover = Handover(source: source)
        let queue = queue
        _ = WorkerThread.start("snapcat-prefetch") {
            while true {
                do {
                    var bytes: [UInt8] = []
                    var count = 0
                    bytes = try [UInt8](unsafeUninitializedCapacity: 512 << 10) { buffer, filled in
                        count = try handover.source.fill(UnsafeMutableRawBufferPointer(buffer))
                        filled = count
                    }
                    if count == 0 { _ = queue.push(.end); return }
                    // A closed queue means that nobody reads on.
                    if !queue.push(.bytes(bytes)) { return }
                } catch {
                    _ = queue.push(.failure(error))
                    return
                }
            }
        }
    }

    deinit { queue.close() }

    package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        while position == current.count {
            if let failure { throw failure }
            if ended { return 0 }
            switch queue.pop() {
            case .bytes(let bytes): (current, position) = (bytes, 0)
            case .failure(let error):
                failure = error
                throw error
            case .end, nil:
                ended = true
                return 0
            }
        }
        let count = min(buffer.count, current.count - position)
        current.withUnsafeBytes {
            buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[position..<position + count]))
        }
        position += count
        return count
    }
}
