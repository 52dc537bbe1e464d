import SnapcatFormat
import SnapcatPlatform
import SnapcatStorage
import SystemPackage

/// Walks a file root in the order of snapshots, never following a symlink.
///
/// Memory follows the depth of the tree and the width of its folders, not its size. No path strings are built for
/// system calls: each is relative to its open folder.
final class TreeWalk {
    enum Item {
        /// A regular file: `path` is the walk's current path.
        case file(FileStatus, folder: Descriptor, name: ArraySlice<UInt8>)
        case node(Node)
        /// A file or folder that cannot be looked at: it is left out.
        case problem(SnapcatError)
    }

    /// The name of the current item, relative to the root.
    private(set) var path: [UInt8] = []
    /// The device of the file root.
    let device: UInt64
    /// Items that rules left out.
    private(set) var excludedCount: Int64 = 0
    /// Temporary files and links that a killed restore has left: no files of the user's. A folder is never taken for one.
    private(set) var leftovers: [[UInt8]] = []

    private let options: ScanOptions
    private let ownParts: Set<FileIdentity>
    private let rootPath: [UInt8]
    private var frames: [FolderFrame] = []
    private var folders = OpenFolders()
    /// To be told before the next item.
    private var problem: SnapcatError?

    /// `ownParts`: files and folders of the repository, left out where the walk meets them.
    init(root: [UInt8], options: ScanOptions, ownParts: Set<FileIdentity>) throws {
        self.options = options
        self.ownParts = ownParts
        rootPath = root
        let folder = try withSystemError("Cannot open the file root", root) { () throws(Errno) in
            try Descriptor.open(root, [.read, .folder])
        }
        let status = try withSystemError("Cannot look at the file root", root) { () throws(Errno) in try folder.status() }
        device = status.device
        try enter(folder, status, IgnoreRules.none.adding(patterns: options.excludePatterns, source: "command line"))
    }

    /// The next item; nil at the end.
    func next() throws -> Item? {
        while let frame = frames.last {
            if let problem {
                self.problem = nil
                return .problem(problem)
            }
            guard frame.next < frame.items.count else {
                leave()
                continue
            }
            path.removeSubrange(frame.prefixLength...)
            let folder: Descriptor
            do { folder = try folders.deepest(path) } catch {
                leave()
                // Gone since it was listed: as if its files had never been there.
                if error == .noSuchFileOrDirectory { continue }
                if path.last == UInt8(ascii: "/") { path.removeLast() }
                return .problem(.system("Cannot read the rest of", path, error))
            }
            frames[frames.count - 1].next += 1
            let item = frame.items[frame.next]
            let name = frame.name(item)
            path.append(contentsOf: name)
            do {
                if let found = try look(at: item, name, frame, folder) { return found }
            } catch let error as Errno {
                // Gone since it was listed: as if it had never been there.
                if error == .noSuchFileOrDirectory { continue }
                return .problem(.system("Cannot read", path, error))
            } catch let error as SnapcatError {
                return .problem(error)
            }
        }
        return nil
    }

    private func look(
        at item: FolderFrame.Item, _ name: ArraySlice<UInt8>, _ frame: FolderFrame, _ folder: Descriptor
    ) throws -> Item? {
        let isFolder = item.kind != .leaf
        if !frame.rules.isEmpty, path.withUnsafeBytes({ frame.rules.excludes($0, isFolder: isFolder) }) {
            if item.kind != .folderContents { excludedCount += 1 }
            return nil
        }
        if item.kind == .folderContents {
            // Looked at first: opening the folder of another device may mount it.
            if options.staysOnOneFileSystem, try frame.status(item, in: folder).device != device { return nil }
            try enter(Array(name), frame, folder)
            return nil
        }
        let status = try frame.status(item, in: folder)
        if isOwn(status) { return nil }
        switch (item.kind, status.kind) {
        case (.leaf, .regular) where LocalSink.isTemporary(name), (.leaf, .link) where LocalSink.isTemporary(name):
            leftovers.append(path)
            return nil
        case (.leaf, .regular):
            if let largest = options.largestFileBytes, status.size > largest {
                excludedCount += 1
                return nil
            }
            return .file(status, folder: folder, name: name)
        case (.folderNode, .directory), (.leaf, .link), (.leaf, .other):
            return try node(status, Array(name), frame, folder)
        default:
            // It was of another type when its folder was read: it is being changed right now.
            return nil
        }
    }

    private func isOwn(_ status: FileStatus) -> Bool {
        !ownParts.isEmpty && ownParts.contains(FileIdentity(status))
    }

