import GRDB
import SnapcatFormat

/// An object that this run has stored.
package struct StoredObject: Sendable {
    package var md5: MD5Digest
    package var storedBytes: Int64

    package init(md5: MD5Digest, storedBytes: Int64) {
        self.md5 = md5
        self.storedBytes = storedBytes
    }
}

/// Notes objects that a run has stored itself: their buckets are listed again, but need no further look.
package struct StoredObjectNotes {
    private let db: Database
    private let insert: Statement
    private let renew: Statement
    private let noLongerMissing: Statement
    private let nothingIsMissing: Bool
    /// What each bucket has got.
    private var added = [BucketNames](repeating: BucketNames(), count: 256)

    package init(_ db: Database, in heap: any BucketListing) throws {
        try HeapMembership.adopt(db, heap.place)
        self.db = db
        insert = try Statement(
            db,
            """
            INSERT OR IGNORE INTO heap_object (md5, stored_bytes, is_named)
            VALUES (?1, ?2, EXISTS (SELECT 1 FROM version AS v WHERE v.md5_text = ?1))
            """)
        renew = try Statement(
            db,
            """
            UPDATE heap_object SET stored_bytes = ?, verified_at = NULL, verified_stamp = NULL, verify_result = NULL
            WHERE md5 = ?
            """)
        noLongerMissing = try Statement(db, "DELETE FROM missing_row WHERE md5 = ?")
        nothingIsMissing = try Statement(db, "SELECT 1 FROM missing_row LIMIT 1").first { _ in true } == nil
    }

    /// In the order of the md5s it costs least: neighbours lie on one page.
    package mutating func add(_ objects: [StoredObject]) throws {
        for object in objects {
            try insert.bind(1, text: object.md5.hexBytes).bind(2, object.storedBytes).run()
            if db.changesCount > 0 {
                added[object.md5.bucket].add(object.md5)
            } else {
                // It had gone unseen: what was read then was another file.
                try renew.bind(1, object.storedBytes).bind(2, text: object.md5.hexBytes).run()
            }
            if nothingIsMissing { continue }
            try noLongerMissing.bind(1, text: object.md5.hexBytes).run()
        }
    }

    /// Brings the buckets up to what was added.
    ///
    /// `isAll`: the heap was empty before, and nothing that was stored is left out. Where snapshots name no other content,
    /// buckets that the catalog does not know hold these objects and no others, until a listing says something else.
    package func finish(isAll: Bool) throws {
        let isAll = try isAll && isEveryContent()
        let update = try Statement(db, "UPDATE heap_bucket SET objects = ?, checksum = ? WHERE bucket = ?")
        for (bucket, new) in added.enumerated() {
            if let known = try KnownBucket(db, bucket) {
                guard new.count > 0 else { continue }
                let names = known.names.joined(with: new)
                try update.bind(1, names.count).bind(2, names.checksum).bind(3, Int64(bucket)).run()
            } else if isAll {
                // No stamp: the next update lists it, and finds it as it is known.
                try HeapMembership.remember(db, bucket, nil, new, now: 0)
            }
        }
    }

    /// Whether the heap's objects are all that snapshots name. Another run may have stored some of them meanwhile: only a
    /// listing can tell whether they are still there. Cost: reads an index of all versions.
    private func isEveryContent() throws -> Bool {
        let isOne = try Statement(db, "SELECT count(*) FROM snapshot_row").first { $0.integer(0) } == 1
        guard isOne else { return false }
        let equal = try Statement(
            db,
            """
            SELECT (SELECT count(*) FROM heap_object WHERE is_named)
                = (SELECT count(*) FROM (SELECT DISTINCT md5_text FROM version WHERE md5_text IS NOT NULL))
            """)
        return try equal.first { $0.integer(0) } == 1
    }
}
