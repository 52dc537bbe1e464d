import Foundation
import Snapcat
import SnapcatFormat
import SnapcatHeap
import SnapcatPlatform
import SnapcatTestSupport
import Synchronization

/// A repository to which anything happens, and a naive copy of every state that it must give back.
struct HistoryModel {
    private let source: TempFolder
    private let place: TempFolder
    private let tree: RandomTree
    private var random: SeededRandom
    private var snapshots: [SnapshotName: TreeState] = [:]
    private var trash: [SnapshotName: TreeState] = [:]
    private(set) var log: [String] = []
    /// An older catalog, put back at times.
    private var oldCatalog: Data?

    private var catalog: String { place.path + "/repo/catalog.sqlite" }
    /// Some page of the catalog was overwritten, which nobody may have read since.
    private var hasZeroedPage = false
    /// Anew for each step, as for each process.
    private var repository: Repository

    init(_ random: SeededRandom) async throws {
        (source, place, self.random) = (try TempFolder(), try TempFolder(), random)
        tree = RandomTree(folder: source)
        repository = Repository(folder: place.path + "/repo")
        for _ in 0..<15 { try tree.edit(&self.random) }
        try await make()
    }

    mutating func step() async throws -> [String] {
        // Now: a thread that ends may keep it for a moment, and the file may be about to be harmed.
        try repository.catalog(.silent).close()
        repository = Repository(folder: place.path + "/repo")
        let edits = Int.random(in: 0..<6, using: &random)
        for _ in 0..<edits { try tree.edit(&random) }
        var losses: [String] = []
        switch Int.random(in: 0..<16, using: &random) {
        case 0..<5: try await make()
        case 5, 6: losses = try await restore()
        case 7, 8: try await forget()
        case 9: try await collect()
        case 10: try await undelete()
        case 11: try await purge()
        case 12: losses = try await repair()
        default: try harmCatalog()
        }
        let listed = try await repository.list().map(\.name)
        if listed != snapshots.keys.sorted() { losses.append("there are \(listed) instead of \(snapshots.keys.sorted())") }
        if let name = snapshots.keys.sorted().randomElement(using: &random), Int.random(in: 0..<3, using: &random) == 0 {
            losses += try await difference(name)
        }
        return losses
    }

    /// Looks at everything.
    mutating func losses() async throws -> [String] {
        var found = try await findings()
        // Damage in the catalog that none of the commands has met is told by who looks at all of it: its advice is followed.
        if hasZeroedPage, !found.isEmpty, found.allSatisfy({ $0.kind == .catalog }) {
            _ = try await repository.rebuildCatalog()
            hasZeroedPage = false
            found = try await findings()
        }
        var losses = found.map { "check: \($0.kind) \($0.place): \($0.message)" }
        let differences = Mutex<[String]>([])
        _ = try await repository.verifyCatalog { difference in differences.withLock { $0.append("catalog: \(difference)") } }
        losses += differences.withLock { $0 }
        for name in snapshots.keys.sorted() { losses += try await difference(name) }
        return losses
    }

    private func findings() async throws -> [CheckFinding] {
        let found = Mutex<[CheckFinding]>([])
        _ = try await repository.check(CheckOptions(readsData: true)) { finding in
            if finding.isDamage { found.withLock { $0.append(finding) } }
        }
        return found.withLock { $0 }
    }

    /// How a snapshot, restored beside, differs from its copy.
    private func difference(_ name: SnapshotName) async throws -> [String] {
        let out = try TempFolder()
        let summary = try await repository.restore(.namePrefix(name.stem), to: out.path + "/out")
        guard summary.damaged == 0, summary.failed == 0 else { return ["\(name.stem) is not whole: \(summary)"] }
        guard let wanted = snapshots[name], let found = try TreeState(out.path + "/out").difference(from: wanted) else { return [] }
        return ["\(name.stem): \(found)"]
    }

    private mutating func someName() -> SnapshotName? { snapshots.keys.sorted().randomElement(using: &random) }

    private mutating func make() async throws {
        var options = MakeOptions()
        options.allowsEmpty = true
        let state = try TreeState(source.path)
        let made = try await repository.make(source.path, options: options)
        guard let name = made.snapshot, !made.hasProblems else { throw SnapcatProcess.Failure(description: "no snapshot: \(made)") }
        snapshots[name] = state
        log.append("make")
    }

