import Foundation
import SnapcatCatalog
import SnapcatFormat
import SnapcatHeap
import SnapcatPlatform
import SnapcatStorage
import SystemPackage

extension Repository {
    /// Makes `target` equal to a snapshot; what is there now is snapshotted first (FORMAT.md, RELIABILITY.md 6).
    ///
    /// A missing target is made. Every file is written beside its place and its md5 checked; a missing or damaged
    /// object costs its file only. With `isDryRun` the plan goes to `action`, and nothing is written at all.
    public func restore(
        _ reference: SnapshotReference, to target: String, options: RestoreOptions = RestoreOptions(),
        monitor: Monitor = .silent, action: @escaping @Sendable (RestoreAction) throws -> Void = { _ in }
    ) async throws -> RestoreSummary {
        try await run("snapcat-restore", monitor) { [self] in
            let side = try options.isDryRun ? sideWithoutCatalog(reference, monitor) : side(reference, monitor)
            return try restoreBlocking(side, to: Array(target.utf8), options: options, monitor: monitor, action: action)
        }
    }

    package func restoreBlocking(
        _ side: ComparisonSide, to target: [UInt8], options: RestoreOptions, monitor: Monitor,
        action: (RestoreAction) throws -> Void
    ) throws -> RestoreSummary {
        let started = monotonicNanoseconds()
        let wanted = try source(side, options, monitor)
        let ownPaths = try ownPaths(in: target, monitor)
        try Self.refuseOwnSource(wanted, in: target, ownPaths, options)
        let isEmpty = try Self.isMissingOrEmpty(target)
        try refuseDangerous(target, isEmpty: isEmpty, files: wanted.files, options)
        let lock = try options.isDryRun ? nil : lockForRestore(monitor)
        defer { withExtendedLifetime(lock) {} }
        try Self.refuseReadOnly(target)
        try wanted.refuseTwins(in: target, options, monitor)
        if !options.isDryRun { _ = try requireHeap() }
        var summary = RestoreSummary()
        let state = try stateOfTarget(target, isEmpty: isEmpty, options, monitor, &summary)
        defer { state?.remove() }
        let unseen = options.deletesExcluded
            ? .none : try UnseenNames(wanted, in: target, state, heap: heap, report: monitor.problem)
        let plan = RestorePlan(
            wanted: wanted, current: state, options: options, ownPaths: ownPaths, unseen: unseen)
        // Where there are too many for a list, all of them count.
        let unlisted = state.map { $0.unread == nil && options.deletes ? $0.problems : 0 } ?? 0
        if options.isDryRun {
            summary.unread += unlisted
            try rehearse(plan, &summary, monitor, action)
            summary.unread += unseen.unreadRuleCount
            return summary
        }
        monitor.progress.begin("restoring", files: wanted.files)
        let root = try openTarget(target)
        var job = try RestoreJob(plan, heap: requireHeap(), root: root, monitor: monitor)
        var done: RestoreSummary
        do { done = try job.run() } catch {
            if let saved = summary.snapshotBefore { monitor.note("the state before is \(saved)") }
            throw error
        }
        try withSystemError("Cannot make durable", target) { () throws(Errno) in try FolderOperations.syncFileSystem(of: root) }
        done.snapshotBefore = summary.snapshotBefore
        done.unread += unseen.unreadRuleCount + unlisted
        if try wantsSnapshotAfter(target, tookBefore: done.snapshotBefore != nil, options) {
            done.snapshotAfter = try safetySnapshot(
                target, note: "after restore", isAllOrNothing: false, options, monitor).path
        }
        done.seconds = Double(monotonicNanoseconds() - started) / 1e9
        return done
    }

    /// Throws `.damage` where the snapshot cannot be read to its end, were it as the catalog remembers it.
    private func source(_ side: ComparisonSide, _ options: RestoreOptions, _ monitor: Monitor) throws -> RestoreSource {
        switch side {
        case .file(let store, let key): return try RestoreSource(store, key, options, monitor)
        case .indexed(let snapshot):
            do { return try RestoreSource(snapshots, StorageKey(snapshot.key), options, monitor) } catch var error as SnapcatError {
                if error.code == .damage && error.advice.isEmpty { error.advice = "nothing was restored; 'snapcat list' shows the other snapshots" }
                throw error
            }
        }
    }

    /// Gives out the plan, and counts what would be refused.
    private func rehearse(
        _ plan: RestorePlan, _ summary: inout RestoreSummary, _ monitor: Monitor,
        _ action: (RestoreAction) throws -> Void
    ) throws {
        var kept = 0
        try plan.forEach { step in
            if case .keep = step.kind, step.wanted == nil { kept += 1 }
            if case .unread = step.kind {
                summary.unread += 1
                monitor.problem(RestorePlan.unreadProblem(step.name))
            }
            guard let known = RestoreAction(step) else { return }
            if known.kind == .skip { summary.damaged += 1 }
            try action(known)
        }
        for name in plan.leftovers { try action(RestoreAction(leftover: name)) }
        if kept > 0 { monitor.note(RestorePlan.keptNote(kept)) }
    }

