import SnapcatFormat
import SnapcatPlatform
import SnapcatStorage

/// The snapshots of a snap root and their companions, as files.
package struct SnapshotStore: Sendable {
    package let storage: BlockingStorage
    /// False for single files that a user names: there what cannot be read is the user's to know as it is.
    private let isRepository: Bool

    package init(_ storage: BlockingStorage, isRepository: Bool = true) {
        self.storage = storage
        self.isRepository = isRepository
    }

    /// A snapshot's file as the storage lists it.
    package struct Item: Sendable, Equatable {
        package var name: SnapshotName
        package var key: StorageKey
        package var status: StorageStatus
        package var companionStatus: StorageStatus?
    }

    package struct Listing: Sendable {
        /// By time; one per time.
        package var snapshots: [Item] = []
        /// Files that match snapshooter's glob and are no snapshots, with the reason.
        package var ignored: [StorageKey: String] = [:]
        /// What stands in the place of a year's or a month's folder, in byte order: it may stand for snapshots on a disk
        /// that is not there.
        package var blocked: [StorageKey] = []
    }

    /// All snapshots. A missing snap root is an empty list.
    ///
    /// What has a snapshot's name counts, also a folder or a link to nothing: it may stand for a disk that is not there,
    /// and what its snapshot needs must not be collected. Reading it is damage.
    package func list() throws -> Listing {
        var listing = Listing()
        var companions: [StorageKey: StorageStatus] = [:]
        var byName: [SnapshotName: Item] = [:]
        for item in try storage.items(prefix: StorageKey(""), mostComponents: 3, alsoOthers: true) {
            let components = item.key.bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            guard components.count == 3, let file = components.last else {
                // Only in folders of the file system can something stand in their place.
                if storage.base.local != nil, !item.isFolder, Self.isFolderOfTime(components) { listing.blocked.append(item.key) }
                continue
            }
            if file.suffix(8).elementsEqual(".meta.gz".utf8) { companions[item.key] = item.status }
            guard file.suffix(9).elementsEqual(".jsonl.gz".utf8) else { continue }
            guard let name = SnapshotName(fileName: String(decoding: file, as: UTF8.self)) else {
                listing.ignored[item.key] = "the name is no time of a snapshot"
                continue
            }
            if let other = byName[name] {
                // The one in the folder of its month counts; both cannot.
                let isCanonical = item.key == StorageKey(name.key)
                listing.ignored[isCanonical ? other.key : item.key] = "a snapshot of the same time is in another folder"
                if !isCanonical { continue }
            }
            byName[name] = Item(name: name, key: item.key, status: item.status)
        }
        listing.snapshots = byName.values.sorted { $0.name < $1.name }
        for index in listing.snapshots.indices {
            listing.snapshots[index].companionStatus = companions[companionKey(of: listing.snapshots[index].key)]
        }
        return listing
    }

    /// `YYYY` or `YYYY/MM`.
    private static func isFolderOfTime(_ components: [ArraySlice<UInt8>]) -> Bool {
        components.map(\.count).elementsEqual([4, 2].prefix(components.count))
            && components.allSatisfy { $0.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } }
    }

    /// What is wrong with such a place.
    package func problem(blocked key: StorageKey) -> SnapcatError {
        SnapcatError(
            .damage, "No folder of snapshots", displayPath(key), reason: "it may stand for snapshots that are elsewhere",
            advice: "mount what it leads to, or remove it if they are gone for good")
    }

    /// The snapshot as it is now, nil where it is gone.
    package func item(_ name: SnapshotName, _ key: StorageKey) throws -> Item? {
        guard let status = try storage.status(of: key) else { return nil }
        return Item(name: name, key: key, status: status, companionStatus: try storage.status(of: companionKey(of: key)))
    }

    /// Whether a listed snapshot is no longer there: forgotten meanwhile, which is no error of who only reads.
    package func isGone(_ item: Item) throws -> Bool { try !storage.isOccupied(item.key) }

    /// The companion's place beside its snapshot.
    package func companionKey(of key: StorageKey) -> StorageKey {
        StorageKey(Array(key.bytes.dropLast(".jsonl.gz".utf8.count)) + Array(".meta.gz".utf8))
    }

    package func displayPath(_ key: StorageKey) -> String { "\(storage.place)/\(key)" }

    /// The bytes of a snapshot or companion, where what cannot be read is damage: it costs that snapshot, and nothing else.
    /// `.notFound` where nothing has the name.
    private func source(_ key: StorageKey) throws -> any ByteSource {
        do { return UnreadableAsDamage(try storage.source(key)) } catch var error as SnapcatError {
            guard error.code == .notFound, try storage.isOccupied(key) else { throw error.asDamage }
            error.code = .damage
            error.reason = "it is a link to nothing"
            throw error
        }
    }

    /// The snapshot's lines, inflated ahead on a thread of its own.
    package func entries(_ key: StorageKey) throws -> EntryReader {
        let name = displayPath(key)
        let source = try PrefetchingSource(
            try GzipReader(try isRepository ? source(key) : storage.source(key), name: name))
        return EntryReader(source, name: name)
    }

    /// The companion, nil where there is none.
    package func companion(of key: StorageKey) throws -> CompanionReader? {
        let companionKey = companionKey(of: key)
        let source: any ByteSource
        do { source = try self.source(companionKey) } catch let error as SnapcatError {
            if error.code == .notFound { return nil }
            throw error
        }
        let name = displayPath(companionKey)
        return try CompanionReader(try GzipReader(source, name: name), name: name)
    }

    /// The companion, read to its end once before; nil where there is none.
    ///
    /// Damage costs the folders and links of a snapshot, not its files: it goes to `report`, and there is none.
    package func usableCompanion(
        of key: StorageKey, _ report: (SnapcatError) -> Void
    ) throws -> CompanionReader? {
        do {
            guard let whole = try companion(of: key) else { return nil }
            var nodes: Int64 = 0
            while try whole.nextNode() != nil { nodes += 1 }
            // Cut between its two gzip members it is sound gzip.
            guard nodes == whole.facts.nodes else {
                throw SnapcatError(
                    .damage, "Damaged companion", displayPath(companionKey(of: key)),
                    reason: "it tells of \(whole.facts.nodes) nodes and has \(nodes)")
            }
            return try companion(of: key)
        } catch let error as SnapcatError where error.code == .damage {
            report(error)
            return nil
        }
    }
}

/// A file of a repository: what the system does not let read is damage of it.
private final class UnreadableAsDamage: ByteSource {
    private let base: any ByteSource

    init(_ base: any ByteSource) { self.base = base }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        do { return try base.read(into: buffer) } catch let error as SnapcatError { throw error.asDamage }
    }
}

extension SnapcatError {
    /// A file that cannot be read, where trying again does not help, as damage; any other error as it is.
    fileprivate var asDamage: SnapcatError {
        guard code == .failed || code == .notAFile, !isTransient else { return self }
        var error = self
        error.code = .damage
        return error
    }
}

extension StorageStatus {
    /// One text that differs where the file does.
    package var fingerprint: String {
        "\(size)/\(mtimeNanoseconds ?? 0)/\(ctimeNanoseconds ?? 0)/\(inode ?? 0)/\(tag ?? "")"
    }
}
