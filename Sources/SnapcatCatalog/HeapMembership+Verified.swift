import GRDB
import SnapcatFormat

/// What the catalog knows of the last reading of an object that was found good.
package struct VerifiedObject: Sendable {
    /// The object was read after this.
    package var at: SnapshotTime
    /// What the storage said of the object before and after it was read, as one number; nil where it was not noted.
    package var stamp: Int64?
}

extension HeapMembership {
    /// The objects of a bucket that were read and found good, and not found bad since.
    package static func verified(_ db: Database, inBucket bucket: Int) throws -> [MD5Digest: VerifiedObject] {
        var result: [MD5Digest: VerifiedObject] = [:]
        let range = hexRange(bucket)
        try Statement(
            db,
            """
            SELECT md5, verified_at, verified_stamp FROM heap_object
            WHERE md5 >= ? AND md5 < ? AND verify_result = 'ok' AND verified_at IS NOT NULL
            """
        ).bind(1, text: range.from).bind(2, text: range.to).forEach { row in
            guard let md5 = MD5Digest(hex: row.bytes(0)) else { return }
            result[md5] = VerifiedObject(at: SnapshotTime(microseconds: row.integer(1)), stamp: row.optionalInteger(2))
        }
        return result
    }

    /// The objects that the last reading found bad.
    package static func bad(_ db: Database) throws -> Set<MD5Digest> {
        var result: Set<MD5Digest> = []
        try Statement(db, "SELECT md5 FROM heap_object WHERE verify_result <> 'ok'")
            .forEach { row in if let md5 = MD5Digest(hex: row.bytes(0)) { result.insert(md5) } }
        return result
    }

    /// These objects have been stored anew, and nobody has read them since.
    package static func noteNew(_ db: Database, _ objects: Set<MD5Digest>) throws {
        let renew = try Statement(
            db, "UPDATE heap_object SET verified_at = NULL, verified_stamp = NULL, verify_result = NULL WHERE md5 = ?")
        for md5 in objects { try renew.bind(1, text: md5.hexBytes).run() }
    }

    /// These objects have been read since `time` and are good. Those that the catalog does not know are left out.
    package static func noteVerified(_ db: Database, at time: SnapshotTime, _ objects: [(md5: MD5Digest, stamp: Int64)]) throws {
        let good = try Statement(
            db, "UPDATE heap_object SET verified_at = ?, verified_stamp = ?, verify_result = 'ok' WHERE md5 = ?")
        for object in objects {
            try good.bind(1, time.microseconds).bind(2, object.stamp).bind(3, text: object.md5.hexBytes).run()
        }
    }

    /// These objects are bad: what was noted of an earlier reading no longer holds.
    package static func noteDamage(_ db: Database, _ damaged: [MD5Digest: String]) throws {
        let mark = try Statement(
            db, "UPDATE heap_object SET verified_at = NULL, verified_stamp = NULL, verify_result = ? WHERE md5 = ?")
        for (md5, message) in damaged { try mark.bind(1, text: message).bind(2, text: md5.hexBytes).run() }
    }
}
