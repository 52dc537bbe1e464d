import SnapcatFormat
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
        var companionKey: StorageKey?
    }

    private static let folder = "trash/"
    private static let separator = "--"
    private static let suffixes = (snapshot: SnapshotName.fileSuffix, companion: ".meta.gz")

    /// By the time of the snapshot, the last forgotten first of those of one time.
    func items() throws -> [Item] {
        var items: [Item] = []
        var companions: Set<StorageKey> = []
        for item in try store.storage.items(prefix: StorageKey(Self.folder)) {
            if item.key.bytes.suffix(8).elementsEqual(Self.suffixes.companion.utf8) { companions.insert(item.key) }
            guard let (since, name) = Self.parse(item.key) else { continue }
            items.append(Item(name: name, since: since, key: item.key, size: item.status.size, companionKey: nil))
        }
        for index in items.indices {
            let companion = store.companionKey(of: items[index].key)
            if companions.contains(companion) { items[index].companionKey = companion }
        }
        return items.sorted { ($0.name, $1.since) < ($1.name, $0.since) }
    }

    private static func parse(_ key: StorageKey) -> (since: SnapshotTime, name: SnapshotName)? {
        let file = key.bytes.dropFirst(folder.utf8.count)
        let stem = SnapshotName.stemForm.count
        guard file.count == 2 * stem + separator.utf8.count + suffixes.snapshot.utf8.count,
            file.dropFirst(stem).starts(with: separator.utf8),
            let since = SnapshotName(stem: TerminalText.lossy(file.prefix(stem))),
            let name = SnapshotName(fileName: Array(file.dropFirst(stem + separator.utf8.count)))
        else { return nil }
        return (since.time, name)
    }

    /// The snapshot first, then its companion: one without the other is still whole where the snapshot is.
    func put(_ item: SnapshotStore.Item, at time: SnapshotTime) throws {
        let key = key(item.name, at: time)
        try store.storage.move(item.key, to: key)
        guard item.companionStatus != nil else { return }
        try store.storage.move(store.companionKey(of: item.key), to: store.companionKey(of: key))
    }

    private func key(_ name: SnapshotName, at time: SnapshotTime) -> StorageKey {
        StorageKey(Self.folder + SnapshotName(time: time).stem + Self.separator + name.stem + Self.suffixes.snapshot)
    }

    /// The companion first: the snapshot makes it count. `.alreadyExists` where its place is taken.
    func takeBack(_ item: Item) throws {
        let key = StorageKey(item.name.key)
        if try store.storage.status(of: key) != nil {
            throw SnapcatError(.alreadyExists, "A snapshot of this time exists", store.displayPath(key))
        }
        if let companion = item.companionKey {
            let place = store.companionKey(of: key)
            // One that is there without a snapshot is what a crash has left of this one.
            if try store.storage.status(of: place) == nil { try store.storage.move(companion, to: place) }
        }
        try store.storage.move(item.key, to: key)
    }

    /// The snapshot last, so that what is left after a crash is found again.
    func remove(_ item: Item) throws {
        if let companion = item.companionKey { try store.storage.delete(companion) }
        try store.storage.delete(item.key)
    }

    /// Puts an item's time anew: of one that was put here by a clock that was ahead.
    func restamp(_ item: Item, at time: SnapshotTime) throws {
        let key = key(item.name, at: time)
        if let companion = item.companionKey { try store.storage.move(companion, to: store.companionKey(of: key)) }
        try store.storage.move(item.key, to: key)
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
