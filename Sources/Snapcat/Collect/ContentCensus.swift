import SnapcatFormat
import SnapcatPlatform
import SnapcatStorage

/// Which contents snapshots name: read from the files themselves, never from a catalog.
final class ContentCensus {
    /// Those that are read from now on; what others have named still counts.
    var stores: [SnapshotStore]
    private let cancellation: CancellationFlag
    private var known: [String: String] = [:]
    private var contents = DigestSet()
    private(set) var snapshots: Int64 = 0
    /// The newest of all.
    private(set) var newest: SnapshotName?

    init(_ stores: [SnapshotStore], _ cancellation: CancellationFlag) {
        (self.stores, self.cancellation) = (stores, cancellation)
    }

    /// All that is named by the snapshots there are now, and by those of earlier calls: only files that are new or
    /// have changed since are read.
    ///
    /// Files that snapshooter's pattern finds count too where their name is no snapshot's. Throws where one cannot be
    /// read: what it names is not known. Cost: reads each once; 16 bytes of memory for each content.
    func named(progress: (Int64) -> Void = { _ in }) throws -> DigestSet {
        for store in stores {
            let listing = try store.list()
            if let key = listing.blocked.first { throw store.problem(blocked: key) }
            if let last = listing.snapshots.last { newest = max(newest ?? last.name, last.name) }
            var files = listing.snapshots.map { ($0.key, $0.status.fingerprint) }
            for key in listing.ignored.keys {
                if let status = try store.storage.status(of: key) { files.append((key, status.fingerprint)) }
            }
            for (key, fingerprint) in files where known[store.displayPath(key)] != fingerprint {
                try cancellation.check()
                do { try read(store, key) } catch let error as SnapcatError where error.code == .notFound {
                    // Forgotten meanwhile.
                    continue
                }
                known[store.displayPath(key)] = fingerprint
                snapshots += 1
                progress(1)
            }
        }
        contents.compact()
        return contents
    }

    private func read(_ store: SnapshotStore, _ key: StorageKey) throws {
        try Self.forEachContent(try store.entries(key), cancellation) { contents.insert($0) }
    }

    static func forEachContent(
        _ entries: EntryReader, _ cancellation: CancellationFlag, _ body: (MD5Digest) throws -> Void
    ) throws {
        var lines = 0
        while try entries.advance() {
            if let md5 = try entries.parse().md5 { try body(md5) }
            lines += 1
            if lines & 0xffff == 0 { try cancellation.check() }
        }
    }
}
