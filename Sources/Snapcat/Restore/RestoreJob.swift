import Foundation
import SnapcatFormat
import SnapcatHeap
import SnapcatPlatform
import SnapcatStorage
import SystemPackage

/// Carries out a plan: removes what is in the way, writes files on several threads, then links, then folders.
struct RestoreJob {
    let plan: RestorePlan
    let heap: Heap
    let root: Descriptor
    let options: RestoreOptions
    let monitor: Monitor
    private let user: RestoreUser
    private(set) var summary = RestoreSummary()

    private struct Link { var name: [UInt8]; var target: [UInt8]; var item: SideItem; var occupant: Occupant }
    private struct Folder { var name: [UInt8]; var item: SideItem?; var mode: UInt32? }
    private var hardLinks: HardLinks
    private var pendingLinks: [Link] = []
    private var folders: [Folder] = []
    private let widened = WidenedFolders()

    init(_ plan: RestorePlan, heap: Heap, root: Descriptor, monitor: Monitor) throws {
        self.plan = plan
        self.heap = heap
        self.root = root
        self.monitor = monitor
        options = plan.options
        user = RestoreUser(plan.options)
        hardLinks = try Self.hardLinks(plan)
    }

    private static func hardLinks(_ plan: RestorePlan) throws -> HardLinks {
        guard plan.wanted.knowsNodes, let companion = try plan.wanted.store.companion(of: plan.wanted.key) else {
            return HardLinks(rootDevice: nil, devices: [])
        }
        var devices: [(folder: [UInt8], device: Int64)] = []
        while let node = try companion.nextNode() {
            if let device = node.device { devices.append((node.name.bytes, device)) }
        }
        return HardLinks(rootDevice: companion.facts.device, devices: devices)
    }

    mutating func run() throws -> RestoreSummary {
        _ = try attempt("Cannot make the target writable", Node.rootName.bytes) { try widened.widen(root, Node.rootName.bytes) }
        var removal = RestoreRemoval(plan, root: root, widening: widened, monitor: monitor)
        try removal.run()
        (summary.deleted, summary.failed, summary.unread) = (removal.deleted, removal.failed, removal.unread)
        try writePass()
        try makeHardLinks()
        try setFolders()
        return summary
    }

    // MARK: What has to come

    private mutating func writePass() throws {
        let writers = RestoreWriters(heap: heap, root: root, widening: widened, options: options, monitor: monitor)
        let tree = TargetTree(root, widening: widened)
        do {
            try plan.forEach { step in
                try monitor.cancellation.check()
                try take(step, writers, tree)
            }
        } catch {
            writers.stop()
            do { _ = try writers.finish() } catch let cause {
                // The first error counts: theirs, where they have stopped.
                if error is RestoreWriters.Stopped { throw cause }
            }
            throw error
        }
        let written = try writers.finish()
        summary.writtenFiles += written.files
        summary.writtenBytes += written.bytes
        summary.damaged += written.damaged
        summary.failed += written.failed
    }

    private mutating func take(_ step: RestorePlan.Step, _ writers: RestoreWriters, _ tree: TargetTree) throws {
        guard let wanted = step.wanted else { return }
        switch step.kind {
        case .skip(let reason):
            summary.damaged += 1
            monitor.problem(
                SnapcatError(.damage, "Not restored", TerminalText.lossy(step.name), reason: reason))
            return
        case .delete, .unread: return
        case .keep, .write, .link, .makeFolder, .setMetadata: break
        }
        // Only names that are to hold this very content: a file that a policy keeps stays what it is.
        let isWritten = if case .write = step.kind { true } else { false }
        let holdsContent = isWritten || step.current?.md5 == wanted.md5
        var step = step
        if wanted.type == "file", holdsContent {
            let mayChange = isWritten || options.overwrite == .always
            switch hardLinks.role(of: step.name, wanted, current: isWritten ? nil : step.current) {
            case .first(isTaken: true) where mayChange, .alone(isTaken: true) where mayChange: step.kind = .write
            case .next(let first) where mayChange:
                pendingLinks.append(Link(name: step.name, target: first, item: wanted, occupant: step.occupant))
                return
            case .alone, .first, .next, .linked: break
            }
        }
        switch step.kind {
        case .write: try writers.write(step.name, wanted, over: step.occupant)
        case .link: try makeLink(step, wanted, tree)
        case .makeFolder:
            if try makeFolder(step.name, tree, isNew: step.current == nil || step.removesFirst) { remember(step, wanted) }
        case .setMetadata: try setMetadata(step, wanted, tree)
        case .keep:
            summary.unchanged += 1
            if wanted.type == "directory", step.current?.type == "directory" { remember(step, wanted) }
        case .delete, .skip, .unread: break
        }
        monitor.progress.add(files: 1)
    }

