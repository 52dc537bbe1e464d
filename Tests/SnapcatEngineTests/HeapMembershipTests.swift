import Foundation
import SnapcatCatalog
import SnapcatFormat
import SnapcatHeap
import SnapcatPlatform
import SnapcatTestSupport
import Testing

@testable import Snapcat

/// What the catalog says of a heap that others change behind its back.
@Suite struct HeapMembershipTests {
    private struct Fixture {
        let folder: TempFolder
        let repository: Repository

        init() async throws {
            folder = try TempFolder()
            for number in 0..<40 { try folder.write("source/\(number).txt", Array("content \(number)\n".utf8)) }
            repository = Repository(folder: folder.path + "/repo")
            _ = try await repository.make(folder.path + "/source")
        }

        func md5s(_ sql: String) async throws -> [String] {
            try await WorkerThread.run("test", cancellation: CancellationFlag()) { [repository] in
                var rows: [String] = []
                _ = try repository.queryBlocking(
                    sql, options: QueryOptions(), syncs: true, monitor: .silent, columns: { _ in },
                    row: { if case .text(let bytes) = $0[0] { rows.append(String(decoding: bytes, as: UTF8.self)) } })
                return rows
            }
        }

        /// Lists again what changed by a clock so late that every stamp is believed.
        func listedBuckets() async throws -> Int {
            try await WorkerThread.run("test", cancellation: CancellationFlag()) { [repository] in
                let heap = try repository.requireHeap()
                return try repository.catalog(.silent).write { db in
                    try HeapMembership.update(
                        db, heap.buckets, now: SystemClock().nowNanoseconds + 3_600_000_000_000,
                        cancellation: CancellationFlag())
                }
            }
        }

        func object(_ md5: String) -> String { folder.path + "/repo/heap/\(md5.prefix(2))/\(md5).gz" }
    }

    @Test func `An object that is deleted behind our back is missing, and no longer when it is back`() async throws {
        let fixture = try await Fixture()
        #expect(try await fixture.md5s("SELECT md5 FROM missing_object") == [])
        let md5 = try await fixture.md5s("SELECT md5 FROM current_file WHERE name = '7.txt'")[0]
        let bytes = try Data(contentsOf: URL(fileURLWithPath: fixture.object(md5)))
        try FileManager.default.removeItem(atPath: fixture.object(md5))
        #expect(try await fixture.md5s("SELECT md5 FROM missing_object") == [md5])
        #expect(try await fixture.md5s("SELECT md5 FROM object WHERE present = 0") == [md5])
        try bytes.write(to: URL(fileURLWithPath: fixture.object(md5)))
        #expect(try await fixture.md5s("SELECT md5 FROM missing_object") == [])
    }

    @Test func `A foreign object is an orphan, until a snapshot names it`() async throws {
        let fixture = try await Fixture()
        let text = Array("foreign\n".utf8)
        let md5 = text.withUnsafeBytes { MD5Hasher.digest($0) }.description
        try fixture.folder.write("repo/heap/\(md5.prefix(2))/\(md5).gz", [1, 2, 3])
        #expect(try await fixture.md5s("SELECT md5 FROM orphan_object") == [md5])
        try fixture.folder.write("source/foreign.txt", text)
        _ = try await fixture.repository.make(fixture.folder.path + "/source")
        #expect(try await fixture.md5s("SELECT md5 FROM orphan_object") == [])
    }

    @Test func `What nobody has read is not noted as verified`() async throws {
        let fixture = try await Fixture()
        let md5s = try await fixture.md5s("SELECT md5 FROM object ORDER BY md5").compactMap { MD5Digest(hex: $0) }
        let buckets = Dictionary(grouping: md5s) { Int($0.high >> 56) }
        let unread = try #require(buckets.keys.sorted().first)
        try await WorkerThread.run("test", cancellation: CancellationFlag()) { [repository = fixture.repository] in
            // Of one bucket another object was listed: one has come, or gone, since.
            let read = Dictionary(uniqueKeysWithValues: buckets.map { bucket, names in
                (bucket, BucketNames(bucket == unread ? Array(names.dropLast()) : names))
            })
            try repository.catalog(.silent).write { db in
                try HeapMembership.noteVerification(db, at: SnapshotTime(microseconds: 1), read: read, damaged: [:])
            }
        }
        let noted = try await fixture.md5s("SELECT md5 FROM object WHERE verify_result = 'ok'")
        #expect(Set(noted) == Set(md5s.filter { Int($0.high >> 56) != unread }.map(\.description)))
    }

    @Test func `An object that is gone from a bucket that is a symlink is missing`() async throws {
        let fixture = try await Fixture()
        let md5 = try await fixture.md5s("SELECT md5 FROM current_file WHERE name = '7.txt'")[0]
        let bucket = fixture.folder.path + "/repo/heap/" + md5.prefix(2)
        try FileManager.default.moveItem(atPath: bucket, toPath: fixture.folder.path + "/elsewhere")
        try FileManager.default.createSymbolicLink(atPath: bucket, withDestinationPath: fixture.folder.path + "/elsewhere")
        #expect(try await fixture.listedBuckets() > 0)
        #expect(try await fixture.md5s("SELECT md5 FROM missing_object") == [])
        try FileManager.default.removeItem(atPath: fixture.object(md5))
        #expect(try await fixture.md5s("SELECT md5 FROM missing_object") == [md5])
    }

