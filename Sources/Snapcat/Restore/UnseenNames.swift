import SnapcatFormat
import SnapcatHeap
import SnapcatPlatform
import SystemPackage

/// Which names of a restore's target its snapshot was told not to see, or could not read: they are missing there, and yet
/// not to be deleted.
///
/// The snapshot's own rules count, with the ignore files that it has; of a folder where it has none the target's counts,
/// which may have left out itself. Where the companion is damaged or lost nobody knows what was left out: then no name
/// counts as seen. A copy serves one pass over the target's names.
struct UnseenNames {
    private let exclusions: Exclusions
    private let target: [UInt8]
    /// Of the folders that have an ignore file in the snapshot; the root is the empty name.
    private var rules: [[UInt8]: IgnoreRules] = [:]
    private let isEmpty: Bool
    /// Files and folders that could not be read, and folders that were not entered.
    private let closed: Set<[UInt8]>
    private let isUnknown: Bool
    private var caches: [[UInt8]: Bool] = [:]
    /// Of all copies.
    private let unreadRules: UnreadRules

    /// Folders whose ignore file could not be read, each told once: names stay there that may have had to go.
    private final class UnreadRules {
        private let report: (SnapcatError) -> Void
        private(set) var folders: Set<[UInt8]> = []

        init(_ report: @escaping (SnapcatError) -> Void) { self.report = report }

        func add(_ folder: [UInt8], _ error: SnapcatError) {
            if folders.insert(folder).inserted { report(error) }
        }
    }

    /// So many folders keep all that the snapshot does not have, as their ignore files could not be read.
    var unreadRulesCount: Int64 { Int64(unreadRules.folders.count) }

    /// Every name was seen.
    static var none: UnseenNames { UnseenNames() }

    private init() {
        exclusions = Exclusions()
        target = []
        isEmpty = true
        closed = []
        isUnknown = false
        unreadRules = UnreadRules { _ in }
    }

    /// An ignore file that cannot be read might name anything: all in its folder is left alone. `state`: the target's.
    init(
        _ source: RestoreSource, in target: [UInt8], _ state: TargetState?, heap: Heap?, report: @escaping (SnapcatError) -> Void
    ) throws {
        exclusions = source.exclusions
        unreadRules = UnreadRules(report)
        self.target = target
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
            } catch let error as SnapcatError { unreadRules.add(file.folder, error) } catch {
                unreadRules.add(file.folder, SnapcatError(.failed, "Cannot read the ignore file of", TerminalText.lossy(file.folder)))
            }
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
    mutating func contains(_ name: [UInt8], _ item: SideItem) -> Bool {
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

    private mutating func isExcluded(_ name: [UInt8], isFolder: Bool) -> Bool {
        let rules = ruling(over: Self.parent(name))
        return name.withUnsafeBytes { rules.excludes($0, isFolder: isFolder) }
    }

    /// Of the root the empty name.
    private static func parent(_ name: [UInt8]) -> [UInt8] {
        name.lastIndex(of: UInt8(ascii: "/")).map { Array(name[..<$0]) } ?? []
    }

    /// The rules of a folder: those of the ones above it, and its own.
    private mutating func ruling(over folder: [UInt8]) -> IgnoreRules {
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
    private mutating func addOwnRules(of folder: [UInt8], to above: IgnoreRules) {
        rules[folder] = above
        guard exclusions.obeysIgnoreFiles else { return }
        var contents = Array("*".utf8)
        do {
            contents = try TreeWalk.ignoreFile(in: try Descriptor.open(target + [UInt8(ascii: "/")] + folder, [.read, .folder]))
        } catch let error as Errno {
            if error == .noSuchFileOrDirectory || error == .notDirectory { return }
            // It might name anything.
            unreadRules.add(folder, .system("Cannot read the ignore file of", folder.isEmpty ? target : folder, error))
        } catch {
            unreadRules.add(folder, SnapcatError(.failed, "Cannot read the ignore file of", TerminalText.lossy(folder)))
        }
        if contents.isEmpty { return }
        let own = above.adding(fileContents: contents, inFolder: folder)
        let name = (folder.isEmpty ? [] : folder + [UInt8(ascii: "/")]) + ScanOptions.ignoreFileName
        let isTooLarge = exclusions.largestFileBytes.map { contents.count > $0 } ?? false
        if isTooLarge || isClosed(name) || name.withUnsafeBytes({ own.excludes($0, isFolder: false) }) { rules[folder] = own }
    }

    /// Of a folder of the target; one that cannot be looked at is left alone.
    private mutating func isCache(_ folder: [UInt8]) -> Bool {
        if let known = caches[folder] { return known }
        let result: Bool
        do {
            let opened = try Descriptor.open(target + [UInt8(ascii: "/")] + folder, [.read, .folder])
            result = try TreeWalk.isCache(opened)
        } catch let error as Errno {
            result = error != .noSuchFileOrDirectory && error != .notDirectory
        } catch { result = true }
        caches[folder] = result
        return result
    }
}
