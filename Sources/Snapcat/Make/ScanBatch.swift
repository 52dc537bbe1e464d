import Foundation
import SnapcatFormat
import SnapcatHeap
import SnapcatPlatform

/// A file whose content has to be read.
struct PendingFile: Sendable {
    var name: [UInt8]
    var folder: Descriptor
    /// The last component of the name.
    var baseName: [UInt8]
    var expectedSize: Int64
    /// The line that the snapshot before has for it; empty where it has none.
    var oldLine: [UInt8]
}

/// What reading a pending file came to.
enum FileResult: Sendable {
    case entry(line: [UInt8], size: Int64, stored: StoredContent, isUnstable: Bool)
    /// Not a regular file any more, or gone: as if it had never been there.
    case vanished
    case unreadable(SnapcatError)
}

/// A run of names in their order: lines that are known, and files that workers read meanwhile.
///
/// Made by the walk, completed by workers, consumed by the writer; each hands over to the next.
final class ScanBatch: @unchecked Sendable {
    // Unchecked: `pieces`, `bytes` and `pending` are only changed before the batch is handed to workers and writer
    // (through a locked queue); `results` and `open` only with `condition` locked.

    enum Piece: Sendable {
        /// An unchanged file's line, taken over as bytes.
        case unchanged(Range<Int>, size: Int64)
        /// An unchanged content under a line of another spelling (mode, owner, keys).
        case respelled(line: Range<Int>, name: Range<Int>, size: Int64)
        case pending(Int)
        /// A name that only the snapshot before has.
        case removed(Range<Int>)
        case node(Node)
        case problem(SnapcatError, name: Range<Int>)
    }

    private(set) var pieces: [Piece] = []
    private(set) var bytes: [UInt8] = []
    private(set) var pending: [PendingFile] = []
    private var results: [FileResult?] = []
    private var open = 0
    private let condition = NSCondition()

    /// So much is handed over at once: large enough that hand-overs cost nothing, small enough to be bounded.
    static let mostBytes = 256 << 10
    static let mostPending = 32

    var isFull: Bool { bytes.count >= Self.mostBytes || pending.count >= Self.mostPending || pieces.count >= 4096 }
    var isEmpty: Bool { pieces.isEmpty }

    func append(_ content: some Collection<UInt8>) -> Range<Int> {
        let start = bytes.count
        bytes.append(contentsOf: content)
        return start..<bytes.count
    }

    func append(_ piece: Piece) { pieces.append(piece) }

    func append(pending file: PendingFile) {
        pieces.append(.pending(pending.count))
        pending.append(file)
    }

    /// Before the batch is handed over.
    func seal() {
        results = Array(repeating: nil, count: pending.count)
        open = pending.count
    }

    func complete(_ index: Int, _ result: FileResult) {
        condition.lock()
        results[index] = result
        open -= 1
        if open == 0 { condition.broadcast() }
        condition.unlock()
    }

    /// Waits until every pending file has its result.
    func waitForResults() -> [FileResult?] {
        condition.lock()
        defer { condition.unlock() }
        while open > 0 { condition.wait() }
        return results
    }
}