    /// Before anything else is done for it: no safety snapshot, no list of files that could not be written.
    private static func refuseReadOnly(_ target: [UInt8]) throws {
        if let existing = FileRoot.existing(target), FolderOperations.isReadOnly(existing) {
            throw SnapcatError.system("Not restored", target, Errno.readOnlyFileSystem)
        }
    }

    /// A snap root that does not exist (a snapshot given by its path) has nobody to be kept out.
    func lockForRestore(_ monitor: Monitor) throws -> RepositoryLock? {
        guard let local = snapshots.storage.base.local, FolderOperations.realPath(local.root) != nil else { return nil }
        return try lockSnapRoot("restore", needsWriting: false, monitor)
    }

    /// The parts of the repository that lie in the target. Throws `.usage` where the target lies in the repository.
    func ownPaths(in target: [UInt8], _ monitor: Monitor) throws -> [[UInt8]] {
        // Of a target that is to be made, the folder above it that exists decides.
        guard let existing = FileRoot.existing(target) else { return [] }
        let root = try FileRoot(existing, repository: self, monitor: .silent)
        return existing == target ? root.ownPaths : []
    }

    /// The snapshot's own files must outlive the first pass, which deletes.
    private static func refuseOwnSource(
        _ wanted: RestoreSource, in target: [UInt8], _ ownPaths: [[UInt8]], _ options: RestoreOptions
    ) throws {
        guard options.deletes, let local = wanted.store.storage.base.local, let root = FolderOperations.realPath(target) else { return }
        let slash = UInt8(ascii: "/")
        let top = root == [slash] ? root : root + [slash]
        for key in [wanted.key, wanted.store.companionKey(of: wanted.key)] {
            let given = local.root + [slash] + key.bytes
            let folder = FolderOperations.realPath(Array(given[..<(given.lastIndex(of: slash) ?? 0)]))
            let inFolder = folder.map { $0 + given[(given.lastIndex(of: slash) ?? 0)...] }
            for place in [inFolder, FolderOperations.realPath(given)].compactMap({ $0 }) where place.starts(with: top) {
                let name = Array(place.dropFirst(top.count))
                let isOwn = ownPaths.contains { name.starts(with: $0 + [slash]) }
                if isOwn || !options.nameFilter.accepts(name, isFolder: false) { continue }
                throw SnapcatError(
                    .usage, "Not restored", TerminalText.lossy(target),
                    reason: "the snapshot's own file '\(TerminalText.lossy(place))' lies there and would be deleted",
                    advice: "copy it elsewhere, or give the repository that it is in by --repo")
            }
        }
    }

    private func refuseDangerous(_ target: [UInt8], isEmpty: Bool, files: Int64, _ options: RestoreOptions) throws {
        guard !options.isForced else { return }
        let resolved = FolderOperations.realPath(target) ?? target
        let home = FolderOperations.realPath(Array(NSHomeDirectory().utf8))
        if options.deletes && (resolved == [UInt8(ascii: "/")] || resolved == home) {
            throw SnapcatError(
                .usage, "Not restored to", TerminalText.lossy(resolved),
                reason: "everything there that the snapshot does not have would be deleted",
                advice: "give --no-delete, or --force if that is meant")
        }
        if files == 0 && !isEmpty && options.deletes {
            throw SnapcatError(
                .usage, "Not restored", TerminalText.lossy(target), reason: "the snapshot has no files",
                advice: "give --force if the target is to be emptied")
        }
    }

    private static func isMissingOrEmpty(_ target: [UInt8]) throws -> Bool {
        do throws(Errno) {
            let folder = try Descriptor.open(target, [.read, .folder])
            do { return try FolderListing.items(in: folder).isEmpty } catch let error as Errno { throw error } catch { return false }
        } catch {
            if error == .noSuchFileOrDirectory { return true }
            throw SnapcatError.system("Cannot open the target", target, error)
        }
    }

    /// A snapshot of the target, or a survey of it where none is to be taken.
    private func stateOfTarget(
        _ target: [UInt8], isEmpty: Bool, _ options: RestoreOptions, _ monitor: Monitor,
        _ summary: inout RestoreSummary
    ) throws -> TargetState? {
        let saves = !options.isDryRun && (options.savesSnapshotBefore ?? !isEmpty)
        if saves && Self.exists(target) {
            let made = try safetySnapshot(target, note: "before restore", isAllOrNothing: true, options, monitor)
            summary.snapshotBefore = made.path
            guard let name = made.snapshot else { throw SnapcatError(.failed, "The safety snapshot was not written") }
            return TargetState(place: (snapshots, StorageKey(name.key)), leftovers: made.leftovers, problems: 0, unread: [], folder: nil)
        }
        if isEmpty { return nil }
        var scan = ScanOptions()
        scan.obeysIgnoreFiles = false
        return try survey(
            target, parallelism: options.parallelism, scan: scan, rehashesAll: options.rehashesAll, usesCatalog: !options.isDryRun, monitor)
    }