    /// Another run may have stored it, and it may be gone again before anybody has listed it.
    @Test func `Buckets are known after a first make only where all contents are its own objects`() async throws {
        let fixture = try await Fixture()
        try await WorkerThread.run("test", cancellation: CancellationFlag()) { [repository = fixture.repository] in
            let heap = try repository.requireHeap()
            for (isOwn, buckets) in [(false, 0), (true, 256)] as [(Bool, Int64)] {
                let known = try repository.catalog(.silent).write { db in
                    let object = try Statement(db, "SELECT md5 FROM heap_object LIMIT 1").first { MD5Digest(hex: $0.bytes(0)) }
                    let md5 = try #require(object ?? nil)
                    try Statement(db, "DELETE FROM heap_object WHERE md5 = ?").bind(1, text: md5.hexBytes).run()
                    try Statement(db, "DELETE FROM heap_bucket").run()
                    var notes = try StoredObjectNotes(db, in: heap.buckets)
                    if isOwn { try notes.add([StoredObject(md5: md5, storedBytes: 1)]) }
                    try notes.finish(isAll: true)
                    if !isOwn { try notes.add([StoredObject(md5: md5, storedBytes: 1)]) }
                    return try Statement(db, "SELECT count(*) FROM heap_bucket").first { $0.integer(0) }
                }
                #expect(known == buckets)
            }
        }
    }

    @Test func `Only the buckets that changed are listed again`() async throws {
        let fixture = try await Fixture()
        #expect(try await fixture.listedBuckets() > 0)
        #expect(try await fixture.listedBuckets() == 0)
        let md5 = try await fixture.md5s("SELECT md5 FROM current_file WHERE name = '7.txt'")[0]
        // Another program's file in the bucket: looked at, and nothing else changes.
        try fixture.folder.write("repo/heap/\(md5.prefix(2))/note.txt", [1])
        #expect(try await fixture.listedBuckets() == 1)
        #expect(try await fixture.listedBuckets() == 0)
    }

    @Test func `What a make has stored is known without another look at the objects`() async throws {
        let fixture = try await Fixture()
        try fixture.folder.write("source/new.txt", Array("new\n".utf8))
        _ = try await fixture.repository.make(fixture.folder.path + "/source")
        let known = try await fixture.md5s("SELECT h.md5 FROM object AS h WHERE h.stored_bytes > 0")
        #expect(known.count == 41)
        let rows = try await WorkerThread.run("test", cancellation: CancellationFlag()) { [repository = fixture.repository] in
            try repository.catalog(.silent).read { db in
                try Statement(db, "SELECT count(*), sum(is_named) FROM heap_object").first { ($0.integer(0), $0.integer(1)) }
            }
        }
        #expect(rows?.0 == 41 && rows?.1 == 41)
    }

    /// An apply would ask for each content whether a snapshot names it.
    @Test func `After a first make the buckets are known, and what else is put there is found all the same`() async throws {
        let folder = try TempFolder()
        for number in 0..<40 { try folder.write("source/\(number)", Array("\(number)\n".utf8)) }
        let repository = Repository(folder: folder.path + "/repo")
        _ = try await repository.make(folder.path + "/source")
        func count(_ sql: String) async throws -> Int64? {
            try await WorkerThread.run("test", cancellation: CancellationFlag()) {
                try repository.catalog(.silent).read { try Statement($0, sql).first { $0.integer(0) } }
            }
        }
        #expect(try await count("SELECT sum(objects) FROM heap_bucket") == 40)
        #expect(try await count("SELECT count(*) FROM heap_bucket") == 256)
        // Two objects change places: as many as were known.
        let heap = Heap(storage: BlockingStorage(LocalStorage(root: folder.path + "/repo/heap")))
        let gone = try #require(try heap.objects(inBucket: 0x26).first ?? (0..<256).lazy.compactMap { try heap.objects(inBucket: $0).first }.first)
        try FileManager.default.removeItem(atPath: heap.objectName(gone))
        let foreign = MD5Digest(high: gone.high, low: gone.low ^ 1)
        try folder.write("repo/heap/" + String(decoding: HeapLayout.path(foreign), as: UTF8.self), Gzip.compress([1], level: .standard))
        _ = try await repository.make(folder.path + "/source")
        #expect(try await count("SELECT count(*) FROM heap_object WHERE is_named = 0") == 1)
        // The file is still there: it was stored again.
        #expect(try await count("SELECT count(*) FROM heap_object WHERE is_named = 1") == 40)
        #expect(try await count("SELECT count(*) FROM missing_row") == 0)
    }

    @Test func `A heap that is gone misses all that snapshots name`() async throws {
        let fixture = try await Fixture()
        try FileManager.default.moveItem(
            atPath: fixture.folder.path + "/repo/heap", toPath: fixture.folder.path + "/moved")
        let missing = try await fixture.md5s("SELECT md5 FROM missing_object")
        #expect(missing.count == 40)
    }
}
