import SnapcatFormat
import SnapcatPlatform
import SystemPackage

/// The first pass of a restore: what has to go.
struct RestoreRemoval {
    private(set) var deleted: Int64 = 0
    private(set) var failed: Int64 = 0
    /// What stays as it could not be read.
    private(set) var unread: Int64 = 0
    private let plan: RestorePlan
    private let tree: TargetTree
    private let monitor: Monitor

    init(_ plan: RestorePlan, root: Descriptor, widening widened: WidenedFolders, monitor: Monitor) {
        self.plan = plan
        self.monitor = monitor
        tree = TargetTree(root, widening: widened)
    }

    mutating func run() throws {
        sweepLeftovers()
        try removePass()
    }

    /// Temporary files of killed restores go first: a folder that holds one could not be removed.
    private mutating func sweepLeftovers() {
        if plan.leftovers.isEmpty { return }
        for name in plan.leftovers { remove(name, .anything) }
        monitor.note("\(plan.leftovers.count) temporary files of a killed restore are removed")
    }

    private mutating func removePass() throws {
        if plan.current == nil { return }
        var emptied: [[UInt8]] = []
        var kept = 0
        var cleared: Set<[UInt8]> = []
        try plan.forEach { step in
            var isDeletion = false
            switch step.kind {
            case .keep where step.wanted == nil: kept += 1
            case .unread where cleared.contains(step.name): break
            case .unread:
                unread += 1
                monitor.problem(RestorePlan.unreadProblem(step.name))
            case .delete: isDeletion = true
            case .makeFolder where step.isUnread: if removeUnread(step.name) { cleared.insert(step.name) }
            default: break
            }
            guard isDeletion || step.removesFirst, let current = step.current else { return }
            try monitor.cancellation.check()
            if current.type == "directory" { emptied.append(step.name) } else { remove(step.name, Occupant(current)) }
        }
        tree.close()
        if kept > 0 { monitor.note(RestorePlan.keptNote(kept)) }
        // Deepest first: names below a folder sort after it.
        for name in emptied.reversed() { removeFolder(name) }
    }

    private mutating func remove(_ name: [UInt8], _ occupant: Occupant) {
        do {
            let place = try tree.place(name, creates: false, replaces: false)
            guard let status = try Descriptor.statusIfPresent(place.name, in: place.folder.raw) else { return }
            try occupant.check(status, name)
            try FolderOperations.removeFile(place.name, in: place.folder.raw)
            deleted += 1
        } catch {
            if error as? Errno == .noSuchFileOrDirectory { return }
            failed += 1
            monitor.problem(SnapcatError.restoring("Cannot delete", name, error))
        }
    }

    /// What could not be read, and is no folder, in a folder's place. False where it is one, or cannot be looked at: that is
    /// told when the folder is made.
    private mutating func removeUnread(_ name: [UInt8]) -> Bool {
        guard plan.options.replacesObstacles, plan.current?.unread?.contains(name) == true else { return false }
        do throws(Errno) {
            let place = try tree.place(name, creates: false, replaces: false)
            guard let kind = try Descriptor.statusIfPresent(place.name, in: place.folder.raw)?.kind, kind != .directory else { return false }
        } catch { return false }
        remove(name, .anything)
        return true
    }

    private mutating func removeFolder(_ name: [UInt8]) {
        do throws(Errno) {
            let place = try tree.place(name, creates: false, replaces: false)
            try FolderOperations.removeFolder(place.name, in: place.folder.raw)
            deleted += 1
        } catch {
            // What was excluded, or came meanwhile, is not ours to delete.
            if error == .noSuchFileOrDirectory || error == .directoryNotEmpty { return }
            failed += 1
            monitor.problem(.system("Cannot delete the folder", name, error))
        }
        tree.close()
    }
}

extension SnapcatError {
    /// What a restore could not do with a name.
    static func restoring(_ what: String, _ name: [UInt8], _ error: any Error) -> SnapcatError {
        if let error = error as? SnapcatError { return error }
        if let error = error as? Errno { return .system(what, name, error) }
        return SnapcatError(.failed, what, TerminalText.lossy(name), reason: "\(error)")
    }
}
