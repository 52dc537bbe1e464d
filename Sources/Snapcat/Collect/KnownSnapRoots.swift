import Foundation
import SnapcatFormat
import SnapcatHeap
import SnapcatPlatform
import SnapcatStorage
import SystemPackage

/// The snap roots that a heap serves, kept in the heap: each writes its name before its first object. gc must know all.
///
/// One file for each, `.snap-root-<md5 of its id and its text>`, so that no two writers meet. A root beside the heap is
/// kept relative to it: a repository may be moved. Where a root has no id (`SnapRootID`; those of earlier versions, and
/// those that cannot be written) its place alone counts.
struct KnownSnapRoots: Sendable {
    private let local: LocalStorage
    private static let prefix = ".snap-root-"

    /// nil for a heap that is not local.
    init?(_ heap: Heap) {
        guard let local = heap.storage.base.local else { return nil }
        self.local = local
    }

    struct Root: Sendable, Equatable {
        var key: StorageKey
        /// The folder's absolute path, or the URL.
        var place: [UInt8]
        /// What must be found there; nil where the place alone counts.
        var id: [UInt8]?
        /// The machine that has noted it; for messages.
        var host: String?
    }

    func all() throws -> [Root] {
        guard let heap = FolderOperations.realPath(local.root) else { return [] }
        let names = try withListingError(local.root) {
            try FolderListing.items(in: try Descriptor.open(local.root, [.read, .folder])).map(\.name)
                .filter { $0.starts(with: Self.prefix.utf8) }
        }
        return try names.sorted { $0.lexicographicallyPrecedes($1) }.map { name in
            let key = StorageKey(name)
            let text = try local.source(key).readAll(limit: 1 << 20)
            let value: JSONValue
            do throws(JSONScanner.Failure) { value = try JSONValue(parsing: text) } catch {
                throw damaged(key, error.reason)
            }
            guard let kept = value["snap_root"]?.stringBytes else { throw damaged(key, "it names no snap root") }
            let id = value["id"]?.stringBytes
            if let id, !SnapRootID.isID(id) { throw damaged(key, "its id is none") }
            return Root(key: key, place: Self.absolute(kept, heap: heap), id: id, host: value["host"]?.stringText)
        }
    }

    private func damaged(_ key: StorageKey, _ reason: String) -> SnapcatError {
        SnapcatError(
            .damage, "Damaged file", "\(local.place)/\(key)", reason: reason,
            advice: "remove it, and give 'gc' all snap roots of this heap by --snap-root")
    }

    /// Remembers a root; does nothing where it is known. The root must exist where it is local.
    func note(_ storage: BlockingStorage) throws {
        let text = try kept(storage)
        let id = try storage.base.local.flatMap { try SnapRootID.readOrMake($0) }
        let key = key(text, id)
        if try local.statusNow(of: key) != nil { return }
        var fields: [(String, JSONValue)] = [("snap_root", .string(text))]
        if let id { fields += [("id", .string(id)), ("host", .text(ProcessInfo.processInfo.hostName))] }
        let line = JSONValue.object(fields).bytes
        do { try BlockingStorage(local).write(key, .exclusive) { try $0.write(line) } } catch let error as SnapcatError
            where error.code == .alreadyExists
        {
            // Another process was faster.
        }
    }

    func drop(_ root: Root) throws { try local.deleteNow(root.key) }

    /// The ones other than this.
    func others(than storage: BlockingStorage) throws -> [Root] {
        let own = Self.place(storage)
        let id = try storage.base.local.flatMap { try SnapRootID.read($0) }
        return try all().filter { $0.place != own || $0.id != nil && $0.id != id }
    }

    /// The same as stores. Throws where one cannot be reached, or where another snap root is in its place.
    func others(than storage: BlockingStorage, _ monitor: Monitor) throws -> [SnapshotStore] {
        let own = Self.place(storage)
        return try others(than: storage).map { root in
            let store = try Self.open(root)
            if try root.place == own || !Self.isItself(root) { throw Self.replaced(root) }
            return store
        }
    }

    /// Where another one has its place, or it has lost its id.
    static func replaced(_ root: Root) -> SnapcatError {
        let id = TerminalText.lossy(root.id ?? [])
        let host = root.host.map { " on \($0)" } ?? ""
        return SnapcatError(
            .failed, "A snap root of this heap is missing", TerminalText.lossy(root.place),
            reason: "what is there is not the one that was noted\(host) with the id \(id): what its snapshots need is not known",
            advice: "is it mounted? mount it, give its folder by --snap-root, or give gc --drop-snap-root \(id) if it is gone for good")
    }

    /// The absolute path, or the URL.
    static func place(_ storage: BlockingStorage) -> [UInt8] {
        storage.base.local.flatMap { FolderOperations.realPath($0.root) } ?? Array(storage.place.utf8)
    }

    /// False where another snap root has its place, or its id is gone: then what is there is not what was noted.
    static func isItself(_ root: Root) throws -> Bool {
        guard let id = root.id else { return true }
        return try SnapRootID.read(LocalStorage(root: root.place)) == id
    }

    static func open(_ root: Root) throws -> SnapshotStore {
        let place = TerminalText.lossy(root.place)
        guard root.place.first == UInt8(ascii: "/") else {
            return SnapshotStore(BlockingStorage(try StorageLocation(place).open()))
        }
        if try !isThere(root) {
            throw SnapcatError(
                .failed, "A snap root of this heap is missing", place,
                reason: "what its snapshots need is not known",
                advice: "mount it, or give gc --drop-snap-root with this path if it is gone for good")
        }
        return SnapshotStore(BlockingStorage(LocalStorage(root: root.place)))
    }

    /// False for a local one whose folder does not exist.
    static func isThere(_ root: Root) throws -> Bool {
        guard root.place.first == UInt8(ascii: "/") else { return true }
        return try withSystemError("Cannot look at the snap root", root.place) { () throws(Errno) in
            try Descriptor.statusIfPresent(root.place, following: true)
        } != nil
    }

    /// The known roots that have this place, were it gone, or this id.
    func roots(at name: [UInt8]) throws -> [Root] {
        if SnapRootID.isID(name) { return try all().filter { $0.id == name } }
        let trimmed = LocalStorage(root: name).root
        return try all().filter { $0.place == trimmed || $0.place == FolderOperations.realPath(trimmed) }
    }

    private func key(_ text: [UInt8], _ id: [UInt8]?) -> StorageKey {
        let whole = (id.map { $0 + Array("\n".utf8) } ?? []) + text
        return StorageKey("\(Self.prefix)\(whole.withUnsafeBytes { MD5Hasher.digest($0) })")
    }

    private func kept(_ storage: BlockingStorage) throws -> [UInt8] {
        guard let snap = storage.base.local else { return Array(storage.place.utf8) }
        guard let heap = FolderOperations.realPath(local.root), let path = FolderOperations.realPath(snap.root) else {
            throw SnapcatError(.notFound, "No such folder", snap.place)
        }
        let parent = Self.parent(heap)
        return parent.count > 1 && path.starts(with: parent) ? Array("../".utf8) + path.dropFirst(parent.count) : path
    }

    private static func absolute(_ text: [UInt8], heap: [UInt8]) -> [UInt8] {
        text.starts(with: "../".utf8) ? parent(heap) + text.dropFirst(3) : text
    }

    /// The folder of a path, with its slash.
    private static func parent(_ path: [UInt8]) -> [UInt8] {
        Array(path[...(path.lastIndex(of: UInt8(ascii: "/")) ?? path.startIndex)])
    }
}
