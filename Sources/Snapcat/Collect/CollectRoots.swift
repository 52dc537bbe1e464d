import SnapcatFormat
import SnapcatPlatform
import SnapcatStorage

/// The snap roots that a collection reads: this one, those that are given, those that the heap remembers.
struct CollectRoots {
    let known: KnownSnapRoots
    /// This one first.
    let given: [BlockingStorage]
    /// Absolute paths of remembered ones that are gone for good.
    let dropped: [String]

    /// As they are now: a make may have noted its own a moment ago. Throws where one cannot be reached, or where one
    /// that is to be dropped is there.
    func stores() throws -> [SnapshotStore] {
        var stores: [SnapshotStore] = []
        var places: Set<[UInt8]> = []
        func add(_ store: SnapshotStore) {
            let place = store.storage.base.local.flatMap { FolderOperations.realPath($0.root) } ?? Array(store.storage.place.utf8)
            if places.insert(place).inserted { stores.append(store) }
        }
        for storage in given {
            if let local = storage.base.local, FolderOperations.realPath(local.root) == nil {
                throw SnapcatError(.noSnapshot, "No snap root", local.place, reason: "the folder does not exist")
            }
            add(SnapshotStore(storage))
        }
        let gone = Set(try droppedRoots().map(\.key))
        for root in try known.all() where !gone.contains(root.key) { add(try KnownSnapRoots.open(root)) }
        return stores
    }

    /// What is given is remembered, what is dropped is not any more.
    func remember() throws {
        for storage in given where storage.base.local != nil { try known.note(storage) }
        for root in try droppedRoots() { try known.drop(root) }
    }

    private func droppedRoots() throws -> [KnownSnapRoots.Root] {
        try dropped.map { path in
            guard let root = try known.root(at: Array(path.utf8)) else {
                throw SnapcatError(.usage, "Not a snap root that the heap remembers", path)
            }
            try refuseLiving(root)
            return root
        }
    }

    /// What the snapshots there need would be taken for unused.
    private func refuseLiving(_ root: KnownSnapRoots.Root) throws {
        guard try KnownSnapRoots.isThere(root) else { return }
        let store = try KnownSnapRoots.open(root)
        let listing = try store.list()
        if listing.snapshots.isEmpty && listing.ignored.isEmpty && listing.blocked.isEmpty { return }
        throw SnapcatError(
            .failed, "Nothing is collected", store.storage.place, reason: "the snap root to be dropped is there, with snapshots",
            advice: "drop only what is gone for good; 'snapcat forget' takes single snapshots")
    }
}
