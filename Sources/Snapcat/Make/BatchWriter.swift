import SnapcatCatalog
import SnapcatFormat
import SnapcatHeap
import SnapcatPlatform

/// Takes completed batches in order: writes the snapshot's lines and the companion's nodes, and notes what changed.
final class BatchWriter {
    private let snapshot: SnapshotWriter?
    private let nodes: CompanionWriter.NodeSpool?
    private let monitor: Monitor
    private(set) var summary = MakeSummary()
    private(set) var unstable: [SnapshotFacts.Problem] = []
    private(set) var errors: [SnapshotFacts.Problem] = []
    private(set) var omittedProblems: Int64 = 0
    private(set) var collision: SnapcatError?

    let stored = StoredObjects()

    private var noted: [NotedChanges.Item]?
    private var notedBytes = 0
    /// Beyond this the catalog merges the two files instead: memory is bounded.
    private static let mostNotedBytes = 24 << 20

    /// `notesChanges`: there is a snapshot before, and a catalog to tell them to.
    init(snapshot: SnapshotWriter?, nodes: CompanionWriter.NodeSpool?, notesChanges: Bool, monitor: Monitor) {
        noted = notesChanges ? [] : nil
        self.snapshot = snapshot
        self.nodes = nodes
        self.monitor = monitor
    }

    /// The changes against the snapshot before, nil where there is none or they were too many to note.
    var notedChanges: NotedChanges? { noted.map { NotedChanges($0) } }

    func write(_ batch: ScanBatch) throws {
        let results = batch.waitForResults()
        for piece in batch.pieces {
            switch piece {
            case .unchanged(let range, let size): try writeLine(batch.bytes[range], size: size)
            case .respelled(let line, let name, let size):
                note(Array(batch.bytes[name]), Array(batch.bytes[line]))
                try writeLine(batch.bytes[line], size: size)
            case .removed(let range):
                summary.removed += 1
                note(Array(batch.bytes[range]), nil)
            case .node(let node):
                try nodes?.write(node)
                summary.nodes += 1
            case .problem(let error, let name): addError(error, name: Array(batch.bytes[name]))
            case .pending(let index): try write(batch.pending[index], results[index])
            }
        }
    }

    private func write(_ file: PendingFile, _ result: FileResult) throws {
        let isNew = file.oldLine.isEmpty
        switch result {
        case .entry(let line, let size, let stored, let isUnstable):
            summary.readFiles += 1
            summary.readBytes += size
            if stored.isNew { addStored(stored) }
            summary.storedBytes += stored.storedBytes
            if isUnstable { addUnstable(file.name) }
            if line != file.oldLine {
                if isNew { summary.added += 1 } else if Self.md5(file.oldLine) != stored.md5 { summary.changed += 1 }
                note(file.name, line)
            }
            try writeLine(line[...], size: size)
            return
        case .unreadable(let error): addError(error, name: file.name)
        case .vanished: break
        }
        if !isNew {
            summary.removed += 1
            note(file.name, nil)
        }
    }

    private func addStored(_ content: StoredContent) {
        summary.newObjects += 1
        stored.append(StoredObject(md5: content.md5, storedBytes: content.storedBytes))
    }

    private static func md5(_ line: [UInt8]) -> MD5Digest? {
        line.withUnsafeBytes { raw in
            do throws(JSONScanner.Failure) { return try EntryFields(raw).md5 } catch { return nil }
        }
    }

    private func writeLine(_ line: ArraySlice<UInt8>, size: Int64) throws {
        summary.files += 1
        summary.bytes += size
        try line.withUnsafeBytes { try snapshot?.write(line: $0) }
    }

    private func addUnstable(_ name: [UInt8]) {
        summary.unstable += 1
        monitor.problem(
            SnapcatError(
                .failed, "Changed while it was read", TerminalText.lossy(name),
                advice: "it is stored as read; the next snapshot reads it again"))
        list(&unstable, SnapshotFacts.Problem(name: EntryName(name), message: "it changed while it was read"))
    }

    private func addError(_ error: SnapcatError, name: [UInt8]) {
        summary.unreadable += 1
        if error.code == .collision && collision == nil { collision = error }
        monitor.problem(error)
        list(&errors, SnapshotFacts.Problem(name: EntryName(name), message: error.reason.isEmpty ? error.what : error.reason))
    }

    private func list(_ problems: inout [SnapshotFacts.Problem], _ problem: SnapshotFacts.Problem) {
        if problems.count < SnapshotFacts.mostListedProblems { problems.append(problem) } else { omittedProblems += 1 }
    }

    private func note(_ name: [UInt8], _ line: [UInt8]?) {
        guard noted != nil else { return }
        notedBytes += name.count + (line?.count ?? 0) + 96
        if notedBytes > Self.mostNotedBytes { noted = nil } else { noted?.append(NotedChanges.Item(name: name, line: line)) }
    }
}
