import Foundation
import Snapcat
import SnapcatFormat
import SnapcatPlatform
import SnapcatStorage
import SnapcatTestSupport
import Synchronization

/// One copy of a sound repository, what is done to it, and the judgement.
final class TortureCase: Sendable {
    private let world: TortureWorld
    private let scenario: Scenario
    private let folder: String
    private var repo: String { folder + "/repo" }
    private var target: String { folder + "/" + scenario.targetName }
    private static let serial = Atomic<Int>(0)

    /// `place`: where the copy goes, instead of into the world's folder.
    init(_ world: TortureWorld, _ scenario: Scenario, in place: String? = nil) async throws {
        (self.world, self.scenario) = (world, scenario)
        folder = (place ?? world.folder.path) + "/case-\(Self.serial.add(1, ordering: .relaxed).newValue)"
        try await TortureWorld.copy(world.path(scenario.sound), to: folder)
        try FileManager.default.createDirectory(atPath: folder + "/tmp", withIntermediateDirectories: false)
        // A copy's files are other files: the catalog is told, where it is not what is to be tested.
        if ![.empty, .foreign, .bare, .spoiled].contains(scenario.sound) { _ = try await Repository(folder: repo).syncCatalog() }
    }

    deinit {
        // Each case has a folder of its own: one that is left over disturbs no other.
        do { try FileManager.default.removeItem(atPath: folder) } catch {}
    }

    private var arguments: [String] {
        scenario.arguments.map {
            $0.replacing("{repo}", with: repo).replacing("{target}", with: target).replacing("{source}", with: world.source)
        }
    }

    /// Runs the command. Temporary files lie in the case's folder, so that faults befall them too.
    func run(_ fault: CallFault = CallFault()) async throws -> CallFault.Result {
        var fault = fault
        fault.deniedSuffix = scenario.denied
        return try await fault.run(arguments, below: world.folder, environment: ["TMPDIR": folder + "/tmp"])
    }

    // MARK: Judgement

    /// What is wrong right after a kill, before anything else has run. The catalog is left alone.
    func lossesAfterKill() async throws -> [String] {
        var losses: [String] = []
        if !scenario.mayBeDamaged { losses += try await damages(Repository(places(catalog: nil))) }
        if let saved = scenario.saved, try TreeState(target).difference(from: saved) != nil {
            var isSaved = false
            for stem in try stems() where !isSaved { isSaved = try await difference(stem, saved) == nil }
            if !isSaved { losses.append("what was in the target is in no snapshot") }
        }
        return losses
    }

    /// Runs the command again, undisturbed, and tells what is wrong then.
    func lossesAfterNextRun() async throws -> [String] {
        let next = try await run().process
        guard next.status == scenario.status, next.errors == 0 else { return ["the next run ended with \(next.status): \(next.stderr)"] }
        return try await losses() + leftovers()
    }

    /// What is wrong after a run that says it is done.
    func losses() async throws -> [String] {
        var losses: [String] = []
        let repository = Repository(folder: repo)
        // The catalog too: it must say what the snapshots say, line by line.
        losses += try await damages(repository)
        if let wanted = scenario.target, let found = try TreeState(target).difference(from: wanted) { losses.append("the target: \(found)") }
        if scenario.undeletes { _ = try await repository.undelete { _ in } }
        let stems = try stems()
        for (stem, wanted) in scenario.snapshots.sorted(by: { $0.key < $1.key }) {
            guard stems.contains(stem) else { losses.append("the snapshot \(stem) is gone"); continue }
            if try !isAsItWas(stem), let found = try await difference(stem, wanted) { losses.append("\(stem): \(found)") }
        }
        if let latest = scenario.latest {
            let found = try await stems.last.asyncMap { try await difference($0, latest) } ?? "is missing"
            if let found { losses.append("the newest snapshot: \(found)") }
        }
        return losses
    }

