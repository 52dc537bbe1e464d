import SnapcatCatalog
import SnapcatFormat
import SnapcatPlatform
import SnapcatStorage

/// Which names are taken out of the history.
public struct PurgeOptions: Sendable {
    /// Files, links, or folders with all below them; relative to the file root.
    public var names: [[UInt8]] = []
    public var compression = GzipLevel.standard
    /// Nothing is written: what would be is told.
    public var isDryRun = false

    public init() {}
}

/// A snapshot that has some of the names.
public struct PurgedSnapshot: Sendable, Equatable {
    public var name: SnapshotName
    public var path: String
    /// Entries that are taken out, and the sum of their sizes.
    public var files: Int64
    public var bytes: Int64
    /// Links, folders and special files.
    public var nodes: Int64
}

public struct PurgeSummary: Sendable, Equatable {
    /// Snapshots that were looked at, and that were written anew.
    public var snapshots: Int64 = 0
    public var changed: Int64 = 0
    public var files: Int64 = 0
    public var nodes: Int64 = 0
    /// Snapshots that could not be read.
    public var damaged: Int64 = 0
    /// Names that no snapshot has, in the order of their bytes.
    public var notFound: [[UInt8]] = []
}

extension Repository {
    /// Writes the history anew without some names, one snapshot after the other, each by one rename; all other lines stay
    /// as they are, byte for byte. The catalog follows, and its file loses the names; where it cannot, and of what else
    /// may still have them or their contents and is for the user to remove, there is a note.
    ///
    /// The old snapshots lie in the trash until gc removes them, and so do the contents that no snapshot names any more.
    /// A snapshot that cannot be read is told to `monitor`, and stays; so is what may be one and is not looked at, as a file
    /// of another name. Throws `.usage` for a name that no snapshot can have (absolute, with `.` or `..`), unless one has it
    /// all the same. Where some of the names are in no snapshot and others are, those are told to `monitor`. Running it
    /// again finishes what was interrupted.
    /// Cost: reads every snapshot once, those of the trash too, and those that change twice; writes the catalog anew.
    public func purge(
        _ options: PurgeOptions, monitor: Monitor = .silent,
        _ tell: @escaping @Sendable (PurgedSnapshot) throws -> Void
    ) async throws -> PurgeSummary {
        try await run("snapcat-purge", monitor) { [self] in
            let names = try PurgedNames(options.names)
            let lock = try options.isDryRun ? nil : lockSnapRoot("purge", monitor)
            defer { withExtendedLifetime(lock) {} }
            let damaged = options.isDryRun ? [:] : damagedCopies(monitor)
            let job = PurgeJob(
                store: snapshots, names: names, options: options, damaged: Set(damaged.keys), clock: clock, monitor: monitor)
            try job.refuseStrangeNames()
            // A mistaken --catalog is refused before anything is written.
            if !options.isDryRun { try withUsableCatalog(monitor) { _ = try catalog(monitor) } }
            let unseen = try job.tellUnseen()
            let trashed = try TrashedNames(snapshots, names, monitor.cancellation)
            trashed.tell(monitor)
            let (summary, contents) = try job.run(tell)
            // What an earlier run has purged is no mistake.
            if summary.changed > 0 { job.tellNotFound(summary.notFound.filter { !trashed.names.contains($0) }, summary) }
            if options.isDryRun { return summary }
            var further = monitor
            // The sync meets some of them again.
            further.problem = { error in if !unseen.contains(error) { monitor.problem(error) } }
            try purgeCatalog(of: names, isChanged: summary.changed > 0, further)
            for copy in contents.flatMap({ damaged[$0] ?? [] }).sorted() {
                monitor.note("'\(copy)' is a damaged copy of a purged content: remove it by hand")
            }
            return summary
        }
    }
}

private struct PurgeJob {
    let store: SnapshotStore
    let names: PurgedNames
    let options: PurgeOptions
    /// Contents that the heap has damaged copies of.
    let damaged: Set<MD5Digest>
    let clock: any WallClock
    let monitor: Monitor

