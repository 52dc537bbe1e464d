import Foundation
import SnapcatCatalog
import SnapcatFormat
import SnapcatPlatform
import SnapcatStorage
import SnapcatTestSupport
import Synchronization
import Testing

@testable import Snapcat

/// A disk that forgets leaves every stamp as it was: the catalog takes what it has read before for good.
@Suite struct SilentDamageTests {
    private struct Fixture {
        let folder: TempFolder
        let repository: Repository
        let problems = Problems()

        final class Problems: Sendable {
            let all = Mutex<[SnapcatError]>([])
        }

        /// Two snapshots, of which the later one rots after it was indexed.
        init(_ suffix: String, _ damage: ([UInt8]) -> [UInt8]) async throws {
            folder = try TempFolder()
            repository = Repository(folder: folder.path + "/repo")
            for number in 0..<3 { try folder.write("source/\(number)", Array("\(number)\n".utf8)) }
            try FileManager.default.createSymbolicLink(atPath: folder.path + "/source/link", withDestinationPath: "0")
            _ = try await repository.make(folder.path + "/source")
            try folder.write("source/second", Array("second\n".utf8))
            let made = try await repository.make(folder.path + "/source")
            let snapshot = try #require(made.path)
            let name = String(snapshot.dropFirst(folder.path.count + 1).dropLast(".jsonl.gz".count)) + suffix
            try folder.write(name, damage(try folder.read(name)))
            try folder.write("source/third", Array("third\n".utf8))
            let key = StorageKey(Array(name.dropFirst("repo/snap/".count).utf8))
            try await WorkerThread.run("test", cancellation: CancellationFlag()) { [repository] in
                let status = try repository.snapshots.storage.status(of: key)?.fingerprint ?? ""
                let column = suffix == ".jsonl.gz" ? "file_status" : "companion_status"
                try repository.catalog(.silent).write { db in
                    try Statement(db, "UPDATE snapshot_row SET \(column) = ? WHERE taken_at = (SELECT max(taken_at) FROM snapshot_row)")
                        .bind(1, text: status).run()
                }
            }
        }

        var monitor: Monitor {
            Monitor(problem: { [problems] error in problems.all.withLock { $0.append(error) } })
        }

        /// What the catalog says of all snapshots, and of the newest.
        func isRight() async throws -> Bool {
            let list = try await repository.list()
            let names = try await WorkerThread.run("test", cancellation: CancellationFlag()) { [repository] in
                var names: [String] = []
                _ = try repository.queryBlocking(
                    """
                    SELECT name FROM current_file
                    UNION ALL SELECT name FROM snapshot_node
                    WHERE type = 'link' AND snapshot_id = (SELECT max(id) FROM snapshot)
                    ORDER BY name
                    """,
                    options: QueryOptions(), syncs: true, monitor: .silent, columns: { _ in },
                    row: { if case .text(let bytes) = $0[0] { names.append(String(decoding: bytes, as: UTF8.self)) } })
                return names
            }
            return list.allSatisfy { !$0.isDamaged } && names == ["0", "1", "2", "link", "second", "third"]
        }
    }

    @Test(arguments: ["cut", "zeroed"])
    func `A snapshot that rots behind its stamps costs the next make nothing but a warning`(_ damage: String) async throws {
        let fixture = try await Fixture(".jsonl.gz") { damage == "cut" ? Array($0.dropLast(12)) : $0.map { _ in 0 } }
        let made = try await fixture.repository.make(fixture.folder.path + "/source", monitor: fixture.monitor)
        // Against the first one, which is good: two files are new to it.
        #expect(made.files == 5 && made.added == 2 && made.snapshot != nil)
        #expect(fixture.problems.all.withLock { $0.map(\.code) }.contains(.damage))
        #expect(try await fixture.isRight())
        // The new one is the base of the next.
        let again = try await fixture.repository.make(fixture.folder.path + "/source")
        #expect(again.isUnchanged && again.readFiles == 0)
    }

    @Test func `A companion that rots behind its stamps does not make the next snapshot a damaged one`() async throws {
        let fixture = try await Fixture(".meta.gz") { bytes in Array(bytes.dropLast(12)) }
        let made = try await fixture.repository.make(fixture.folder.path + "/source", monitor: fixture.monitor)
        #expect(made.files == 5 && made.snapshot != nil)
        #expect(fixture.problems.all.withLock { $0.map(\.code) }.contains(.damage))
        #expect(try await fixture.isRight())
    }

    @Test func `A folder is looked at where the snapshot before rots behind its stamps`() async throws {
        let fixture = try await Fixture(".jsonl.gz") { $0.map { _ in 0 } }
        let rows = Mutex(0)
        _ = try await fixture.repository.compare(
            .oldest, .live, liveRoot: fixture.folder.path + "/source", monitor: fixture.monitor
        ) { _ in rows.withLock { $0 += 1 } }
        #expect(rows.withLock { $0 } == 2)
    }
}
