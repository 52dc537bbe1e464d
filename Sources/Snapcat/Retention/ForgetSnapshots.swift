import GRDB
import SnapcatCatalog
import SnapcatFormat
import SnapcatPlatform
import SnapcatStorage

/// Which snapshots are forgotten.
public struct ForgetOptions: Sendable {
    /// These; where there are none, those that `policy` does not keep.
    public var references: [SnapshotReference] = []
    public var policy = RetentionPolicy()
    /// Nothing is forgotten: what would be is told.
    public var isDryRun = false

    public init() {}
}

/// What becomes of one snapshot.
public struct ForgetDecision: Sendable, Equatable {
    public var name: SnapshotName
    public var path: String
    public var isKept: Bool
    /// Why it is kept, or forgotten.
    public var reasons: [String]
    public var files: Int64
    /// Sum of the files' sizes.
    public var bytes: Int64
    /// What forgetting all frees, each content counted at the last forgotten snapshot that names it: so the sum over
    /// all of them is exact. nil where it is not known: there is no heap, another snap root of it cannot be read, or what stays may name
    /// any content (a damaged snapshot, a file that is none).
    public var freed: FreedAmount? = FreedAmount()
}

/// Contents that no snapshot names any more once a set is forgotten.
public struct FreedAmount: Sendable, Equatable {
    public var objects: Int64 = 0
    /// Of the contents.
    public var bytes: Int64 = 0
    /// Of their objects in the heap, compressed: so much room gc gives back.
    public var storedBytes: Int64 = 0

    static func += (left: inout FreedAmount, right: FreedAmount) {
        left.objects += right.objects
        left.bytes = left.bytes.addingSaturated(right.bytes)
        left.storedBytes = left.storedBytes.addingSaturated(right.storedBytes)
    }
}

public struct ForgetSummary: Sendable, Equatable {
    public var kept: Int64 = 0
    public var forgotten: Int64 = 0
    /// nil where it is not known.
    public var freed: FreedAmount? = FreedAmount()
}

extension Repository {
    /// Forgets snapshots: they are moved to the trash of the snap root, until gc removes them; undelete brings them back.
    /// Their contents stay where they are, until gc takes what no snapshot names.
    ///
    /// Never forgets all: throws `.usage` where no undamaged snapshot would be left, or by a policy none of one group
    /// (`RetentionPolicy.groupsByHost`, `groupsByFolder`). `tell` gets the snapshots from the newest to the oldest, before
    /// the first one is moved.
    public func forget(
        _ options: ForgetOptions, monitor: Monitor = .silent,
        _ tell: @escaping @Sendable (ForgetDecision) throws -> Void
    ) async throws -> ForgetSummary {
        try await run("snapcat-forget", monitor) { [self] in
            let lock = try options.isDryRun ? nil : lockSnapRoot("forget", monitor)
            defer { withExtendedLifetime(lock) {} }
            return try ForgetJob(self, options, monitor).run(tell)
        }
    }
}

private struct ForgetJob {
    let repository: Repository
    let options: ForgetOptions
    let monitor: Monitor

    init(_ repository: Repository, _ options: ForgetOptions, _ monitor: Monitor) {
        (self.repository, self.options, self.monitor) = (repository, options, monitor)
    }

    func run(_ tell: (ForgetDecision) throws -> Void) throws -> ForgetSummary {
        let (all, reasons, freed) = try repository.withUsableCatalog(monitor) { try decide() }
        let forgotten = all.filter { reasons[$0.name]?.isEmpty ?? false }
        var summary = ForgetSummary()
        summary.freed = freed.map { $0.values.reduce(into: FreedAmount()) { $0 += $1 } }
        for snapshot in all.reversed() {
            // Without a word on it a snapshot stays.
            let kept = reasons[snapshot.name] ?? ["not looked at"]
            var decision = ForgetDecision(
                name: snapshot.name, path: repository.snapshots.displayPath(StorageKey(snapshot.key)),
                isKept: !kept.isEmpty, reasons: kept, files: snapshot.files, bytes: snapshot.bytes)
            if kept.isEmpty {
                decision.reasons = [options.references.isEmpty ? "no rule keeps it" : "named"]
                decision.freed = freed.map { $0[snapshot.name] ?? FreedAmount() }
                summary.forgotten += 1
            } else {
                summary.kept += 1
            }
            try tell(decision)
        }
        if !options.isDryRun { try forget(forgotten) }
        return summary
    }

    private typealias Decisions = (
        all: [IndexedSnapshot], reasons: [SnapshotName: [String]], freed: [SnapshotName: FreedAmount]?
    )

