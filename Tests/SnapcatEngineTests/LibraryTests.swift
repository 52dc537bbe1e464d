import Foundation
import Snapcat
import SnapcatTestSupport
import Synchronization
import Testing

/// The public library, as a program that imports only it uses it.
@Suite struct LibraryTests {
    @Test func aProgramMakesListsFindsReadsComparesQueriesAppliesAndRestores() async throws {
        let folder = try TempFolder()
        try folder.write("source/a.txt", Array("one\n".utf8))
        try folder.write("source/b/c.txt", Array("two\n".utf8))
        let repository = Repository(folder: folder.path + "/repo")
        let source = folder.path + "/source"
        let first = try await repository.make(source)
        #expect(first.files == 2 && first.added == 2 && !first.hasProblems)
        try folder.write("source/a.txt", Array("changed\n".utf8))
        try folder.write("source/new.txt", Array("three\n".utf8))
        let second = try await repository.make(source)
        #expect(second.changed == 1 && second.added == 1)

        #expect(try await repository.list().map(\.path) == [first.path, second.path])
        #expect(try await repository.find(.latest(back: 1)).path == first.path)
        #expect(try await repository.snapshotPath(atOrBefore: first.snapshot?.time) == first.path)
        #expect(try await repository.snapshotPath(atOrBefore: SnapshotTime(microseconds: 0)) == nil)

        let names = Mutex<[String]>([])
        try await repository.read(.oldest) { entry in names.withLock { $0.append(entry.name.description) } }
        #expect(names.withLock { $0 } == ["a.txt", "b/c.txt"])

        let rows = Mutex<[ComparisonRow]>([])
        var options = CompareOptions()
        options.includesNodes = false
        let summary = try await repository.compare(.oldest, .latest(back: 0), options: options) { row in
            rows.withLock { $0.append(row) }
        }
        #expect(summary[.different].files == 1 && summary[.onlyRight].files == 1 && summary[.equal].files == 1)

        let counts = Mutex<[QueryValue]>([])
        _ = try await repository.query("SELECT count(*) FROM file_version", columns: { _ in }) { row in counts.withLock { $0 += row } }
        #expect(counts.withLock { $0 } == [.integer(4)])

        // The newer state follows the older one.
        let applied = try await repository.apply(rows.withLock { $0 }, to: source)
        #expect(applied.writtenFiles == 1 && applied.deleted == 1 && applied.damaged == 0)
        #expect(try folder.read("source/a.txt") == Array("one\n".utf8))
        #expect(!FileManager.default.fileExists(atPath: source + "/new.txt"))

        let restored = try await repository.restore(.latest(back: 0), to: folder.path + "/target")
        #expect(restored.writtenFiles == 3)
        #expect(try folder.read("target/a.txt") == Array("changed\n".utf8))
    }

    @Test func applyTakesARenamedFileBackToItsName() async throws {
        let folder = try TempFolder()
        let source = folder.path + "/source"
        try folder.write("source/old.txt", Array("one\n".utf8))
        let repository = Repository(folder: folder.path + "/repo")
        _ = try await repository.make(source)
        try FileManager.default.moveItem(atPath: source + "/old.txt", toPath: source + "/new.txt")
        _ = try await repository.make(source)
        let rows = Mutex<[ComparisonRow]>([])
        var options = CompareOptions()
        options.includesNodes = false
        options.pairsRenames = true
        let summary = try await repository.compare(.oldest, .latest(back: 0), options: options) { row in
            rows.withLock { $0.append(row) }
        }
        #expect(summary[.renamed].files == 1 && summary.hasDifferences)
        _ = try await repository.apply(rows.withLock { $0 }, to: source)
        #expect(try folder.files().filter { $0.starts(with: "source/".utf8) } == [Array("source/old.txt".utf8)])
        #expect(try folder.read("source/old.txt") == Array("one\n".utf8))
    }

    @Test func applyNeverLeavesItsTarget() async throws {
        let folder = try TempFolder()
        try folder.write("source/a.txt", Array("one\n".utf8))
        let repository = Repository(folder: folder.path + "/repo")
        _ = try await repository.make(folder.path + "/source")
        let rows = Mutex<[ComparisonRow]>([])
        var options = CompareOptions()
        options.includesNodes = false
        options.statuses = [.equal]
        _ = try await repository.compare(.oldest, .oldest, options: options) { row in rows.withLock { $0.append(row) } }
        let hostile = rows.withLock { $0 }.map { row in
            var changed = row
            changed.name = EntryName("../escaped")
            changed.status = .onlyLeft
            return changed
        }
        let summary = try await repository.apply(hostile, to: folder.path + "/target")
        #expect(summary.damaged == 1 && summary.writtenFiles == 0)
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/escaped"))
    }
}
