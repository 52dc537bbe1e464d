import SnapcatFormat
import SnapcatHeap
import SnapcatPlatform
import SystemPackage

/// Which names of a restore's target its snapshot was told not to see, or could not read: they are missing there, and yet
/// not to be deleted.
///
/// The snapshot's own rules count, with the ignore files that it has. Where its companion is damaged or lost nobody knows
/// what it left out: then no name counts as seen. A copy serves one pass over the target's names, in their order.
struct UnseenNames {
    private let exclusions: Exclusions
    private let target: [UInt8]
    /// Of the folders that have an ignore file in the snapshot; the root is the empty name.
    private var rules: [[UInt8]: IgnoreRules] = [:]
    private let isEmpty: Bool
    private let unreadable: Set<[UInt8]>
    private let isUnknown: Bool
    private var mountPoint: [UInt8]?
    private var caches: [[UInt8]: Bool] = [:]

    /// Every name was seen.
    static let none = UnseenNames()

    private init() {
        exclusions = Exclusions()
        target = []
        isEmpty = true
        unreadable = []
        isUnknown = false
    }

    /// An ignore file that cannot be read from the heap might name anything: all in its folder is left alone.
    init(_ source: RestoreSource, in target: [UInt8], heap: Heap?, report: (SnapcatError) -> Void) {
        exclusions = source.exclusions
        self.target = target
        unreadable = source.unreadable
        isUnknown = !source.knowsWhatItLeftOut
        let hasNoRules = exclusions == Exclusions() || exclusions.patterns.isEmpty && !exclusions.excludesCaches
            && !exclusions.staysOnOneFileSystem && exclusions.largestFileBytes == nil && source.ignoreFiles.isEmpty
        isEmpty = hasNoRules && unreadable.isEmpty && !isUnknown
        rules[[]] = IgnoreRules.none.adding(patterns: exclusions.patterns, source: "the snapshot")
        // In the order of names the file of a folder comes before those below it.
        for file in source.ignoreFiles.sorted(by: { $0.folder.count < $1.folder.count }) {
            var contents = Array("*".utf8)
            do {
                if let heap { contents = try heap.open(file.md5).readAll(limit: 1 << 20) }
            } catch let error as SnapcatError { report(error) } catch {
                report(SnapcatError(.failed, "Cannot read the ignore file of", TerminalText.lossy(file.folder)))
            }
            rules[file.folder] = ruling(over: file.folder).adding(fileContents: contents, inFolder: file.folder)
        }
    }

    /// Whether the snapshot was told not to see this, or could not. To be asked for every name of the target.
    mutating func contains(_ name: [UInt8], _ item: SideItem) -> Bool {
        if isEmpty || name == Node.rootName.bytes { return false }
        if isUnknown || isUnreadable(name) { return true }
        if exclusions.staysOnOneFileSystem && item.device != nil { mountPoint = name }
        if let mountPoint, name == mountPoint || name.starts(with: mountPoint + [UInt8(ascii: "/")]) { return true }
        if let largest = exclusions.largestFileBytes, item.type == "file", (item.size ?? 0) > largest { return true }
        for slash in name.indices where name[slash] == UInt8(ascii: "/") {
            let folder = Array(name[..<slash])
            if isExcluded(folder, isFolder: true) || exclusions.excludesCaches && isCache(folder) { return true }
        }
        return isExcluded(name, isFolder: item.type == "directory")
    }

    /// It, or a folder above it.
    private func isUnreadable(_ name: [UInt8]) -> Bool {
        if unreadable.isEmpty { return false }
        if unreadable.contains(name) { return true }
        return name.indices.contains { name[$0] == UInt8(ascii: "/") && unreadable.contains(Array(name[..<$0])) }
    }

    private func isExcluded(_ name: [UInt8], isFolder: Bool) -> Bool {
        let above = name.lastIndex(of: UInt8(ascii: "/")).map { Array(name[..<$0]) } ?? []
        return name.withUnsafeBytes { ruling(over: above).excludes($0, isFolder: isFolder) }
    }

    /// The rules of the nearest folder, from this one up, that has any of its own.
    private func ruling(over folder: [UInt8]) -> IgnoreRules {
        var folder = folder
        while true {
            if let found = rules[folder] { return found }
            guard let slash = folder.lastIndex(of: UInt8(ascii: "/")) else { return rules[[]] ?? .none }
            folder = Array(folder[..<slash])
        }
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
