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

/// An object that this run has stored.
package struct StoredObject: Sendable {
    package var md5: MD5Digest
    package var storedBytes: Int64

    package init(md5: MD5Digest, storedBytes: Int64) {
        self.md5 = md5
        self.storedBytes = storedBytes
    }
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
    private static func adopt(_ db: Database, _ place: String) throws -> Bool {
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

    /// Objects that a run has stored itself: their buckets are listed again, but need no further look.
    ///
    /// `isAll`: the heap was empty before. Where the catalog has no other snapshot than the one that names them, buckets
    /// that it does not know hold these objects and no others, until a listing says something else.
    package static func note(
        _ db: Database, _ stored: [StoredObject], in heap: any BucketListing, isAll: Bool = false
    ) throws {
        _ = try adopt(db, heap.place)
        let add = try Statement(
            db,
            """
            INSERT OR IGNORE INTO heap_object (md5, stored_bytes, is_named)
            VALUES (?1, ?2, EXISTS (SELECT 1 FROM version AS v WHERE v.md5_text = ?1))
            """)
        let renewed = try Statement(
            db,
            """
            UPDATE heap_object SET stored_bytes = ?, verified_at = NULL, verified_stamp = NULL, verify_result = NULL
            WHERE md5 = ?
            """)
        let found = try Statement(db, "DELETE FROM missing_row WHERE md5 = ?")
        let nothingIsMissing = try Statement(db, "SELECT 1 FROM missing_row LIMIT 1").first { _ in true } == nil
        var added: [Int: [MD5Digest]] = [:]
        // In the order of the keys, neighbours lie on one page.
        for object in stored.sorted(by: { $0.md5 < $1.md5 }) {
            try add.bind(1, text: object.md5.hexBytes).bind(2, object.storedBytes).run()
            if db.changesCount > 0 {
                added[Int(object.md5.high >> 56), default: []].append(object.md5)
            } else {
                // It had gone unseen: what was read then was another file.
                try renewed.bind(1, object.storedBytes).bind(2, text: object.md5.hexBytes).run()
            }
            if nothingIsMissing { continue }
            try found.bind(1, text: object.md5.hexBytes).run()
        }
        let update = try Statement(
            db, "UPDATE heap_bucket SET objects = objects + ?, checksum = ? WHERE bucket = ?")
        let isOnlySnapshot = try Statement(db, "SELECT count(*) FROM snapshot_row").first { $0.integer(0) } == 1
        for bucket in isAll && isOnlySnapshot ? Array(0..<256) : Array(added.keys) {
            let new = BucketNames(added[bucket] ?? [])
            guard let known = try KnownBucket(db, bucket) else {
                // No stamp: the next update lists it, and finds it as it is known.
                if isAll && isOnlySnapshot { try remember(db, bucket, nil, new, now: 0) }
                continue
            }
            update.bind(1, new.count).bind(2, known.names.checksum &+ new.checksum).bind(3, Int64(bucket))
            try update.run()
        }
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

    private static func remember(
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

/// A set of names in a few bytes: two sets of real md5s with one count and one sum are the same.
package struct BucketNames: Equatable, Sendable {
    fileprivate var count: Int64
    fileprivate var checksum: Int64

    fileprivate init(count: Int64, checksum: Int64) {
        self.count = count
        self.checksum = checksum
    }

    package init(_ names: [MD5Digest]) {
        self.init(
            count: Int64(names.count),
            checksum: Int64(bitPattern: names.reduce(0) { $0 &+ ($1.high &* 0x9e37_79b9_7f4a_7c15 ^ $1.low) }))
    }
}

/// A bucket as it was when it was listed last.
private struct KnownBucket {
    private var mtime: Int64
    private var ctime: Int64
    private var inode: Int64
    private var isBelievable: Bool
    var names: BucketNames

    /// A change within this time of the listing might carry the same stamp.
    private static let stampGranularityNanoseconds: Int64 = 2_000_000_000

    init?(_ db: Database, _ bucket: Int) throws {
        let found = try Statement(
            db, "SELECT mtime_ns, ctime_ns, inode, listed_at_ns, objects, checksum FROM heap_bucket WHERE bucket = ?"
        ).bind(1, Int64(bucket)).first { row in
            (row.integer(0), row.integer(1), row.integer(2), row.integer(3),
                BucketNames(count: row.integer(4), checksum: row.integer(5)))
        }
        guard let found else { return nil }
        (mtime, ctime, inode) = (found.0, found.1, found.2)
        isBelievable = max(mtime, ctime) < found.3 - Self.stampGranularityNanoseconds
        names = found.4
    }

    func isUnchanged(_ status: FileStatus?) -> Bool {
        // A bucket that was not there, and in which this program has stored nothing since.
        guard let status else { return inode == 0 && names.count == 0 }
        return isBelievable && mtime == status.mtimeNanoseconds && ctime == status.ctimeNanoseconds
            && inode == Int64(truncatingIfNeeded: status.inode)
    }
}
