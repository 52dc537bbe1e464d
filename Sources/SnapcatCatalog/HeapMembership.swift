import GRDB
import SnapcatFormat
import SnapcatPlatform

/// What the catalog asks of a heap: the file system's stamps of its buckets, and their names.
package protocol BucketListing {
    /// Where the heap is: another place is another heap.
    var place: String { get }
    /// nil where the heap's buckets carry no stamps: then all are listed.
    func bucketStatuses() throws -> [FileStatus?]?
    func objects(inBucket bucket: Int) throws -> [MD5Digest]
    func storedBytes(_ md5: MD5Digest) throws -> Int64?
}

/// Brings `object_row.present` up to what the heap holds now (CATALOG.md, "Heap membership").
///
/// The stamps of the 256 buckets tell which of them changed since they were listed; only those are listed again.
/// A stamp as young as the listing itself is not believed: the next run lists that bucket once more.
package enum HeapMembership {
    /// A change within this time of the listing might carry the same stamp.
    private static let stampGranularityNanoseconds: Int64 = 2_000_000_000

    static func isKnown(_ db: Database) throws -> Bool {
        try Statement(db, "SELECT 1 FROM setting WHERE key = 'heap'").first { _ in true } ?? false
    }

    /// Returns the number of buckets that had to be listed.
    @discardableResult
    package static func update(
        _ db: Database, _ heap: any BucketListing, now: Int64, cancellation: CancellationFlag
    ) throws -> Int {
        try adopt(db, heap.place)
        let statuses = try heap.bucketStatuses()
        var listed = 0
        for bucket in 0..<256 {
            let status = statuses?[bucket]
            if statuses != nil, try isUnchanged(db, bucket, status) { continue }
            try cancellation.check()
            try apply(db, bucket, try heap.objects(inBucket: bucket), heap)
            try remember(db, bucket, status, now: now)
            listed += 1
        }
        return listed
    }

    /// Another heap than last time: nothing that is known holds.
    private static func adopt(_ db: Database, _ place: String) throws {
        let known = try Statement(db, "SELECT value FROM setting WHERE key = 'heap'").first { $0.text(0) }
        guard known != place else { return }
        try Statement(db, "DELETE FROM heap_bucket").run()
        try Statement(db, "DELETE FROM object_row WHERE first_seen IS NULL").run()
        try Statement(db, "UPDATE object_row SET present = 0, stored_bytes = NULL").run()
        try Statement(db, "INSERT OR REPLACE INTO setting VALUES ('heap', ?)").bind(1, text: place).run()
    }

    private static func isUnchanged(_ db: Database, _ bucket: Int, _ status: FileStatus?) throws -> Bool {
        try Statement(db, "SELECT mtime_ns, ctime_ns, inode, listed_at_ns FROM heap_bucket WHERE bucket = ?")
            .bind(1, Int64(bucket)).first { row in
                guard let status else { return row.integer(2) == 0 }
                return row.integer(0) == status.mtimeNanoseconds && row.integer(1) == status.ctimeNanoseconds
                    && row.integer(2) == Int64(truncatingIfNeeded: status.inode)
                    && max(row.integer(0), row.integer(1)) < row.integer(3) - stampGranularityNanoseconds
            } ?? false
    }

    private static func remember(_ db: Database, _ bucket: Int, _ status: FileStatus?, now: Int64) throws {
        try Statement(db, "INSERT OR REPLACE INTO heap_bucket VALUES (?, ?, ?, ?, ?)")
            .bind(1, Int64(bucket)).bind(2, status?.mtimeNanoseconds ?? 0).bind(3, status?.ctimeNanoseconds ?? 0)
            .bind(4, Int64(truncatingIfNeeded: status?.inode ?? 0)).bind(5, now).run()
    }

    private static func apply(
        _ db: Database, _ bucket: Int, _ found: [MD5Digest], _ heap: any BucketListing
    ) throws {
        let first = String(bucket, radix: 16)
        let prefix = first.count == 1 ? "0" + first : first
        let rows = try Statement(
            db, "SELECT md5, present, stored_bytes IS NULL, first_seen IS NULL FROM object_row WHERE md5 >= ? AND md5 < ?"
        ).bind(1, text: prefix).bind(2, text: prefix + "g")
        var unseen = Set(found)
        var arrived: [MD5Digest] = []
        var lost: [(md5: [UInt8], isNamed: Bool)] = []
        try rows.forEach { row in
            guard let md5 = MD5Digest(hex: row.bytes(0)) else { return }
            if unseen.remove(md5) != nil {
                if row.optionalInteger(1) != 1 || row.integer(2) == 1 { arrived.append(md5) }
            } else if row.optionalInteger(1) != 0 || row.integer(3) == 1 {
                lost.append((row.bytes(0), row.integer(3) == 0))
            }
        }
        let put = try Statement(
            db,
            """
            INSERT INTO object_row (md5, stored_bytes, present) VALUES (?, ?, 1)
            ON CONFLICT (md5) DO UPDATE SET present = 1, stored_bytes = excluded.stored_bytes
            """)
        for md5 in arrived + unseen.sorted() {
            try put.bind(1, text: md5.hexBytes).bind(2, try heap.storedBytes(md5)).run()
        }
        let markLost = try Statement(db, "UPDATE object_row SET present = 0, stored_bytes = NULL WHERE md5 = ?")
        let delete = try Statement(db, "DELETE FROM object_row WHERE md5 = ?")
        for object in lost { try (object.isNamed ? markLost : delete).bind(1, text: object.md5).run() }
    }

    /// The contents that snapshots name and the heap lacks, by the last update.
    package static func missing(_ db: Database) throws -> Set<MD5Digest> {
        var result: Set<MD5Digest> = []
        try Statement(db, "SELECT md5 FROM object_row WHERE present = 0 AND first_seen IS NOT NULL")
            .forEach { row in if let md5 = MD5Digest(hex: row.bytes(0)) { result.insert(md5) } }
        return result
    }
}
