import SnapcatPlatform
import Synchronization
import SystemPackage

/// A storage in a local folder.
///
/// A content is written to a temporary file beside its place, made durable, renamed, and its folder made durable.
/// The synchronous methods are the engine's fast path; the asynchronous ones are the same for everybody else.
public final class LocalStorage: Storage {
    /// The folder's path, without a slash at its end.
    public let root: [UInt8]

    public init(root: [UInt8]) {
        var trimmed = root
        while trimmed.count > 1 && trimmed.last == UInt8(ascii: "/") { trimmed.removeLast() }
        self.root = trimmed
    }

    public convenience init(root: String) { self.init(root: Array(root.utf8)) }

    public var place: String { TerminalText.lossy(root) }
    public var properties: StorageProperties {
        StorageProperties(createsExclusively: true, needsSynchronize: false)
    }
    public var local: LocalStorage? { self }

    /// The path of a key. Keys that would lead out of the root are refused.
    package func path(_ key: StorageKey) throws(SnapcatError) -> [UInt8] {
        let components = key.bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        for component in components
        where component.isEmpty || component.elementsEqual(".".utf8) || component.elementsEqual("..".utf8)
            || component.contains(0)
        {
            throw SnapcatError(.usage, "Not a key", key.description)
        }
        return root + [UInt8(ascii: "/")] + key.bytes
    }

    // MARK: Synchronous

    package func source(_ key: StorageKey) throws -> LocalSource {
        try LocalSource.open(try path(key))
    }

    package func statusNow(of key: StorageKey) throws(SnapcatError) -> StorageStatus? {
        let path = try path(key)
        let found = try withSystemError("Cannot look at", path) { () throws(Errno) -> FileStatus? in
            do throws(Errno) { return try Descriptor.statusIfPresent(path, following: true) } catch {
                // A link in a circle leads nowhere, as a link to nothing does.
                if error == .tooManySymbolicLinkLevels { return nil }
                throw error
            }
        }
        return found.flatMap { $0.kind == .regular ? StorageStatus($0) : nil }
    }

    package func sink(_ key: StorageKey, _ mode: CreateMode) throws -> LocalSink {
        try LocalSink(path: path(key), mode: mode, root: root)
    }

    package func deleteNow(_ key: StorageKey) throws(SnapcatError) {
        let path = try path(key)
        try withSystemError("Cannot delete", path) { () throws(Errno) in try FolderOperations.removeFile(path) }
    }

    /// Never replaces. Not durable by itself: a crash of the machine may leave the old name. False, with nothing moved,
    /// where the content must be copied: to another file system, or of a link that may lead elsewhere from its new folder.
    package func moveNow(_ from: StorageKey, to: StorageKey) throws(SnapcatError) -> Bool {
        let (old, new) = (try path(from), try path(to))
        if try isLinkToFile(old, from), Self.folder(of: old) != Self.folder(of: new) { return false }
        return try withSystemError("Cannot move", old) { () throws(Errno) in
            try makeFolder(of: new)
            do throws(Errno) { try FolderOperations.renameExclusively(old, to: new) } catch {
                // What is no file has no content to be copied.
                guard error == .improperLink, try Descriptor.statusIfPresent(old, following: true)?.kind == .regular else { throw error }
                return false
            }
            return true
        }
    }

    /// A second name for a file. False where there can be no hard link, or where it would be one of a link that may lead
    /// elsewhere from its new folder.
    package func linkNow(_ from: StorageKey, to: StorageKey) throws(SnapcatError) -> Bool {
        let (old, new) = (try path(from), try path(to))
        if try isLinkToFile(old, from), Self.folder(of: old) != Self.folder(of: new) { return false }
        return try withSystemError("Cannot link", old) { () throws(Errno) in
            try makeFolder(of: new)
            let current = Descriptor.currentFolder
            do throws(Errno) { try FolderOperations.makeHardLink(old, in: current, to: new, in: current) } catch {
                if [.notPermitted, .notSupported, .tooManyLinks, .noFunction, .improperLink].contains(error) { return false }
                throw error
            }
            return true
        }
    }