    /// Modes and times of folders are set at the end. What exists and is to stay gets back what it has: writing in it moves
    /// its time.
    private mutating func remember(_ step: RestorePlan.Step, _ wanted: SideItem) {
        let item = options.overwrite == .never ? step.current ?? wanted : wanted
        if item.type == "directory" { folders.append(Folder(name: step.name, item: item)) }
    }

    private mutating func makeLink(_ step: RestorePlan.Step, _ item: SideItem, _ tree: TargetTree) throws {
        let isDone = try attempt("Cannot make the link", step.name) {
            let place = try tree.place(step.name, creates: true, replaces: false)
            let temporary = LocalSink.temporaryName()
            try FolderOperations.makeSymbolicLink(temporary, in: place.folder.raw, destination: item.destination ?? [])
            do {
                try TargetMetadata(item).apply(toLink: temporary, in: place.folder, by: user)
                try place.publish(temporary, as: step.name, over: step.occupant)
            } catch {
                try FolderOperations.removeFile(temporary, in: place.folder.raw)
                throw error
            }
        }
        count(isDone, \.links)
    }

    private mutating func makeFolder(_ name: [UInt8], _ tree: TargetTree, isNew: Bool) throws -> Bool {
        if name == Node.rootName.bytes { return true }
        let isDone = try attempt("Cannot make the folder", name) {
            _ = try tree.folder(name[...], creates: true, replaces: false)
        }
        count(isDone, isNew ? \.folders : \.metadata)
        return isDone
    }

    private mutating func setMetadata(_ step: RestorePlan.Step, _ item: SideItem, _ tree: TargetTree) throws {
        let isDone = try attempt("Cannot set mode and time of", step.name) {
            let place = try tree.place(step.name, creates: false, replaces: false)
            let status = try Descriptor.statusIfPresent(place.name, in: place.folder.raw)
            // Another name of the same file may have got them already.
            if !Occupant(item).matches(status) { try step.occupant.check(status, step.name) }
            if item.type == "link" {
                try TargetMetadata(item).apply(toLink: place.name, in: place.folder, by: user)
                return
            }
            let file = try Descriptor.open(place.name, in: place.folder.raw, [.read, .noFollow, .nonBlocking])
            try TargetMetadata(item).apply(to: file, by: user)
        }
        count(isDone, \.metadata)
    }

    // MARK: After the files

    private mutating func makeHardLinks() throws {
        let tree = TargetTree(root, widening: widened)
        let restorer = FileRestorer(
            heap, root: root, widening: widened, options: options, cancellation: monitor.cancellation)
        for link in pendingLinks {
            do {
                if try makeHardLink(link, tree) { summary.hardLinks += 1 } else {
                    // The first of them could not be restored, or was changed meanwhile: never a guess.
                    summary.writtenBytes += try restorer.write(link.name, link.item, over: link.occupant)
                    summary.writtenFiles += 1
                }
            } catch {
                var problem = SnapcatError.restoring("Cannot make the hard link", link.name, error)
                // What the target lacks is no object that the heap lacks.
                if error is Errno, problem.code == .notFound { problem.code = .failed }
                if problem.code == .interrupted || RestoreStop(root: root).isMeant(by: problem) { throw problem }
                let isDamage = problem.code == .damage || problem.code == .notFound
                if isDamage { summary.damaged += 1 } else { summary.failed += 1 }
                monitor.problem(problem.costing(link.name))
            }
        }
    }