    /// What is wrong with how a command told of a fault.
    func wrongTalk(_ result: SnapcatProcess.Result) -> [String] {
        var wrong: [String] = []
        if ![0, 2, 3, 5].contains(result.status) { wrong.append("it ended with \(result.status)") }
        if result.errors > 1 { wrong.append("it told \(result.errors) errors") }
        if result.status == 2 && result.errors == 0 { wrong.append("it failed without an error") }
        if [0, 3].contains(result.status) && result.errors > 0 { wrong.append("it ended with \(result.status) and an error") }
        if result.status != 0 && result.stderr.isEmpty { wrong.append("it ended with \(result.status) and said nothing") }
        if result.stderr.contains("SQLite error") { wrong.append("it told an error as SQLite does") }
        return wrong.map { "\($0): \(result.stderr)" }
    }

    /// Whether the run says that all is done.
    func isDone(_ result: SnapcatProcess.Result) -> Bool { result.status == scenario.status }

    private func places(catalog: [UInt8]?) -> Repository.Places {
        Repository.Places(snapRoot: LocalStorage(root: repo + "/snap"), heapRoot: LocalStorage(root: repo + "/heap"), catalog: catalog)
    }

    private func damages(_ repository: Repository) async throws -> [String] {
        let found = Mutex<[String]>([])
        _ = try await repository.check(CheckOptions(readsData: true)) { finding in
            if finding.isDamage { found.withLock { $0.append("check: \(finding.kind) \(finding.place): \(finding.message)") } }
        }
        return found.withLock { $0 }
    }

    private func stems() throws -> [String] {
        try SnapshotStore(BlockingStorage(LocalStorage(root: repo + "/snap"))).list().snapshots.map(\.name.stem)
    }

    /// Whether a snapshot and its companion are byte for byte those that the case began with: where nothing is damaged,
    /// they then restore to the same.
    private func isAsItWas(_ stem: String) throws -> Bool {
        guard scenario.snapshots[stem] == world.history[stem], let name = SnapshotName(fileName: stem + SnapshotName.fileSuffix) else { return false }
        return try [name.key, name.companionKey].allSatisfy { key in
            let now = "\(repo)/snap/\(key)", before = "\(world.path(.history))/repo/snap/\(key)"
            return try Data(contentsOf: URL(fileURLWithPath: now)) == Data(contentsOf: URL(fileURLWithPath: before))
        }
    }

    /// How a snapshot, restored beside, differs from what it should hold.
    private func difference(_ stem: String, _ wanted: TreeState) async throws -> String? {
        let out = folder + "/out-\(Self.serial.add(1, ordering: .relaxed).newValue)"
        defer {
            // It goes with the case at the latest.
            do { try FileManager.default.removeItem(atPath: out) } catch {}
        }
        let summary = try await Repository(folder: repo).restore(.namePrefix(stem), to: out)
        guard summary.damaged == 0, summary.failed == 0 else { return "the restore is not whole: \(summary)" }
        return try TreeState(out).difference(from: wanted)
    }

    /// Files of dead processes: the next run sweeps them. What lies in the heap may be another make's, which shares it: it
    /// is swept after a day, or by who has the heap alone.
    private func leftovers() -> [String] {
        let all = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
        let shared = ["repo/heap/temp/", "repo/heap/.snapcat-tmp-", "repo/heap/.lock-shared-"]
        return all.filter { name in
            (name.contains(".lock-") || name.contains(".snapcat-tmp-")) && !shared.contains { name.hasPrefix($0) }
        }.map { "left over: \($0)" }
    }
}

extension SnapcatProcess.Result {
    /// How many lines of stderr are errors.
    var errors: Int { stderr.split(separator: "\n").count { $0.hasPrefix("snapcat: error: ") } }
}

extension Optional where Wrapped: Sendable {
    /// `map` for what has to be waited for.
    fileprivate func asyncMap<R>(_ body: (Wrapped) async throws -> R) async rethrows -> R? {
        guard let self else { return nil }
        return try await body(self)
    }
}