    /// Whether it is a symlink to a file that can be opened: one to anything else has no content, and stays a link.
    private func isLinkToFile(_ path: [UInt8], _ key: StorageKey) throws(SnapcatError) -> Bool {
        let own = try withSystemError("Cannot look at", path) { () throws(Errno) in try Descriptor.statusIfPresent(path) }
        guard own?.kind == .link, try statusNow(of: key) != nil else { return false }
        do throws(SnapcatError) { _ = try LocalSource.open(path) } catch {
            if error.isTransient { throw error }
            // Its content is not to be had: the link itself is all there is.
            return false
        }
        return true
    }

    private static func folder(of path: [UInt8]) -> ArraySlice<UInt8> {
        path[..<(path.lastIndex(of: UInt8(ascii: "/")) ?? path.startIndex)]
    }

    private func makeFolder(of path: [UInt8]) throws(Errno) {
        let access = try FolderOperations.makePrivateRoot(root)
        guard let slash = path.lastIndex(of: UInt8(ascii: "/")) else { return }
        try FolderOperations.makeFolders(Array(path[..<slash]), mode: access)
    }

    /// Whether anything has the name, were it no file that can be read.
    package func isOccupiedNow(_ key: StorageKey) throws(SnapcatError) -> Bool {
        let path = try path(key)
        return try withSystemError("Cannot look at", path) { () throws(Errno) in try Descriptor.statusIfPresent(path) } != nil
    }

    /// `mostComponents`: longer keys are left out, and their folders not looked into. `alsoOthers`: folders, pipes,
    /// links to nothing and the like too, each with its own status.
    package func itemsNow(
        prefix: StorageKey, mostComponents: Int = .max, alsoOthers: Bool = false
    ) throws -> [StorageItem] {
        var items: [StorageItem] = []
        // No key has such a component: nothing can begin so, and nothing outside the root is looked at.
        let components = prefix.bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).dropLast()
        if components.contains(where: { $0.isEmpty || $0.elementsEqual(".".utf8) || $0.elementsEqual("..".utf8) }) { return [] }
        // Only the folder that holds the prefix has to be read.
        let slash = prefix.bytes.lastIndex(of: UInt8(ascii: "/"))
        let folder = slash.map { Array(prefix.bytes[..<$0]) } ?? []
        let wish = Wish(prefix: prefix.bytes, alsoOthers: alsoOthers)
        try collect(folder, wish, mostComponents - components.count, into: &items)
        return items.sorted { $0.key < $1.key }
    }

    /// What a listing is of.
    private struct Wish {
        var prefix: [UInt8]
        var alsoOthers: Bool
    }

    private func collect(
        _ folder: [UInt8], _ wish: Wish, _ mostComponents: Int, into items: inout [StorageItem]
    ) throws {
        // Links of folders to those above them have no end.
        if mostComponents < 1 { return }
        let path = folder.isEmpty ? root : root + [UInt8(ascii: "/")] + folder
        let descriptor: Descriptor
        do throws(Errno) { descriptor = try Descriptor.open(path, [.read, .folder]) } catch {
            if error == .noSuchFileOrDirectory || error == .notDirectory { return }
            throw SnapcatError.system("Cannot list", path, error)
        }
        for name in try withListingError(path, { try FolderListing.items(in: descriptor) }).map(\.name) {
            let key = folder.isEmpty ? name : folder + [UInt8(ascii: "/")] + name
            guard key.starts(with: wish.prefix) || wish.prefix.starts(with: key) else { continue }
            let found = try withSystemError("Cannot look at", path + [UInt8(ascii: "/")] + name) { () throws(Errno) in
                try Self.status(name, in: descriptor, alsoOthers: wish.alsoOthers)
            }
            guard let found else { continue }
            if found.kind == .regular || wish.alsoOthers, !LocalSink.isTemporary(name), key.starts(with: wish.prefix) {
                var item = StorageItem(key: StorageKey(key), status: StorageStatus(found))
                item.isFolder = found.kind == .directory
                items.append(item)
            }
            if found.kind == .directory { try collect(key, wish, mostComponents - 1, into: &items) }
        }
    }

    /// Of what a name leads to. A link to nothing, or in a circle, leads nowhere: then nil, or with `alsoOthers` its own.
    private static func status(
        _ name: [UInt8], in folder: Descriptor, alsoOthers: Bool
    ) throws(Errno) -> FileStatus? {
        do throws(Errno) {
            if let found = try Descriptor.statusIfPresent(name, in: folder.raw, following: true) { return found }
        } catch {
            if error != .tooManySymbolicLinkLevels { throw error }
        }
        return alsoOthers ? try Descriptor.statusIfPresent(name, in: folder.raw) : nil
    }

    /// Removes what killed writers have left. Only under a lock that keeps living ones away.
    package func removeTemporaryFiles() throws {
        for folder in try foldersWithFiles([], depth: 0) {
            let path = folder.isEmpty ? root : root + [UInt8(ascii: "/")] + folder
            try withSystemErrors("Cannot clean up", path) {
                let descriptor = try Descriptor.open(path, [.read, .folder])
                for item in try FolderListing.items(in: descriptor) where LocalSink.isTemporary(item.name) {
                    try FolderOperations.removeFile(item.name, in: descriptor.raw)
                }
            }
        }
    }

    /// The root, the folders of years and those of months.
    private func foldersWithFiles(_ folder: [UInt8], depth: Int) throws -> [[UInt8]] {
        guard depth < 2 else { return [folder] }
        let path = folder.isEmpty ? root : root + [UInt8(ascii: "/")] + folder
        let items = try withListingError(path) { try FolderListing.items(in: try Descriptor.open(path, [.read, .folder])) }
        return try items.filter { $0.kind == .directory }.reduce(into: [folder]) { result, item in
            let name = folder.isEmpty ? item.name : folder + [UInt8(ascii: "/")] + item.name
            result += try foldersWithFiles(name, depth: depth + 1)
        }
    }

    // MARK: Asynchronous

    public func open(_ key: StorageKey, range: Range<Int64>?) async throws -> any StorageReader {
        try Task.checkCancellation()
        return LocalReader(try source(key), range: range)
    }

    public func status(of key: StorageKey) async throws -> StorageStatus? {
        try Task.checkCancellation()
        return try statusNow(of: key)
    }

    public func list(prefix: StorageKey) async throws -> any StorageListing {
        try Task.checkCancellation()
        return ArrayListing(try itemsNow(prefix: prefix), pageSize: 1000)
    }

    public func create(_ key: StorageKey, _ mode: CreateMode) async throws -> any StorageWriter {
        try Task.checkCancellation()
        return LocalWriter(try sink(key, mode))
    }

    public func delete(_ key: StorageKey) async throws {
        try Task.checkCancellation()
        try deleteNow(key)
    }
}

