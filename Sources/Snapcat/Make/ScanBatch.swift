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
    // (through a locked queue); `results` only with `condition` locked.

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
    private var pendingBytes: Int64 = 0
    private var folderCount = 0
    private var results: [FileResult]?
    private let condition = NSCondition()

    /// So much is handed over at once: large enough that hand-overs cost nothing, small enough to be bounded.
    private static let mostBytes = 256 << 10
    private static let mostPieces = 4096
    /// One worker reads them, and takes their md5s side by side.
    private static let mostPending = 64
    /// What is more goes to the next worker.
    private static let mostPendingBytes: Int64 = 4 << 20
    /// Folders stay open until their files are read: this and `ScanPipeline.mostBatches` bound their number.
    private static let mostFolders = 8

    var isFull: Bool {
        bytes.count >= Self.mostBytes || pieces.count >= Self.mostPieces || pending.count >= Self.mostPending
            || pendingBytes >= Self.mostPendingBytes || folderCount >= Self.mostFolders
    }
    var isEmpty: Bool { pieces.isEmpty }

    func append(_ content: some Collection<UInt8>) -> Range<Int> {
        let start = bytes.count
        bytes.append(contentsOf: content)
        return start..<bytes.count
    }

    func append(_ piece: Piece) { pieces.append(piece) }

    func append(pending file: PendingFile) {
        if pending.last?.folder !== file.folder { folderCount += 1 }
        pendingBytes += file.expectedSize
        pieces.append(.pending(pending.count))
        pending.append(file)
    }

    /// One result for each pending file, in their order.
    func complete(_ results: [FileResult]) {
        condition.lock()
        self.results = results
        condition.broadcast()
        condition.unlock()
    }

    /// Waits until every pending file has its result.
    func waitForResults() -> [FileResult] {
        if pending.isEmpty { return [] }
        condition.lock()
        defer { condition.unlock() }
        while true {
            if let results { return results }
            condition.wait()
        }
    }
}
