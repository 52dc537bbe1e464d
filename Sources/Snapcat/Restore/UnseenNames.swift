import SnapcatFormat
import SnapcatHeap
import SnapcatPlatform
import SystemPackage

/// Which names of a restore's target its snapshot was told not to see, or could not read: they are missing there, and yet
/// not to be deleted.
///
/// The snapshot's own rules count, with the ignore files that it has; of a folder where it has none the target's counts,
/// which may have left out itself. Where the companion is damaged or lost nobody knows what was left out: then no name
/// counts as seen. What the target's folders say is asked once, before anything there is changed: it serves all passes.
final class UnseenNames {
    private let exclusions: Exclusions
    private let target: [UInt8]
    /// nil where there is no target yet.
    private let tree: TargetTree?
    /// Of the folders that have an ignore file in the snapshot; the root is the empty name.
    private var rules: [[UInt8]: IgnoreRules] = [:]
    private let isEmpty: Bool
    /// Files and folders that could not be read, and folders that were not entered.
    private let closed: Set<[UInt8]>
    private let isUnknown: Bool
    private var caches: [[UInt8]: Bool] = [:]
    /// Folders whose ignore file could not be read, and that have kept nothing for it so far.
    private var unreadRules: [[UInt8]: SnapcatError] = [:]
    /// So many folders keep what the snapshot does not have, as their ignore files could not be read.
    private(set) var unreadRuleCount: Int64 = 0
    private let report: (SnapcatError) -> Void

    /// Every name was seen.
    static var none: UnseenNames { UnseenNames() }

    private init() {
        exclusions = Exclusions()
        target = []
        tree = nil
        isEmpty = true
        closed = []
        isUnknown = false
        report = { _ in }
    }

    /// An ignore file that cannot be read might name anything: all in its folder is left alone. `state`: the target's.
    init(
        _ source: RestoreSource, in target: [UInt8], _ state: TargetState?, heap: Heap?, report: @escaping (SnapcatError) -> Void
    ) throws {
        exclusions = source.exclusions
        self.report = report
        self.target = target
        tree = try state.map { _ in
            TargetTree(try withSystemError("Cannot open the target", target) { () throws(Errno) in
                try Descriptor.open(target, [.read, .folder])
            })
        }
        var closed = source.unreadable
        if exclusions.staysOnOneFileSystem {
            // Of both: what was mounted then may be a plain folder now.
            for place in [(source.store, source.key), state.map { ($0.place.store, $0.place.key) }].compactMap({ $0 }) {
                closed.formUnion(try Self.mountPoints(place))
            }
        }
        self.closed = closed
        isUnknown = !source.knowsWhatItLeftOut
        isEmpty = exclusions == Exclusions() && closed.isEmpty && !isUnknown
        rules[[]] = IgnoreRules.none.adding(patterns: exclusions.patterns, source: "the snapshot")
        if !source.ignoreFiles.contains(where: { $0.folder.isEmpty }) { addOwnRules(of: [], to: rules[[]] ?? .none) }
        // In the order of names the file of a folder comes before those below it.
        for file in source.ignoreFiles.sorted(by: { $0.folder.count < $1.folder.count }) {
            var contents = Array("*".utf8)
            do {
                if let heap { contents = try heap.open(file.md5).readAll(limit: 1 << 20) }
            } catch { noteUnread(file.folder, error) }
            let above = file.folder.isEmpty ? rules[[]] ?? .none : ruling(over: Self.parent(file.folder))
            rules[file.folder] = above.adding(fileContents: contents, inFolder: file.folder)
        }
    }

    private static func mountPoints(_ place: (store: SnapshotStore, key: StorageKey)) throws -> Set<[UInt8]> {
        guard let companion = try place.store.usableCompanion(of: place.key, { _ in }) else { return [] }
        var result: Set<[UInt8]> = []
        while let node = try companion.nextNode() {
            if node.device != nil { result.insert(node.name.bytes) }
        }
        return result
    }

    /// Whether the snapshot, which does not have this name of the target, was told not to see it, or could not.
    func contains(_ name: [UInt8], _ item: SideItem) -> Bool {
        guard isUnseen(name, item) else { return false }
        if !unreadRules.isEmpty { tellUnreadRules(above: name) }
        return true
    }

