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

/// Brings `heap_object` and `missing_row` up to what the heap holds now (CATALOG.md, "Heap membership").
///
/// The stamps of the 256 buckets tell which of them changed since they were listed; only those are listed again,
/// and only where their names differ from what is known are rows touched. A stamp as young as the listing itself
/// is not believed: the next run lists that bucket once more.
package enum HeapMembership {
    static func isKnown(_ db: Database) throws -> Bool {
        try Statement(db, "SELECT 1 FROM setting WHERE key = 'heap'").first { _ in true } ?? false
    }

    /// Returns the number of buckets that had to be listed.
    @discardableResult
    package static func update(
        _ db: Database, _ heap: any BucketListing, now: Int64, cancellation: CancellationFlag
    ) throws -> Int {
        let isAnother = try adopt(db, heap.place)
        let statuses = try heap.bucketStatuses()
        var listed = 0
        for bucket in 0..<256 {
            let status = statuses?[bucket]
            let known = isAnother ? nil : try KnownBucket(db, bucket)
            if statuses != nil, let known, known.isUnchanged(status) { continue }
            try cancellation.check()
            let found = try heap.objects(inBucket: bucket)
            let names = BucketNames(found)
            if names != known?.names { try apply(db, bucket, found, heap) }
            try remember(db, bucket, status, names, now: now)
            listed += 1
        }
        return listed
    }

    /// Another heap than last time: nothing that is known holds. True where that is so.
    @discardableResult
    static func adopt(_ db: Database, _ place: String) throws -> Bool {
        let known = try Statement(db, "SELECT value FROM setting WHERE key = 'heap'").first { $0.text(0) }
        guard known != place else { return false }
        for table in ["heap_bucket", "heap_object", "missing_row"] { try Statement(db, "DELETE FROM \(table)").run() }
        try Statement(db, "INSERT OR REPLACE INTO setting VALUES ('heap', ?)").bind(1, text: place).run()
        return true
    }

    /// By the last update.
    package static func isEmpty(_ db: Database) throws -> Bool {
        try Statement(db, "SELECT 1 FROM heap_object LIMIT 1").first { _ in true } == nil
    }

    /// Lets the next update list every bucket.
    package static func forget(_ db: Database) throws { try Statement(db, "DELETE FROM heap_bucket").run() }

    /// Every object of these buckets has been read since `time`, and all but the damaged ones are good.
    ///
    /// A bucket in which the catalog knows others than those that were read is left as it is: what nobody has read is
    /// never noted as read.
    package static func noteVerification(
        _ db: Database, at time: SnapshotTime, read: [Int: BucketNames], damaged: [MD5Digest: String]
    ) throws {
        let good = try Statement(
            db,
            """
            UPDATE heap_object SET verified_at = ?, verified_stamp = NULL, verify_result = 'ok'
            WHERE md5 >= ? AND md5 < ?
            """)
        for (bucket, names) in read where try KnownBucket(db, bucket)?.names == names {
            let range = hexRange(bucket)
            try good.bind(1, time.microseconds).bind(2, text: range.from).bind(3, text: range.to).run()
        }
        try noteDamage(db, damaged)
    }

    static func remember(
        _ db: Database, _ bucket: Int, _ status: FileStatus?, _ names: BucketNames, now: Int64
    ) throws {
        try Statement(db, "INSERT OR REPLACE INTO heap_bucket VALUES (?, ?, ?, ?, ?, ?, ?)")
            .bind(1, Int64(bucket)).bind(2, status?.mtimeNanoseconds ?? 0).bind(3, status?.ctimeNanoseconds ?? 0)
            .bind(4, Int64(truncatingIfNeeded: status?.inode ?? 0)).bind(5, now).bind(6, names.count)
            .bind(7, names.checksum).run()
    }

    private static func apply(_ db: Database, _ bucket: Int, _ found: [MD5Digest], _ heap: any BucketListing) throws {
        let range = hexRange(bucket)
        var unknown = Set(found)
        var lost: [MD5Digest] = []
        try Statement(db, "SELECT md5 FROM heap_object WHERE md5 >= ? AND md5 < ?")
            .bind(1, text: range.from).bind(2, text: range.to).forEach { row in
                guard let md5 = MD5Digest(hex: row.bytes(0)) else { return }
                if unknown.remove(md5) == nil { lost.append(md5) }
            }
        let delete = try Statement(db, "DELETE FROM heap_object WHERE md5 = ?")
        for md5 in lost { try delete.bind(1, text: md5.hexBytes).run() }
        let named = try namedContents(db, range)
        let insert = try Statement(db, "INSERT INTO heap_object (md5, stored_bytes, is_named) VALUES (?, ?, ?)")
        for md5 in unknown.sorted() {
            try insert.bind(1, text: md5.hexBytes).bind(2, try heap.storedBytes(md5)).bind(3, named.contains(md5) ? 1 : 0).run()
        }
        try replaceMissing(db, range, named.subtracting(found))
    }

    private static func replaceMissing(
        _ db: Database, _ range: (from: String, to: String), _ missing: Set<MD5Digest>
    ) throws {
        try Statement(db, "DELETE FROM missing_row WHERE md5 >= ? AND md5 < ?")
            .bind(1, text: range.from).bind(2, text: range.to).run()
        let insert = try Statement(db, "INSERT INTO missing_row VALUES (?)")
        for md5 in missing.sorted() { try insert.bind(1, text: md5.hexBytes).run() }
    }

    private static func namedContents(_ db: Database, _ range: (from: String, to: String)) throws -> Set<MD5Digest> {
        var result: Set<MD5Digest> = []
        try Statement(db, "SELECT DISTINCT md5_text FROM version WHERE md5_text >= ? AND md5_text < ?")
            .bind(1, text: range.from).bind(2, text: range.to)
            .forEach { row in if let md5 = MD5Digest(hex: row.bytes(0)) { result.insert(md5) } }
        return result
    }

    /// The md5s of a bucket as text: from its two digits to what sorts behind all that begin with them.
    static func hexRange(_ bucket: Int) -> (from: String, to: String) {
        let digits = String(bucket, radix: 16)
        let prefix = digits.count == 1 ? "0" + digits : digits
        return (prefix, prefix + "g")
    }

    /// The contents that snapshots name and the heap lacks, by the last update.
    package static func missing(_ db: Database) throws -> Set<MD5Digest> {
        var result: Set<MD5Digest> = []
        try Statement(db, "SELECT md5 FROM missing_row")
            .forEach { row in if let md5 = MD5Digest(hex: row.bytes(0)) { result.insert(md5) } }
        return result
    }
}