    /// `contents`: those of the damaged ones that the names had.
    func run(_ tell: (PurgedSnapshot) throws -> Void) throws -> (summary: PurgeSummary, contents: Set<MD5Digest>) {
        var summary = PurgeSummary()
        var contents: Set<MD5Digest> = []
        var done: Set<SnapshotName> = []
        var found: Set<[UInt8]> = []
        // Until nothing is new: another program may publish meanwhile.
        while true {
            let items = try store.list().snapshots.filter { !done.contains($0.name) }
            if items.isEmpty {
                summary.notFound = names.sorted.filter { !found.contains($0) }
                return (summary, contents)
            }
            monitor.progress.begin("purging", files: Int64(items.count))
            for item in items {
                try monitor.cancellation.check()
                done.insert(item.name)
                do {
                    let known = try purge(item, &summary, tell)
                    found.formUnion(known.found)
                    contents.formUnion(known.contents)
                } catch let error as SnapcatError where error.code == .damage {
                    summary.damaged += 1
                    monitor.problem(error)
                } catch let error as SnapcatError where error.code == .notFound {
                    // Gone since it was listed: nothing of it is left to be purged.
                    if try !store.isGone(item) { throw error }
                }
                monitor.progress.add(files: 1)
            }
        }
    }

    /// Tells of all that may have the names too and is not looked at, and returns it.
    func tellUnseen() throws -> [SnapcatError] {
        let listing = try store.list()
        var unseen = listing.blocked.map { store.problem(blocked: $0) }
        for (key, reason) in listing.ignored.sorted(by: { $0.key.bytes.lexicographicallyPrecedes($1.key.bytes) }) {
            unseen.append(
                SnapcatError(
                    .failed, "Not purged", store.displayPath(key), reason: "it is no snapshot and was not looked at: \(reason)",
                    advice: "it may have the names: remove it, or move it out of the snap root"))
        }
        for problem in unseen { monitor.problem(problem) }
        return unseen
    }

    /// A user would take a mistyped name for purged where it stands beside others.
    func tellNotFound(_ missing: [[UInt8]], _ summary: PurgeSummary) {
        for name in missing {
            monitor.problem(
                SnapcatError(
                    .failed, "Not purged", TerminalText.lossy(name),
                    reason: summary.damaged > 0 ? "no snapshot that could be read has it" : "no snapshot has it",
                    advice: "see 'snapcat find' for the names; they differ by case, and by Unicode form"))
        }
    }

    /// A name like `./secret` would be found nowhere, and a user would take it for purged. Snapshots of other programs may
    /// have such names: those are looked for first. Cost: only where there are some, each snapshot is read for each.
    func refuseStrangeNames() throws {
        for (name, reason) in names.strange {
            let one = try PurgedNames([name])
            let quiet = Monitor(cancellation: monitor.cancellation)
            let isThere = try store.list().snapshots.contains { item in
                do {
                    let found = try FoundNames(store, item, one, quiet)
                    return found.files > 0 || found.companionChanges
                } catch let error as SnapcatError where error.code == .damage || error.code == .notFound { return false }
            }
            if isThere { continue }
            throw SnapcatError(
                .usage, "Not a name in a snapshot", TerminalText.lossy(name), reason: reason,
                advice: "nothing is purged; name it from the file root, as 'snapcat ls' shows it")
        }
    }

    /// What the snapshot has had of the names.
    private func purge(
        _ item: SnapshotStore.Item, _ summary: inout PurgeSummary, _ tell: (PurgedSnapshot) throws -> Void
    ) throws -> FoundNames {
        summary.snapshots += 1
        let found = try FoundNames(store, item, names, watching: damaged, monitor)
        guard found.files > 0 || found.companionChanges else { return found }
        if !options.isDryRun { try rewrite(item, found) }
        summary.changed += 1
        summary.files += found.files
        summary.nodes += found.nodes
        try tell(
            PurgedSnapshot(
                name: item.name, path: store.displayPath(item.key), files: found.files, bytes: found.bytes, nodes: found.nodes))
        return found
    }

    /// What was there goes to the trash as a second name of the file; then the companion, then the snapshot, each whole.
    private func rewrite(_ item: SnapshotStore.Item, _ found: FoundNames) throws {
        try SnapshotTrash(store: store).keepCopy(
            item, interrupted: found.interrupted, at: SnapshotTime(microseconds: clock.nowNanoseconds / 1000))
        if found.companionChanges {
            try store.storage.write(store.companionKey(of: item.key), .replacing) { sink in
                let lines = try SnapshotWriter(into: sink, level: options.compression)
                try found.forEachCompanionLine { try lines.write(line: $0) }
                try lines.finish()
            }
        }
        guard found.files > 0 else { return }
        try store.storage.write(item.key, .replacing) { sink in
            let lines = try SnapshotWriter(into: sink, level: options.compression)
            let entries = try store.entries(item.key)
            while try entries.advance() {
                try entries.parse()
                if lines.lineCount & 0xffff == 0 { try monitor.cancellation.check() }
                if !names.contains(entries.entryName) { try lines.write(line: entries.line) }
            }
            try lines.finish()
        }
    }
}