    private mutating func restore() async throws -> [String] {
        guard let name = someName(), let wanted = snapshots[name] else { return [] }
        var options = RestoreOptions()
        options.isForced = true
        let before = try TreeState(source.path)
        let summary = try await repository.restore(.namePrefix(name.stem), to: source.path, options: options)
        log.append("restore \(name.stem)")
        let after = try TreeState(source.path)
        for (path, state) in [(summary.snapshotBefore, before), (summary.snapshotAfter, after)] {
            let file = path?.split(separator: "/").last.map(String.init) ?? ""
            if let taken = SnapshotName(fileName: file) { snapshots[taken] = state }
        }
        guard summary.damaged == 0, summary.failed == 0 else { return ["the restore is not whole: \(summary)"] }
        return after.difference(from: wanted).map { ["restored \(name.stem): \($0)"] } ?? []
    }

    private mutating func forget() async throws {
        guard snapshots.count > 1, let name = someName() else { return }
        var options = ForgetOptions()
        options.references = [.namePrefix(name.stem)]
        _ = try await repository.forget(options) { _ in }
        trash[name] = snapshots.removeValue(forKey: name)
        log.append("forget \(name.stem)")
    }

    private mutating func collect() async throws {
        var options = CollectOptions()
        let takesAll = Bool.random(using: &random)
        if takesAll { options.graceMicroseconds = 0 }
        _ = try await repository.collectGarbage(options) { _ in }
        if takesAll { trash = [:] }
        log.append("gc\(takesAll ? " of all" : "")")
    }

    private mutating func undelete() async throws {
        _ = try await repository.undelete { _ in }
        for (name, state) in trash where snapshots[name] == nil { snapshots[name] = state }
        trash = [:]
        log.append("undelete")
    }

    private mutating func purge() async throws {
        let name = RandomTree.name(&random)
        var options = PurgeOptions()
        options.names = [name]
        _ = try await repository.purge(options) { _ in }
        for snapshot in snapshots.keys { snapshots[snapshot] = snapshots[snapshot]?.without(name) }
        log.append("purge \(TerminalText.lossy(name))")
    }

    /// An object of a file that lives is damaged, or gone; a snapshot says which file that is.
    private mutating func repair() async throws -> [String] {
        try await make()
        let objects = place.path + "/repo/heap/"
        let live = Set(try TreeState(source.path).items.values.filter { $0.kind == .regular }.map { item in
            item.bytes.withUnsafeBytes { MD5Hasher.digest($0) }
        })
        var hurt = 0
        if let md5 = live.sorted().randomElement(using: &random) {
            let path = objects + TerminalText.lossy(HeapLayout.path(md5))
            if Bool.random(using: &random) {
                try FileManager.default.removeItem(atPath: path)
            } else {
                var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
                bytes[Int.random(in: 10..<bytes.count, using: &random)] ^= 0x40
                try bytes.write(to: URL(fileURLWithPath: path))
            }
            hurt = 1
        }
        let repaired = try await repository.repair { _ in }
        log.append("repair of \(hurt)")
        return repaired.lost == 0 && repaired.restored <= hurt ? [] : ["\(repaired) of \(hurt)"]
    }

    /// Deleted, cut, overwritten, or an old one.
    private mutating func harmCatalog() throws {
        let url = URL(fileURLWithPath: catalog)
        guard FileManager.default.fileExists(atPath: catalog) else { return }
        var bytes = try Data(contentsOf: url)
        if bytes.isEmpty { return }
        for name in ["-wal", "-shm"] where FileManager.default.fileExists(atPath: catalog + name) {
            try FileManager.default.removeItem(atPath: catalog + name)
        }
        switch Int.random(in: 0..<5, using: &random) {
        case 0:
            try FileManager.default.removeItem(atPath: catalog)
            log.append("catalog deleted")
        case 1:
            try bytes.prefix(Int.random(in: 0..<bytes.count, using: &random)).write(to: url)
            log.append("catalog cut")
        case 2:
            let page = Int.random(in: 0..<bytes.count / 4096, using: &random) * 4096
            bytes.replaceSubrange(page..<min(page + 4096, bytes.count), with: Data(count: min(4096, bytes.count - page)))
            try bytes.write(to: url)
            hasZeroedPage = true
            log.append("catalog zeroed at \(page)")
        case 3:
            try Data(random.bytes(5000)).write(to: url)
            log.append("catalog is noise")
        default:
            if let oldCatalog { try oldCatalog.write(to: url) }
            oldCatalog = bytes
            log.append("an old catalog")
        }
    }
}