    /// False where the file that is to be linked to is not what was to be restored there.
    private func makeHardLink(_ link: Link, _ tree: TargetTree) throws -> Bool {
        let target: TargetTree.Place
        // What cannot be reached is not what was to be restored there.
        do throws(Errno) { target = try TargetTree(root).place(link.target, creates: false, replaces: false) } catch { return false }
        guard let status = try Descriptor.statusIfPresent(target.name, in: target.folder.raw),
            status.kind == .regular, status.size == link.item.size,
            status.mtimeNanoseconds == TargetMetadata(link.item).mtimeNanoseconds,
            // Where one could not be written, what stands there may be an older file with the same stamps.
            try summary.damaged + summary.failed == 0 || Self.md5(target.name, in: target.folder) == link.item.md5
        else { return false }
        let place = try tree.place(link.name, creates: true, replaces: false)
        let temporary = LocalSink.temporaryName()
        try FolderOperations.makeHardLink(target.name, in: target.folder.raw, to: temporary, in: place.folder.raw)
        do {
            try place.publish(temporary, as: link.name, over: link.occupant)
            // Where both are the same file already, rename leaves the temporary name.
            if try Descriptor.statusIfPresent(temporary, in: place.folder.raw) != nil {
                try FolderOperations.removeFile(temporary, in: place.folder.raw)
            }
            return true
        } catch {
            try FolderOperations.removeFile(temporary, in: place.folder.raw)
            throw error
        }
    }

    private static func md5(_ name: [UInt8], in folder: Descriptor) throws -> MD5Digest {
        let file = try Descriptor.open(name, in: folder.raw, [.read, .noFollow, .nonBlocking])
        let source = HashingSource(try DescriptorSource(file, size: file.status().size, name: TerminalText.lossy(name)))
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
        defer { buffer.deallocate() }
        while try source.read(into: buffer) > 0 {}
        return source.digest
    }

    /// Modes and times of folders, deepest first: everything done in a folder moves its time. Folders that are no part of
    /// what is restored get back the modes that they had.
    private mutating func setFolders() throws {
        var widened = widened.all
        if !widened.isEmpty { for folder in folders { widened[folder.name] = nil } }
        if !widened.isEmpty {
            folders += widened.map { Folder(name: $0.key, item: nil, mode: $0.value) }
            let root = Node.rootName.bytes
            folders.sort { $1.name != root && ($0.name == root || $0.name.lexicographicallyPrecedes($1.name)) }
        }
        let tree = TargetTree(root)
        for folder in folders.reversed() {
            let isRoot = folder.name == Node.rootName.bytes
            let isDone = try attempt("Cannot set mode and time of the folder", folder.name) {
                let opened: Descriptor
                do throws(Errno) { opened = try tree.folder(isRoot ? [] : folder.name[...], creates: false, replaces: false) } catch {
                    // Made writable to be emptied, and gone.
                    if folder.item == nil, error.meansNoFolder { return }
                    throw error
                }
                if let item = folder.item { try TargetMetadata(item).apply(to: opened, by: user) }
                if let mode = folder.mode { try FolderOperations.setMode(mode, of: opened) }
            }
            if !isDone { summary.failed += 1 }
        }
    }

    /// True where it was done; else the problem is told. Throws where nothing more could be done either.
    private func attempt(_ what: String, _ name: [UInt8], _ body: () throws -> Void) throws -> Bool {
        do {
            try body()
            return true
        } catch {
            let problem = SnapcatError.restoring(what, name, error)
            if RestoreStop(root: root).isMeant(by: problem) { throw problem }
            monitor.problem(problem)
            return false
        }
    }

    private mutating func count(_ isDone: Bool, _ counter: WritableKeyPath<RestoreSummary, Int64>) {
        summary[keyPath: isDone ? counter : \.failed] += 1
    }
}