extension StorageStatus {
    package init(_ status: FileStatus) {
        self.init(
            size: status.size, mtimeNanoseconds: status.mtimeNanoseconds,
            ctimeNanoseconds: status.ctimeNanoseconds, inode: status.inode)
    }
}

/// Gives the listing's system error the folder's name.
package func withListingError<R>(_ path: [UInt8], _ body: () throws -> R) throws -> R {
    do { return try body() } catch let error as Errno { throw SnapcatError.system("Cannot list", path, error) }
}

private final class LocalReader: StorageReader {
    private let source: LocalSource
    private let position: Mutex<Range<Int64>>

    init(_ source: LocalSource, range: Range<Int64>?) {
        self.source = source
        position = Mutex(range ?? 0..<Int64.max)
    }

    func next() async throws -> [UInt8]? {
        try Task.checkCancellation()
        return try position.withLock { range in
            let wanted = Int(min(range.upperBound - range.lowerBound, 256 << 10))
            var bytes = [UInt8](repeating: 0, count: wanted)
            let count = try bytes.withUnsafeMutableBytes { try source.read(into: $0, at: range.lowerBound) }
            if count == 0 { return nil }
            range = range.lowerBound + Int64(count)..<range.upperBound
            return Array(bytes[..<count])
        }
    }
}

private final class LocalWriter: StorageWriter {
    private let sink: Mutex<LocalSink>

    init(_ sink: sending LocalSink) { self.sink = Mutex(sink) }

    func append(_ bytes: [UInt8]) async throws {
        try Task.checkCancellation()
        try sink.withLock { try $0.write(bytes) }
    }

    func finish() async throws {
        try Task.checkCancellation()
        try sink.withLock { try $0.publish() }
    }

    func abandon() async { sink.withLock { $0.abandon() } }
}
