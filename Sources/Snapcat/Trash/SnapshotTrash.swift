import SnapcatFormat
import SnapcatHeap
import SnapcatPlatform
import SnapcatStorage

/// The snapshots that were forgotten, with their companions: in `trash` of their snap root until gc removes them.
///
/// A key is `trash/<when>--<stem>.jsonl.gz`, two levels deep, where no program looks for snapshots.
package struct SnapshotTrash: Sendable {
    let store: SnapshotStore

    struct Item: Sendable, Equatable {
        var name: SnapshotName
        /// When it was put here.
        var since: SnapshotTime
        var key: StorageKey
        var size: Int64
        /// When the storage has stamped it last, as for coming here; nil where it has no such stamps.
        var ctimeNanoseconds: Int64?
        var companionKey: StorageKey?

        /// `<when>--<stem>`: names this copy, where there are several of one snapshot.
        var stem: String { SnapshotName(time: since).stem + SnapshotTrash.separator + name.stem }
    }

    private static let folder = "trash/"
    static let separator = "--"
    private static let suffixes = (snapshot: SnapshotName.fileSuffix, companion: ".meta.gz")

    /// By the time of the snapshot, the last forgotten last of those of one time.
    func items() throws -> [Item] { try all().items }

    /// A companion without its snapshot.
    struct Stray: Sendable {
        var since: SnapshotTime
        var key: StorageKey
        var ctimeNanoseconds: Int64?
    }

    /// Those that an interrupted purge has left.
    func strays() throws -> [Stray] { try all().strays }

    private func all() throws -> (items: [Item], strays: [Stray]) {
        var items: [Item] = []
        var companions: [StorageKey: Stray] = [:]
        for item in try store.storage.items(prefix: StorageKey(Self.folder), mostComponents: 2) {
            if let (since, _) = Self.parse(item.key, Self.suffixes.companion) {
                companions[item.key] = Stray(since: since, key: item.key, ctimeNanoseconds: item.status.ctimeNanoseconds)
            }
            guard let (since, name) = Self.parse(item.key, Self.suffixes.snapshot) else { continue }
            items.append(
                Item(name: name, since: since, key: item.key, size: item.status.size, ctimeNanoseconds: item.status.ctimeNanoseconds))
        }
        for index in items.indices {
            let companion = store.companionKey(of: items[index].key)
            if companions.removeValue(forKey: companion) != nil { items[index].companionKey = companion }
        }
        return (items.sorted { ($0.name, $0.since) < ($1.name, $1.since) }, Array(companions.values))
    }

    private static func parse(_ key: StorageKey, _ suffix: String) -> (since: SnapshotTime, name: SnapshotName)? {
        let file = key.bytes.dropFirst(folder.utf8.count)
        let stem = SnapshotName.stemForm.count
        guard file.count == 2 * stem + separator.utf8.count + suffix.utf8.count, file.suffix(suffix.utf8.count).elementsEqual(suffix.utf8),
            file.dropFirst(stem).starts(with: separator.utf8),
            let since = SnapshotName(stem: TerminalText.lossy(file.prefix(stem))),
            let name = SnapshotName(stem: TerminalText.lossy(file.dropFirst(stem + separator.utf8.count).prefix(stem)))
        else { return nil }
        return (since.time, name)
    }

    /// The snapshot first, then its companion: one without the other is still whole where the snapshot is.
    ///
    /// Whatever has their names goes, were it no file: a folder, a pipe, a link to nothing. Of a link to a file the content
    /// comes here: one level higher a relative link leads elsewhere. False where nothing has the snapshot's name.
    @discardableResult
    func put(_ name: SnapshotName, _ place: StorageKey, at time: SnapshotTime) throws -> Bool {
        let key = key(name, at: time)
        do { try store.storage.move(place, to: key) } catch let error as SnapcatError where error.code == .notFound {
            if try !store.storage.isOccupied(place) { return false }
            throw noFolder(error)
        }
        let companion = store.companionKey(of: place)
        if try store.storage.isOccupied(companion) { try store.storage.move(companion, to: store.companionKey(of: key)) }
        return true
    }

    /// What cannot be moved here though it is there: something else stands in the trash's place.
    private func noFolder(_ error: SnapcatError) -> SnapcatError {
        SnapcatError(
            .failed, "Cannot put it into the trash", store.displayPath(StorageKey(String(Self.folder.dropLast()))),
            reason: error.reason, advice: "there must be a folder, or nothing", errorNumber: error.errorNumber)
    }

    /// Keeps what is there, which is about to be replaced. The companion first: the snapshot makes it count.
    ///
    /// `interrupted`: the copy of an earlier try, which has replaced the companion already. What belongs to the snapshot
    /// is the companion that was kept then.
    func keepCopy(_ item: SnapshotStore.Item, interrupted: Item?, at time: SnapshotTime) throws {
        let key = key(item.name, at: time)
        let companion = interrupted?.companionKey ?? store.companionKey(of: item.key)
        do {
            // A folder in its place is nothing that could be kept.
            if interrupted != nil || item.companionStatus != nil, try store.storage.status(of: companion) != nil {
                try store.storage.copy(companion, to: store.companionKey(of: key))
            }
            try store.storage.copy(item.key, to: key)
        } catch let error as SnapcatError where error.code == .notFound {
            if try store.isGone(item) { throw error }
            throw noFolder(error)
        }
    }

    /// What a purge has kept that was ended between companion and snapshot: the same snapshot, with the companion that
    /// tells of its `files`, as the one in place tells of what was to remain. nil where there is none.
    func interrupted(_ item: SnapshotStore.Item, files: Int64) throws -> Item? {
        try items().last { old in
            guard old.name == item.name, old.companionKey != nil, old.size == item.status.size else { return false }
            do {
                return try store.companion(of: old.key)?.facts.files == files && isSame(item.key, old.key)
            } catch let error as SnapcatError where error.isOfTheFile {
                // It proves nothing.
                return false
            }
        }
    }

    /// Whether two names are of one file, or their files have the same bytes.
    private func isSame(_ first: StorageKey, _ second: StorageKey) throws -> Bool {
        let statuses = try [first, second].map { try store.storage.status(of: $0) }
        guard let one = statuses[0], let other = statuses[1], one.size == other.size else { return false }
        if one.inode != nil && one == other { return true }
        return try digest(first) == digest(second)
    }

    private func digest(_ key: StorageKey) throws -> MD5Digest {
        let source = HashingSource(try store.storage.source(key))
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
        defer { buffer.deallocate() }
        while try source.read(into: buffer) > 0 {}
        return source.digest
    }

    private func key(_ name: SnapshotName, at time: SnapshotTime) -> StorageKey {
        StorageKey(Self.folder + SnapshotName(time: time).stem + Self.separator + name.stem + Self.suffixes.snapshot)
    }

    /// The companion first: the snapshot makes it count. `.alreadyExists` where its place is taken.
    ///
    /// A companion that a crash has left there without a snapshot is its own only where it belongs to no other copy:
    /// else it goes back to that one.
    func takeBack(_ item: Item, at time: SnapshotTime) throws {
        let key = StorageKey(item.name.key)
        if try store.storage.isOccupied(key) {
            throw SnapcatError(.alreadyExists, "A snapshot of this time exists", store.displayPath(key))
        }
        let place = store.companionKey(of: key)
        if try store.storage.isOccupied(place) {
            let owner = try halfMoved(item.name)
            if owner?.key != item.key {
                try store.storage.move(place, to: store.companionKey(of: owner?.key ?? self.key(item.name, at: time)))
            }
        }
        if let companion = item.companionKey { try store.storage.move(companion, to: place) }
        try store.storage.move(item.key, to: key)
    }

    /// The copy between which and its place something was ended: its companion is in place, and the snapshot here. nil
    /// where there is none.
    func halfMoved(_ name: SnapshotName) throws -> Item? {
        let place = StorageKey(name.companionKey)
        guard try !store.storage.isOccupied(StorageKey(name.key)), try store.storage.isOccupied(place) else { return nil }
        let bare = try items().filter { $0.name == name && $0.companionKey == nil }
        if bare.count < 2 { return bare.first }
        return try bare.last { try fits($0) }
    }

    /// Whether the companion in a snapshot's place may be that of a copy: it tells of as many files. A damaged one may be.
    private func fits(_ item: Item) throws -> Bool {
        do {
            let facts = try store.companion(of: StorageKey(item.name.key))?.facts
            let entries = try store.entries(item.key)
            var files: Int64 = 0
            while try entries.advance() { files += 1 }
            return facts?.files == files
        } catch let error as SnapcatError where error.isOfTheFile { return true }
    }

    /// The snapshot last, so that what is left after a crash is found again.
    func remove(_ item: Item) throws {
        if let companion = item.companionKey {
            try store.storage.delete(companion)
        } else if try halfMoved(item.name)?.key == item.key {
            // An interrupted forget has left it at its place.
            let left = StorageKey(item.name.companionKey)
            if try store.storage.status(of: left) != nil { try store.storage.delete(left) }
        }
        try store.storage.delete(item.key)
    }

    /// Puts an item's time anew: of one that was put here by a clock that was ahead.
    ///
    /// A copy of the companion first, so that the snapshot has one under either name whenever this is ended.
    func restamp(_ item: Item, at time: SnapshotTime) throws {
        let key = key(item.name, at: time)
        if let companion = item.companionKey { try store.storage.copy(companion, to: store.companionKey(of: key)) }
        try store.storage.move(item.key, to: key)
        if let companion = item.companionKey { try store.storage.delete(companion) }
    }
}

extension BlockingStorage {
    /// Makes renames durable where it is a local folder.
    func synchronizeFolder() throws {
        guard let local = base.local else { return }
        try withSystemErrors("Cannot make durable", local.root) {
            try FolderOperations.syncFileSystem(of: try Descriptor.open(local.root, [.read, .folder]))
        }
    }
}