    private static func exists(_ target: [UInt8]) -> Bool { FolderOperations.realPath(target) != nil }

    private func safetySnapshot(
        _ target: [UInt8], note: String, isAllOrNothing: Bool, _ options: RestoreOptions, _ monitor: Monitor
    ) throws -> MakeSummary {
        // The lock of a restore leaves that to who writes to the repository.
        try snapshots.storage.base.local?.removeTemporaryFiles()
        var make = MakeOptions()
        make.allowsEmpty = true
        make.savesAllOrNothing = isAllOrNothing
        make.compression = options.compression
        make.note = note
        make.parallelism = options.parallelism
        make.rehashesAll = options.rehashesAll
        // What may be overwritten or deleted is saved, also where snapshots leave it out.
        make.scan.obeysIgnoreFiles = false
        return try makeBlocking(target, options: make, monitor: monitor, isLocked: true)
    }

    /// Hashes the target without storing anything: into a snapshot file of its own, removed at the end.
    func survey(
        _ target: [UInt8], parallelism: Int, scan: ScanOptions = ScanOptions(), rehashesAll: Bool = false, usesCatalog: Bool = true,
        _ monitor: Monitor
    ) throws -> TargetState {
        let folder = try TemporaryPlace.makeFolder()
        let store = SnapshotStore(BlockingStorage(LocalStorage(root: Array(folder.path.utf8))))
        do {
            let found = try LiveSurvey(self, fileRoot: target, store: store, monitor: monitor).run(
                parallelism: parallelism, scan: scan, rehashesAll: rehashesAll, usesCatalog: usesCatalog)
            return TargetState(place: (store, found.key), leftovers: found.leftovers, problems: found.problems, unread: found.unread, folder: folder)
        } catch {
            TargetState.remove(folder)
            throw error
        }
    }

    func openTarget(_ target: [UInt8]) throws -> Descriptor {
        try withSystemError("Cannot make the target", target) { () throws(Errno) in try FolderOperations.makeFolders(target) }
        return try withSystemError("Cannot open the target", target) { () throws(Errno) in
            try Descriptor.open(target, [.read, .folder])
        }
    }

    private func wantsSnapshotAfter(_ target: [UInt8], tookBefore: Bool, _ options: RestoreOptions) throws -> Bool {
        if let wanted = options.savesSnapshotAfter { return wanted }
        guard tookBefore else { return false }
        // A rescue elsewhere does not disturb the history.
        let all = try catalog(.silent).read { try CatalogSnapshots.all($0) }
        let before = all.filter { !$0.isDamaged }.dropLast().last
        return before?.fileRoot == FolderOperations.realPath(target) || before?.fileRoot == nil
    }
}

/// The state of a restore's target, as a snapshot.
struct TargetState {
    let place: (store: SnapshotStore, key: StorageKey)
    /// Temporary files of killed restores, which no snapshot has.
    let leftovers: [[UInt8]]
    /// Files and folders that could not be read, or changed all the time.
    let problems: Int64
    /// The names of those that could not be read; nil where they are too many.
    let unread: Set<[UInt8]>?
    /// To be removed at the end.
    let folder: URL?

    /// It, or a folder above it.
    func couldNotRead(_ name: [UInt8]) -> Bool {
        guard let unread else { return true }
        return !unread.isEmpty && (unread.contains(name) || RestorePlan.isBelow(name, unread))
    }

    func remove() { if let folder { Self.remove(folder) } }

    fileprivate static func remove(_ folder: URL) {
        // It lies in the temporary folder: the system removes what this cannot.
        do { try FileManager.default.removeItem(at: folder) } catch {}
    }
}

extension RestoreAction {
    init(leftover name: [UInt8]) {
        self.init(kind: .delete, name: EntryName(name), type: "file", reason: "left by a killed restore")
    }

    init?(_ step: RestorePlan.Step) {
        let kind: Kind
        var reason = step.current == nil ? "missing" : "different"
        switch step.kind {
        case .keep, .unread: return nil
        case .write: kind = .write
        case .link: kind = .link
        case .makeFolder: kind = step.current == nil || step.removesFirst ? .makeFolder : .setMetadata
        case .setMetadata: kind = .setMetadata
        case .delete: kind = .delete
        case .skip(let objection): (kind, reason) = (.skip, objection)
        }
        if step.isOfAnotherType { reason = "another type" }
        if case .delete = step.kind { reason = "not in the snapshot" }
        if kind == .setMetadata { reason = "mode, owner or time" }
        self.init(
            kind: kind, name: EntryName(step.name), type: step.wanted?.type ?? step.current?.type ?? "",
            size: kind == .write ? step.wanted?.size : nil, reason: reason)
    }
}
