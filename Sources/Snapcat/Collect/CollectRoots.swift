import SnapcatFormat
import SnapcatPlatform
import SnapcatStorage

/// The snap roots that a collection reads: this one, those that are given, those that the heap remembers.
struct CollectRoots {
    let known: KnownSnapRoots
    /// This one first.
    let given: [BlockingStorage]
    /// Absolute paths, or ids, of remembered ones that are gone for good.
    let dropped: [String]

    /// As they are now: a make may have noted its own a moment ago. Throws where one cannot be reached, or where one
    /// that is to be dropped is there.
    func stores() throws -> [SnapshotStore] {
        var stores: [SnapshotStore] = []
        var places: Set<[UInt8]> = []
        func add(_ store: SnapshotStore) {
            if places.insert(KnownSnapRoots.place(store.storage)).inserted { stores.append(store) }
        }
        for storage in given {
            if let local = storage.base.local, FolderOperations.realPath(local.root) == nil {
                throw SnapcatError(.noSnapshot, "No snap root", local.place, reason: "the folder does not exist")
            }
            add(SnapshotStore(storage))
        }
        let gone = Set(try droppedRoots().map(\.key))
        let roots = try known.all()
        for root in roots where !gone.contains(root.key) {
            let store = try KnownSnapRoots.open(root)
            if try KnownSnapRoots.isItself(root) { add(store) } else { _ = try standIn(for: root, among: roots) }
        }
        return stores
    }

    /// What is given is remembered, what is dropped is not any more.
    func remember() throws {
        let roots = try known.all()
        let gone = Set(try droppedRoots().map(\.key))
        var standIns: Set<[UInt8]> = []
        for root in roots where try !gone.contains(root.key) && KnownSnapRoots.isThere(root) && !KnownSnapRoots.isItself(root) {
            standIns.insert(KnownSnapRoots.place(try standIn(for: root, among: roots)))
        }
        // A root that is reached by another path here is remembered already, by its own.
        for storage in given where storage.base.local != nil && !standIns.contains(KnownSnapRoots.place(storage)) {
            try known.note(storage)
        }
        for root in roots where gone.contains(root.key) { try known.drop(root) }
    }

    // MARK: Another one in its place

    /// The given snap root that is this one, reached by another path, as where it is another machine's. One with an own
    /// note is a copy, and stands for itself alone.
    private func standIn(for root: KnownSnapRoots.Root, among roots: [KnownSnapRoots.Root]) throws -> BlockingStorage {
        for storage in given {
            guard let local = storage.base.local, try SnapRootID.read(local) == root.id else { continue }
            let place = KnownSnapRoots.place(storage)
            if !roots.contains(where: { $0.id == root.id && $0.place == place }) { return storage }
        }
        throw KnownSnapRoots.replaced(root)
    }

    // MARK: Dropping

    private func droppedRoots() throws -> [KnownSnapRoots.Root] {
        try dropped.flatMap { name in
            let found = try known.roots(at: Array(name.utf8))
            if found.isEmpty { throw SnapcatError(.usage, "Not a snap root that the heap remembers", name) }
            let gone = try found.filter { try !isLiving($0) }
            if gone.isEmpty { throw living(found[0]) }
            if Set(gone.compactMap(\.id)).count > 1 { throw ambiguous(name, gone) }
            return gone
        }
    }

    /// What the snapshots there need would be taken for unused.
    private func isLiving(_ root: KnownSnapRoots.Root) throws -> Bool {
        guard try KnownSnapRoots.isThere(root) else { return false }
        let store = try KnownSnapRoots.open(root)
        if try !KnownSnapRoots.isItself(root), let local = store.storage.base.local, try SnapRootID.read(local) != nil { return false }
        let listing = try store.list()
        return !(listing.snapshots.isEmpty && listing.ignored.isEmpty && listing.blocked.isEmpty)
    }

    private func living(_ root: KnownSnapRoots.Root) -> SnapcatError {
        SnapcatError(
            .failed, "Nothing is collected", TerminalText.lossy(root.place),
            reason: "the snap root to be dropped is there, with snapshots",
            advice: "drop only what is gone for good; 'snapcat forget' takes single snapshots")
    }

    private func ambiguous(_ name: String, _ roots: [KnownSnapRoots.Root]) -> SnapcatError {
        let ids = roots.compactMap { $0.id.map { TerminalText.lossy($0) } }.joined(separator: ", ")
        return SnapcatError(
            .usage, "Several snap roots have had the place", name, reason: "their ids are \(ids)",
            advice: "give gc --drop-snap-root the id of the one that is gone for good")
    }
}
