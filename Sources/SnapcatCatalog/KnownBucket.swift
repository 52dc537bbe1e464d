import GRDB
import SnapcatFormat
import SnapcatPlatform

/// A set of names in a few bytes: two sets of real md5s with one count and one sum are the same.
package struct BucketNames: Equatable, Sendable {
    private(set) var count: Int64
    private(set) var checksum: Int64

    init(count: Int64 = 0, checksum: Int64 = 0) {
        self.count = count
        self.checksum = checksum
    }

    package init(_ names: [MD5Digest]) {
        self.init()
        for md5 in names { add(md5) }
    }

    mutating func add(_ md5: MD5Digest) {
        count += 1
        checksum &+= Int64(bitPattern: md5.high &* 0x9e37_79b9_7f4a_7c15 ^ md5.low)
    }

    /// Those of both, which have none in common.
    func joined(with other: BucketNames) -> BucketNames {
        BucketNames(count: count + other.count, checksum: checksum &+ other.checksum)
    }
}

/// A bucket as it was when it was listed last.
struct KnownBucket {
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
