import SnapcatFormat
import SnapcatPlatform
import SnapcatStorage

/// The snapshot that a restore writes, read to its end before anything depends on it.
struct RestoreSource {
    let store: SnapshotStore
    let key: StorageKey
    /// The snapshot knows its folders and links: those that it does not have may go.
    let knowsNodes: Bool
    let isSorted: Bool
    /// Its entries, restored or not.
    let files: Int64
    let exclusions: Exclusions
    /// Files and folders that could not be read when it was made.
    let unreadable: Set<[UInt8]>
    /// False where that cannot be told: its companion is damaged or lost, or has no room for all names.
    let knowsWhatItLeftOut: Bool
    /// Those that counted when the snapshot was made.
    let ignoreFiles: [(folder: [UInt8], md5: MD5Digest)]
    /// Names to be restored that some file system takes for one.
    let twins: [NameTwins.Pair]

    /// Throws `.damage` for a snapshot that cannot be read, `.notFound` where nothing of it is in the wanted folder. A
    /// damaged companion costs the folders and links only: it is told, and left out.
    init(_ store: SnapshotStore, _ key: StorageKey, _ options: RestoreOptions, _ monitor: Monitor) throws {
        self.store = store
        self.key = key
        let companion = try store.usableCompanion(of: key, monitor.problem)
        knowsNodes = companion != nil
        exclusions = companion?.facts.exclusions ?? Exclusions()
        var scan = Scan(options)
        // Almost all are in order: that they are is seen while they are read for the rest.
        isSorted = try scan.read(SnapshotSide.open(store, key, usesNodes: knowsNodes, isSorted: true), exclusions, monitor)
        if !isSorted {
            scan = Scan(options)
            _ = try scan.read(SnapshotSide.open(store, key, usesNodes: knowsNodes, isSorted: false), exclusions, monitor)
        }
        // A slash at its end tells a folder that could be opened and not listed.
        unreadable = Set((companion?.facts.errors ?? []).map(\.name.bytes).map { $0.last == UInt8(ascii: "/") ? $0.dropLast() : $0 })
        let isDamaged = try companion == nil && store.storage.isOccupied(store.companionKey(of: key))
        let isLost = companion == nil && (scan.isOfSnapcat || isDamaged)
        if isLost && !isDamaged {
            monitor.note("the snapshot has no companion: its links, its empty folders and what folders had are not restored")
        }
        knowsWhatItLeftOut = !isLost && companion?.facts.omittedProblems ?? 0 == 0
        guard scan.isFound else {
            throw SnapcatError(
                .notFound, "No such folder or file", TerminalText.lossy(options.folder),
                reason: "the snapshot does not have it")
        }
        files = scan.files
        ignoreFiles = scan.ignoreFiles
        // Names that are refused meet nobody.
        twins = scan.twins.pairs.filter {
            EntryName($0.folder + $0.left).restoreObjection == nil && EntryName($0.folder + $0.right).restoreObjection == nil
        }
    }

    /// One pass over the snapshot, to its end.
    private struct Scan {
        private let inFolder: NameFilter
        private let planned: NameFilter
        var isFound: Bool
        var files: Int64 = 0
        /// Its lines have what only snapcat writes, which always writes a companion.
        var isOfSnapcat = false
        var twins = NameTwins()
        var ignoreFiles: [(folder: [UInt8], md5: MD5Digest)] = []

        init(_ options: RestoreOptions) {
            inFolder = NameFilter(prefix: options.folder)
            planned = options.nameFilter
            isFound = options.folder.isEmpty
        }

        /// False where the lines are not in order: then it has ended early.
        mutating func read(_ side: SnapshotSide, _ exclusions: Exclusions, _ monitor: Monitor) throws -> Bool {
            try side.advance()
            while !side.isAtEnd {
                try monitor.cancellation.check()
                if !side.isOrdered { return false }
                if !side.isNode {
                    if files == 0 { isOfSnapcat = try side.fields().has(.mtimeNs) }
                    files += 1
                }
                if exclusions.obeysIgnoreFiles, let file = try RestoreSource.ignoreFile(side) { ignoreFiles.append(file) }
                if !isFound && inFolder.accepts(side.name, isFolder: side.isFolder) { isFound = true }
                if RestoreSource.isRestored(side), planned.accepts(side.name, isFolder: side.isFolder) { twins.add(side.name) }
                try side.advance()
            }
            return side.isOrdered
        }
    }

    private static func ignoreFile(_ side: SnapshotSide) throws -> (folder: [UInt8], md5: MD5Digest)? {
        let file = ScanOptions.ignoreFileName
        guard !side.isNode, side.name.suffix(file.count).elementsEqual(file), let md5 = try side.fields().md5 else { return nil }
        let folder = side.name.dropLast(file.count)
        guard folder.isEmpty || folder.last == UInt8(ascii: "/") else { return nil }
        return (Array(folder.dropLast()), md5)
    }

    private static func isRestored(_ side: SnapshotSide) -> Bool {
        guard let node = side.currentNode else { return true }
        return node.name != Node.rootName && (node.kind == .directory || node.kind == .link)
    }

    /// Throws where names to be restored would be one file in the target: nothing has been written then.
    ///
    /// A dry run, which must not try, only tells. Of a target that is to be made, the folder above it is tried.
    func refuseTwins(in target: [UInt8], _ options: RestoreOptions, _ monitor: Monitor) throws {
        guard let first = twins.first else { return }
        if options.isDryRun {
            monitor.note(
                "\(Self.text(first)) differ by case or Unicode form only (\(twins.count) such pairs): "
                    + "the restore is refused where the target takes them for one")
            return
        }
        let top = target.first == UInt8(ascii: "/") ? UInt8(ascii: "/") : UInt8(ascii: ".")
        let folded = try options.probesNames(twins, FileRoot.existing(target) ?? [top])
        guard let pair = folded.first else { return }
        throw SnapcatError(
            .failed, "Not restored", TerminalText.lossy(target),
            reason: "\(Self.text(pair)) would be one file there (\(folded.count) such pairs)",
            advice: "choose a target that tells case and Unicode forms apart, or leave some out with --exclude")
    }

    private static func text(_ pair: NameTwins.Pair) -> String {
        "'\(TerminalText.lossy(pair.folder + pair.left))' and '\(TerminalText.lossy(pair.folder + pair.right))'"
    }
}