    private func node(
        _ status: FileStatus, _ name: [UInt8], _ frame: FolderFrame, _ folder: Descriptor
    ) throws -> Item? {
        guard let kind = Node.Kind(mode: status.mode) else { return nil }
        let destination = kind == .link ? try FolderOperations.destination(ofLink: name, in: folder.raw) : nil
        return .node(
            Node(
                name: EntryName(path), kind: kind, destination: destination, mode: Int64(status.mode),
                uid: Int64(status.uid), gid: Int64(status.gid), mtimeNanoseconds: status.mtimeNanoseconds,
                device: kind == .directory && status.device != frame.device
                    ? Int64(truncatingIfNeeded: status.device) : nil))
    }

    private func enter(_ name: [UInt8], _ frame: FolderFrame, _ parent: Descriptor) throws {
        let folder: Descriptor
        do throws(Errno) { folder = try Descriptor.open(name, in: parent.raw, [.read, .folder, .noFollow]) } catch {
            // It was a folder when its own folder was read: it is being changed right now.
            if error == .notDirectory || error == .tooManySymbolicLinkLevels { return }
            throw error
        }
        let status = try folder.status()
        if isOwn(status) { return }
        try enter(folder, status, frame.rules)
    }

    private func enter(_ folder: Descriptor, _ status: FileStatus, _ rules: IgnoreRules) throws {
        let isRoot = frames.isEmpty
        var frame = FolderFrame(prefixLength: path.count + (isRoot ? 0 : 1), device: status.device, rules: rules)
        do { try frame.list(folder, isRoot: isRoot) } catch let error as Errno where isRoot {
            throw SnapcatError.system("Cannot list the file root", rootPath, error)
        }
        // Only now: an error is told of the folder's name.
        if !isRoot { path.append(UInt8(ascii: "/")) }
        if options.excludesCaches && frame.hasCacheTag,
            contents(Self.cacheTag, in: folder, limit: 4096).starts(with: Self.cacheSignature)
        {
            return
        }
        if options.obeysIgnoreFiles && frame.hasIgnoreFile {
            let contents = contents(ScanOptions.ignoreFileName, in: folder, limit: 1 << 20)
            frame.rules = rules.adding(fileContents: contents, inFolder: Array(path.dropLast(isRoot ? 0 : 1)))
        }
        frames.append(frame)
        folders.push(folder, FileIdentity(status), prefixLength: frame.prefixLength)
    }

    private func leave() {
        frames.removeLast()
        folders.pop()
    }

    // https://bford.info/cachedir/: the tag counts only with its signature.
    private static let cacheTag = Array("CACHEDIR.TAG".utf8)
    private static let cacheSignature = Array("Signature: 8a477f597d28d172789f06886806bc55".utf8)

    static func isCache(_ folder: Descriptor) throws -> Bool {
        try read(cacheTag, in: folder, limit: 4096).starts(with: cacheSignature)
    }

    /// No more of an ignore file counts.
    static let mostRuleBytes = 1 << 20

    /// The rules of a folder, empty where it has none of its own.
    static func ignoreFile(in folder: Descriptor) throws -> [UInt8] {
        do { return try read(ScanOptions.ignoreFileName, in: folder, limit: mostRuleBytes) } catch let error as Errno {
            if error == .tooManySymbolicLinkLevels || error == .noSuchFileOrDirectory { return [] }
            throw error
        }
    }

    /// Of a file that leaves things out. Only a regular file counts; one that cannot be read costs its rules (more is
    /// kept, and it is told), not the folder.
    private func contents(_ name: [UInt8], in folder: Descriptor, limit: Int) -> [UInt8] {
        do { return try Self.read(name, in: folder, limit: limit) } catch let error as Errno {
            if error == .tooManySymbolicLinkLevels || error == .noSuchFileOrDirectory { return [] }
            problem = .system("Cannot read the rules of", path + name, error)
        } catch { problem = SnapcatError(.failed, "Cannot read the rules of", TerminalText.lossy(path + name), reason: "\(error)") }
        return []
    }

    private static func read(_ name: [UInt8], in folder: Descriptor, limit: Int) throws -> [UInt8] {
        let file = try Descriptor.open(name, in: folder.raw, [.read, .noFollow, .nonBlocking])
        guard try file.status().kind == .regular else { return [] }
        return try [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            while count < limit {
                let read = try file.read(
                    into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[count...]))
                if read == 0 { return }
                count += read
            }
        }
    }
}

extension FolderFrame {
    /// `lstat` of an item, without a copy of its name on the heap.
    func status(_ item: Item, in folder: Descriptor) throws(Errno) -> FileStatus {
        let result = name(item).withUnsafeBytes { bytes -> Result<FileStatus, Errno> in
            do throws(Errno) { return .success(try Descriptor.status(bytes, in: folder.raw)) } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}
