import Foundation
import SnapcatCatalog
import SnapcatPlatform
import SnapcatTestSupport
import Testing

@testable import Snapcat

/// Building the catalog anew, and its worst days.
@Suite struct RebuildTests {
    private struct Fixture {
        let folder: TempFolder
        let repository: Repository
        var catalog: String { folder.path + "/repo/catalog.sqlite" }

        init() async throws {
            folder = try TempFolder()
            try folder.write("source/a.txt", Array("one\n".utf8))
            repository = Repository(folder: folder.path + "/repo")
            _ = try await repository.make(folder.path + "/source")
        }

        func besides() throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: folder.path + "/repo").filter { $0.hasPrefix("catalog.sqlite.") }
        }
    }

    @Test func `A rebuild that is interrupted leaves the old catalog and nothing beside it`() async throws {
        let fixture = try await Fixture()
        let inode = try FileManager.default.attributesOfItem(atPath: fixture.catalog)[.systemFileNumber] as? UInt64
        let flag = CancellationFlag()
        flag.cancel()
        let monitor = Monitor(progress: WorkProgress(), cancellation: flag, note: { _ in }, problem: { _ in })
        await #expect(throws: SnapcatError.self) { try await fixture.repository.rebuildCatalog(monitor: monitor) }
        #expect(try FileManager.default.attributesOfItem(atPath: fixture.catalog)[.systemFileNumber] as? UInt64 == inode)
        #expect(try await fixture.repository.list().count == 1)
        #expect(try fixture.besides() == [])
    }

    @Test func `A second repository of the process leaves the first one's hold on the catalog`() async throws {
        let fixture = try await Fixture()
        _ = try await fixture.repository.list()
        let second = Repository(folder: fixture.folder.path + "/repo")
        _ = try await second.list()
        // Another program that finds nobody else there takes the journal away when it ends.
        let script = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT * FROM snapshot').fetchall(); c.close()"
        _ = try Python.run(script, arguments: [fixture.catalog])
        #expect(FileManager.default.fileExists(atPath: fixture.catalog + "-wal"))
        try fixture.folder.write("source/b.txt", Array("two\n".utf8))
        _ = try await fixture.repository.make(fixture.folder.path + "/source")
        #expect(try await second.list().count == 2)
    }

    @Test func `What was written leaves no journal that the next command would have to read`() async throws {
        let fixture = try await Fixture()
        let journal = fixture.catalog + "-wal"
        func size() throws -> Int {
            guard FileManager.default.fileExists(atPath: journal) else { return 0 }
            return try FileManager.default.attributesOfItem(atPath: journal)[.size] as? Int ?? -1
        }
        #expect(try size() == 0)
        try fixture.folder.write("source/b.txt", Array("two\n".utf8))
        _ = try await fixture.repository.make(fixture.folder.path + "/source")
        // The connection is still open: SQLite has not tidied up by itself.
        #expect(try size() == 0)
        #expect(try await fixture.repository.list().count == 2)
    }

    @Test func `What a killed rebuild left does not stop the next, and goes with it`() async throws {
        let fixture = try await Fixture()
        for suffix in ["", "-wal", "-shm"] {
            try fixture.folder.write("repo/catalog.sqlite.rebuilding" + suffix, Array("half written".utf8))
        }
        let summary = try await fixture.repository.rebuildCatalog()
        #expect(summary.indexed == 1)
        #expect(try fixture.besides() == [])
        #expect(try await fixture.repository.list().count == 1)
    }

    @Test func `Of two rebuilds at once the second is told that the catalog is being built`() async throws {
        let fixture = try await Fixture()
        let path = Array((fixture.catalog + ".rebuilding").utf8)
        let other = try Descriptor.open(path, [.readWrite, .create], mode: 0o600)
        #expect(other.lock(exclusive: true) == .taken)
        do {
            _ = try await fixture.repository.rebuildCatalog()
            Issue.record("both were allowed to build")
        } catch let error as SnapcatError { #expect(error.code == .locked) }
        #expect(try await fixture.repository.list().count == 1)
        withExtendedLifetime(other) {}
    }
}
