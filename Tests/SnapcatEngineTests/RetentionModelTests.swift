import Foundation
import SnapcatFormat
import SnapcatHeap
import SnapcatPlatform
import SnapcatTestSupport
import Synchronization
import Testing

@testable import Snapcat

/// Random histories of make, forget, gc, undelete, purge and repair against a naive copy of every state.
@Suite struct RetentionModelTests {
    /// What the snapshots hold, and what may come back.
    private struct Model {
        var snapshots: [SnapshotName: [String: String]] = [:]
        var trash: [SnapshotName: [String: String]] = [:]
        var files: [String: String] = [:]
    }

    private func contents(_ repository: Repository, _ name: SnapshotName) async throws -> [String: String] {
        let heap = try repository.requireHeap()
        let found = Mutex<[String: String]>([:])
        try await repository.read(.namePrefix(name.stem)) { entry in
            let md5 = try #require(entry.md5)
            let text = TerminalText.lossy(try heap.open(md5).readAll(limit: 1 << 20))
            found.withLock { $0[entry.name.description] = text }
        }
        return found.withLock { $0 }
    }

    private func step(
        _ repository: Repository, _ folder: TempFolder, _ model: inout Model, _ random: inout SeededRandom
    ) async throws -> String {
        let operation = Int.random(in: 0..<10, using: &random)
        switch operation {
        case 0...3:
            for _ in 0..<3 {
                let name = "f\(Int.random(in: 0..<6, using: &random))"
                let text = "\(Int.random(in: 0..<8, using: &random))"
                try folder.write("source/" + name, Array(text.utf8))
                model.files[name] = text
            }
            let made = try #require(try await repository.make(folder.path + "/source").snapshot)
            model.snapshots[made] = model.files
            return "make"
        case 4, 5:
            let names = model.snapshots.keys.sorted()
            guard names.count > 1 else { return "nothing" }
            let name = names[Int.random(in: 0..<names.count, using: &random)]
            var options = ForgetOptions()
            options.references = [.namePrefix(name.stem)]
            _ = try await repository.forget(options) { _ in }
            model.trash[name] = model.snapshots.removeValue(forKey: name)
            return "forget"
        case 6:
            var options = CollectOptions()
            let takesAll = Bool.random(using: &random)
            if takesAll { options.graceMicroseconds = 0 }
            _ = try await repository.collectGarbage(options) { _ in }
            if takesAll { model.trash = [:] }
            return "gc \(takesAll)"
        case 7:
            _ = try await repository.undelete { _ in }
            for (name, files) in model.trash where model.snapshots[name] == nil { model.snapshots[name] = files }
            model.trash = [:]
            return "undelete"
        case 8:
            let name = "f\(Int.random(in: 0..<6, using: &random))"
            var options = PurgeOptions()
            options.names = [Array(name.utf8)]
            _ = try await repository.purge(options) { _ in }
            for snapshot in model.snapshots.keys { model.snapshots[snapshot]?[name] = nil }
            return "purge \(name)"
        default:
            let repaired = try await repository.repair { _ in }
            #expect(repaired.quarantined == 0 && repaired.lost == 0)
            return "repair"
        }
    }

    @Test func everySnapshotHoldsWhatItShould() async throws {
        var random = SeededRandom()
        for history in 0..<4 {
            let folder = try TempFolder()
            let repository = Repository(folder: folder.path + "/repo")
            var model = Model()
            for name in 0..<6 { model.files["f\(name)"] = "0" }
            for (name, text) in model.files { try folder.write("source/" + name, Array(text.utf8)) }
            model.snapshots[try #require(try await repository.make(folder.path + "/source").snapshot)] = model.files
            var done: [String] = []
            for _ in 0..<25 {
                done.append(try await step(repository, folder, &model, &random))
                let listed = try await repository.list().map(\.name)
                #expect(listed == model.snapshots.keys.sorted(), "\(random.label) \(history) \(done)")
            }
            for (name, files) in model.snapshots {
                #expect(try await contents(repository, name) == files, "\(random.label) \(history) \(done)")
            }
            let check = try await repository.check(CheckOptions(readsData: true)) { _ in }
            #expect(check.damages == 0, "\(random.label) \(history) \(done)")
        }
    }
}