    /// Why each is kept (no reason: it is not), and what that frees. Changes nothing.
    private func decide() throws -> Decisions {
        let all = try repository.syncedSnapshots(monitor)
        let reasons = try options.references.isEmpty ? keptByPolicy(all) : keptByReference(all)
        let forgotten = all.filter { reasons[$0.name]?.isEmpty ?? false }
        try refuseAll(all, forgotten)
        return (all, reasons, try FreedBytes(repository, monitor).perSnapshot(forgetting: forgotten, of: all))
    }

    private func forget(_ forgotten: [IndexedSnapshot]) throws {
        let trash = SnapshotTrash(store: repository.snapshots)
        let time = SnapshotTime(microseconds: repository.clock.nowNanoseconds / 1000)
        for snapshot in forgotten {
            try monitor.cancellation.check()
            try trash.put(snapshot.name, StorageKey(snapshot.key), at: time)
        }
        if forgotten.isEmpty { return }
        try repository.snapshots.storage.synchronizeFolder()
        do { _ = try repository.syncedSnapshots(monitor) } catch let error as SnapcatError where error.code != .interrupted {
            monitor.problem(error)
            monitor.note("the snapshots are forgotten; the catalog follows at the next command")
        }
    }

    // MARK: Which

    private func keptByPolicy(_ all: [IndexedSnapshot]) throws -> [SnapshotName: [String]] {
        if options.policy.isEmpty {
            throw SnapcatError(
                .usage, "Nothing to forget", reason: "no snapshot and no rule is named",
                advice: "name snapshots, or give --keep-last, --keep-daily, ...")
        }
        let candidates = try candidates(all)
        return options.policy.reasons(candidates, clock: repository.clock)
    }

    private func candidates(_ all: [IndexedSnapshot]) throws -> [RetentionPolicy.Candidate] {
        let (tags, bare) = try repository.catalog(monitor).read {
            (try CatalogSnapshots.tags($0), try CatalogSnapshots.withDamagedCompanion($0))
        }
        return all.map {
            RetentionPolicy.Candidate(
                name: $0.name, fileRoot: $0.fileRoot, host: $0.host ?? "", tags: tags[$0.id] ?? [], isDamaged: $0.isDamaged,
                hasDamagedCompanion: bare.contains($0.id))
        }
    }

    private func keptByReference(_ all: [IndexedSnapshot]) throws -> [SnapshotName: [String]] {
        var reasons = Dictionary(uniqueKeysWithValues: all.map { ($0.name, ["not named"]) })
        let candidates = all.map { SnapshotCandidate(name: $0.name, isDamaged: $0.isDamaged) }
        for reference in options.references {
            let name = try byPath(reference, all) ?? reference.resolve(in: candidates)
            monitor.note("snapshot \(name.time.iso8601)")
            reasons[name] = []
        }
        return reasons
    }

    /// A path, as make prints it.
    private func byPath(_ reference: SnapshotReference, _ all: [IndexedSnapshot]) throws -> SnapshotName? {
        guard case .file(let path) = reference, let local = repository.snapshots.storage.base.local,
            let wanted = FolderOperations.realPath(Array(path.utf8))
        else { return nil }
        return all.first { FolderOperations.realPath(local.root + [UInt8(ascii: "/")] + $0.key) == wanted }?.name
    }

    private func refuseAll(_ all: [IndexedSnapshot], _ forgotten: [IndexedSnapshot]) throws {
        let gone = Set(forgotten.map(\.name))
        let good = all.filter { !$0.isDamaged }
        if !forgotten.isEmpty && good.allSatisfy({ gone.contains($0.name) }) && !good.isEmpty {
            throw SnapcatError(
                .usage, "Nothing is forgotten", repository.snapshots.storage.place,
                reason: "no snapshot would be left", advice: "keep one at least")
        }
        guard options.references.isEmpty else { return }
        // One whose companion cannot be read stands for none.
        let known = try candidates(all).filter { !$0.isDamaged && !$0.hasDamagedCompanion }
        for (group, members) in Dictionary(grouping: known, by: options.policy.group) {
            guard members.allSatisfy({ gone.contains($0.name) }) else { continue }
            let isUnknown = options.policy.groupsByFolder && group.fileRoot == nil
            let folder = isUnknown ? " whose folder is not known" : options.policy.groupsByFolder ? " of this folder" : ""
            let host = group.host.isEmpty ? "" : " by host '\(group.host)'"
            throw SnapcatError(
                .usage, "Nothing is forgotten", TerminalText.lossy(group.fileRoot ?? []),
                reason: "no snapshot\(folder)\(host) would be left", advice: "give --keep-last 1 too, or name what to forget")
        }
    }
}
