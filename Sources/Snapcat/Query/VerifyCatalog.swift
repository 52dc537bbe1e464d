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
        let job = VerifyJob(store: snapshots, monitor: monitor, tell: tell)
        do {
            try catalog(monitor).read { try job.checkDatabase($0) }
            for snapshot in all {
                try monitor.cancellation.check()
                try verify(snapshot, job, monitor)
                monitor.progress.add(files: 1)
            }
        } catch let error as SnapcatError where error.code == .catalogDamage {
            try job.report(CatalogDifference(snapshot: nil, kind: .database, name: nil, message: error.reason))
        }
        return job.summary
    }

    /// Where others purge and index all the time, the last of so many looks counts.
    private static let mostLooks = 10

    /// Differences are told where neither the files nor what the catalog has of them has changed meanwhile: what others
    /// forget, purge or index is none.
    private func verify(_ snapshot: IndexedSnapshot, _ job: VerifyJob, _ monitor: Monitor) throws {
        var current = snapshot
        var look = 0
        while true {
            look += 1
            var found = try catalog(monitor).read { try job.examine(current, $0) }
            if !found.differences.isEmpty && look < Self.mostLooks {
                guard let now = try syncedSnapshots(monitor).first(where: { $0.name == current.name }) else { return }
                if now.isDamaged {
                    found.differences = [job.unreadable(now, now.message ?? "it is damaged")]
                } else if now != current {
                    current = now
                    continue
                }
            }
            return try job.report(found)
        }
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

    /// What one snapshot comes to.
    struct Examination {
        var lines: Int64 = 0
        var differences: [CatalogDifference] = []
    }

    func report(_ difference: CatalogDifference) throws {
        summary.differences += 1
        try tell(difference)
    }

    func report(_ found: Examination) throws {
        summary.snapshots += 1
        summary.lines += found.lines
        summary.differences += Int64(found.differences.count)
        for difference in found.differences.prefix(Self.mostPerSnapshot) { try tell(difference) }
    }

    func unreadable(_ snapshot: IndexedSnapshot, _ message: String) -> CatalogDifference {
        CatalogDifference(snapshot: snapshot.name, kind: .unreadable, name: nil, message: message)
    }

    func checkDatabase(_ db: Database) throws {
        var messages: [String] = []
        try Statement(db, "PRAGMA integrity_check(10)").forEach { messages.append($0.text(0)) }
        for message in messages where message != "ok" {
            try report(CatalogDifference(snapshot: nil, kind: .database, name: nil, message: message))
        }
    }

    func examine(_ snapshot: IndexedSnapshot, _ db: Database) throws -> Examination {
        var found = Examination()
        do {
            try checkLines(snapshot, &found, file: { try forEachLine(snapshot, $0) }) { body in
                try CatalogSnapshots.forEachLine(db, at: snapshot.name.time.microseconds, body)
            }
            if snapshot.nodes != nil {
                try checkLines(snapshot, &found, file: { try forEachNode(snapshot, $0) }) { body in
                    try CatalogSnapshots.forEachNodeLine(db, at: snapshot.name.time.microseconds, body)
                }
            }
        } catch let error as SnapcatError where error.code == .damage || error.code == .notFound {
            found.differences.append(unreadable(snapshot, error.description))
            return found
        }
        for message in try CatalogSnapshots.wrongSums(db, snapshot) {
            found.differences.append(CatalogDifference(snapshot: snapshot.name, kind: .sums, name: nil, message: message))
        }
        return found
    }

    private typealias Lines = (_ body: ([UInt8], [UInt8]) throws -> Void) throws -> Void

    private func checkLines(
        _ snapshot: IndexedSnapshot, _ found: inout Examination, file: Lines, catalog: Lines
    ) throws {
        var (ofFile, ofCatalog) = (LineSum(), LineSum())
        try file { _, line in line.withUnsafeBytes { ofFile.add($0) } }
        try monitor.cancellation.check()
        try catalog { _, line in line.withUnsafeBytes { ofCatalog.add($0) } }
        found.lines += ofFile.count
        if ofFile != ofCatalog { found.differences += try differences(snapshot, file: file, catalog: catalog) }
    }

    /// Both sides are known to differ: the file's lines are held in memory to name the differences.
    private func differences(
        _ snapshot: IndexedSnapshot, file: Lines, catalog: Lines
    ) throws -> [CatalogDifference] {
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
        return found
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