    private func isUnseen(_ name: [UInt8], _ item: SideItem) -> Bool {
        if isEmpty || name == Node.rootName.bytes { return false }
        if isUnknown || isClosed(name) { return true }
        if let largest = exclusions.largestFileBytes, item.type == "file", (item.size ?? 0) > largest { return true }
        for slash in name.indices where name[slash] == UInt8(ascii: "/") {
            let folder = Array(name[..<slash])
            if isExcluded(folder, isFolder: true) || exclusions.excludesCaches && isCache(folder) { return true }
        }
        return isExcluded(name, isFolder: item.type == "directory")
    }

    /// It, or a folder above it.
    private func isClosed(_ name: [UInt8]) -> Bool {
        if closed.isEmpty { return false }
        if closed.contains(name) { return true }
        return RestorePlan.isBelow(name, closed)
    }

    private func isExcluded(_ name: [UInt8], isFolder: Bool) -> Bool {
        let rules = ruling(over: Self.parent(name))
        return name.withUnsafeBytes { rules.excludes($0, isFolder: isFolder) }
    }

    /// Of the root the empty name.
    private static func parent(_ name: [UInt8]) -> [UInt8] {
        name.lastIndex(of: UInt8(ascii: "/")).map { Array(name[..<$0]) } ?? []
    }

    /// The rules of a folder: those of the ones above it, and its own.
    private func ruling(over folder: [UInt8]) -> IgnoreRules {
        var unknown: [[UInt8]] = []
        var folder = folder
        while rules[folder] == nil {
            unknown.append(folder)
            folder = Self.parent(folder)
        }
        for below in unknown.reversed() {
            addOwnRules(of: below, to: rules[folder] ?? .none)
            folder = below
        }
        return rules[folder] ?? .none
    }

    /// Of the target's ignore file, where the snapshot has none: it counted if it has left out itself.
    private func addOwnRules(of folder: [UInt8], to above: IgnoreRules) {
        rules[folder] = above
        guard exclusions.obeysIgnoreFiles, let tree else { return }
        var contents = Array("*".utf8)
        do {
            contents = try TreeWalk.ignoreFile(in: tree.folder(folder[...], creates: false, replaces: false))
        } catch {
            if (error as? Errno)?.meansNoFolder == true { return }
            // It might name anything.
            noteUnread(folder, error)
        }
        if contents.isEmpty { return }
        let own = above.adding(fileContents: contents, inFolder: folder)
        let name = (folder.isEmpty ? [] : folder + [UInt8(ascii: "/")]) + ScanOptions.ignoreFileName
        // No more of it is read than counts: how large it is is not known then.
        let isTooLarge = exclusions.largestFileBytes.map { contents.count > $0 || contents.count == TreeWalk.mostRuleBytes } ?? false
        if isTooLarge || isClosed(name) || name.withUnsafeBytes({ own.excludes($0, isFolder: false) }) { rules[folder] = own }
    }

    private func noteUnread(_ folder: [UInt8], _ error: any Error) {
        let (what, name) = ("Cannot read the ignore file of", folder.isEmpty ? target : folder)
        switch error {
        case let error as SnapcatError: unreadRules[folder] = error
        case let error as Errno: unreadRules[folder] = .system(what, name, error)
        default: unreadRules[folder] = SnapcatError(.failed, what, TerminalText.lossy(name), reason: "\(error)")
        }
    }

    /// Where they keep nothing they are nobody's trouble.
    private func tellUnreadRules(above name: [UInt8]) {
        for folder in [[]] + name.indices.filter({ name[$0] == UInt8(ascii: "/") }).map({ Array(name[..<$0]) }) {
            guard let error = unreadRules.removeValue(forKey: folder) else { continue }
            unreadRuleCount += 1
            report(error)
        }
    }

    /// Of a folder of the target; one that cannot be looked at is left alone.
    private func isCache(_ folder: [UInt8]) -> Bool {
        if let known = caches[folder] { return known }
        guard let tree else { return false }
        let result: Bool
        // A tag that is a link is none.
        do { result = try TreeWalk.isCache(tree.folder(folder[...], creates: false, replaces: false)) } catch {
            result = (error as? Errno)?.meansNoFolder != true
        }
        caches[folder] = result
        return result
    }
}
