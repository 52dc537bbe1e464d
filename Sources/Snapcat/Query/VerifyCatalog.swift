import GRDB
import SnapcatCatalog
import SnapcatFormat
import SnapcatHeap
import SnapcatPlatform
import SnapcatStorage

/// Where the catalog and a snapshot disagree.
public struct CatalogDifference: Sendable, Equatable {
    public enum Kind: String, Sendable {
        /// The file has the line and the catalog has not.
        case lost
        /// The catalog has the line and the file has not.
        case invented
        /// Both have the name, with different lines.
        case different
        /// The numbers of the snapshot's row are not those of its lines.
        case sums
        /// The database itself is damaged.
        case database
        /// The snapshot's file can no longer be read.
        case unreadable
    }

    /// nil where it concerns no snapshot in particular.
    public var snapshot: SnapshotName?
    public var kind: Kind
    public var name: EntryName?
    public var message: String
}

/// What a verification looked at.
public struct CatalogVerification: Sendable, Equatable {
    public var snapshots: Int64 = 0
    public var lines: Int64 = 0
    public var differences: Int64 = 0
}

extension Repository {
    /// Proves that the catalog says what the snapshots say: for every snapshot the lines that the catalog spells are
    /// those of the file and of its companion, byte for byte. Changes nothing but what a sync does.
    ///
    /// Cost: reads every snapshot once. Of one snapshot at most 100 differences are told.
    public func verifyCatalog(
        monitor: Monitor = .silent, _ tell: @escaping @Sendable (CatalogDifference) throws -> Void
    ) async throws -> CatalogVerification {
        try await run("snapcat-verify", monitor) { [self] in try verifyBlocking(monitor, tell) }
    }

    package func verifyBlocking(
        _ monitor: Monitor, _ tell: @escaping (CatalogDifference) throws -> Void
    ) throws -> CatalogVerification {
        let all = try syncedSnapshots(monitor).filter { !$0.isDamaged }
        monitor.progress.begin("verifying", files: Int64(all.count))
        let catalog = try catalog(monitor)
        let job = VerifyJob(store: snapshots, monitor: monitor, tell: tell)
        do {
            try catalog.read { try job.checkDatabase($0) }
            for snapshot in all {
                try monitor.cancellation.check()
                try catalog.read { try job.check(snapshot, $0) }
                monitor.progress.add(files: 1)
            }
        } catch let error as SnapcatError where error.code == .catalogDamage {
            try job.report(CatalogDifference(snapshot: nil, kind: .database, name: nil, message: error.reason))
        }
        return job.summary
    }
}

/// A multiset of lines in a few bytes: the sums of their md5s.
private struct LineSum: Equatable {
    private var high: UInt64 = 0
    private var low: UInt64 = 0
    private(set) var count: Int64 = 0

    mutating func add(_ line: UnsafeRawBufferPointer) {
        let digest = MD5Hasher.digest(line)
        high &+= digest.high
        low &+= digest.low
        count += 1
    }
}

private final class VerifyJob {
    let store: SnapshotStore
    let monitor: Monitor
    let tell: (CatalogDifference) throws -> Void
    private(set) var summary = CatalogVerification()

    private static let mostPerSnapshot = 100

    init(store: SnapshotStore, monitor: Monitor, tell: @escaping (CatalogDifference) throws -> Void) {
        self.store = store
        self.monitor = monitor
        self.tell = tell
    }

    func report(_ difference: CatalogDifference) throws {
        summary.differences += 1
        try tell(difference)
    }

    func checkDatabase(_ db: Database) throws {
        var messages: [String] = []
        try Statement(db, "PRAGMA integrity_check(10)").forEach { messages.append($0.text(0)) }
        for message in messages where message != "ok" {
            try report(CatalogDifference(snapshot: nil, kind: .database, name: nil, message: message))
        }
    }

    func check(_ snapshot: IndexedSnapshot, _ db: Database) throws {
        summary.snapshots += 1
        do {
            try checkLines(snapshot, file: { try forEachLine(snapshot, $0) }) { body in
                try CatalogSnapshots.forEachLine(db, at: snapshot.name.time.microseconds, body)
            }
            if snapshot.nodes != nil {
                try checkLines(snapshot, file: { try forEachNode(snapshot, $0) }) { body in
                    try CatalogSnapshots.forEachNodeLine(db, at: snapshot.name.time.microseconds, body)
                }
            }
        } catch let error as SnapcatError where error.code == .damage || error.code == .notFound {
            // Forgotten meanwhile: the next sync takes it out.
            if try error.code == .notFound && store.storage.status(of: StorageKey(snapshot.key)) == nil { return }
            return try report(
                CatalogDifference(snapshot: snapshot.name, kind: .unreadable, name: nil, message: error.description))
        }
        for message in try CatalogSnapshots.wrongSums(db, snapshot) {
            try report(CatalogDifference(snapshot: snapshot.name, kind: .sums, name: nil, message: message))
        }
    }

    private typealias Lines = (_ body: ([UInt8], [UInt8]) throws -> Void) throws -> Void

    private func checkLines(_ snapshot: IndexedSnapshot, file: Lines, catalog: Lines) throws {
        var (ofFile, ofCatalog) = (LineSum(), LineSum())
        try file { _, line in line.withUnsafeBytes { ofFile.add($0) } }
        try monitor.cancellation.check()
        try catalog { _, line in line.withUnsafeBytes { ofCatalog.add($0) } }
        summary.lines += ofFile.count
        if ofFile != ofCatalog { try tellDifferences(snapshot, file: file, catalog: catalog) }
    }

    /// Both sides are known to differ: the file's lines are held in memory to name the differences.
    private func tellDifferences(_ snapshot: IndexedSnapshot, file: Lines, catalog: Lines) throws {
        var lines: [EntryName: [UInt8]] = [:]
        try file { lines[EntryName($0)] = $1 }
        var found: [CatalogDifference] = []
        func note(_ kind: CatalogDifference.Kind, _ name: EntryName, _ message: String) {
            found.append(CatalogDifference(snapshot: snapshot.name, kind: kind, name: name, message: message))
        }
        try catalog { name, line in
            let name = EntryName(name)
            guard let expected = lines.removeValue(forKey: name) else {
                return note(.invented, name, "the snapshot does not have it")
            }
            if expected != line { note(.different, name, "the catalog spells another line") }
        }
        for name in lines.keys.sorted() { note(.lost, name, "the catalog does not have it") }
        for difference in found.prefix(Self.mostPerSnapshot) { try tell(difference) }
        summary.differences += Int64(found.count)
    }

    /// The lines that count: of several with one name the first.
    private func forEachLine(_ snapshot: IndexedSnapshot, _ body: ([UInt8], [UInt8]) throws -> Void) throws {
        let key = StorageKey(snapshot.key)
        var reader = try store.entries(key)
        if !snapshot.isSorted { reader = EntryReader(try SortedLines(reader), name: reader.name) }
        while try reader.advance() {
            try reader.parse()
            try body(reader.entryName, Array(reader.line))
        }
    }

    private func forEachNode(_ snapshot: IndexedSnapshot, _ body: ([UInt8], [UInt8]) throws -> Void) throws {
        guard let companion = try store.companion(of: StorageKey(snapshot.key)) else { return }
        while let node = try companion.nextNode() { try body(node.name.bytes, node.line) }
    }
}
