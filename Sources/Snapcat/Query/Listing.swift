import SnapcatCatalog
import SnapcatFormat
import SnapcatHeap
import SnapcatPlatform
import SnapcatStorage

@_exported import enum SnapcatCatalog.SchemaDescription

/// What a sync or rebuild of the catalog did.
public struct CatalogSummary: Sendable, Equatable {
    public var indexed: Int
    public var removed: Int
    public var damaged: Int

    init(_ summary: CatalogSync.Summary) {
        indexed = summary.indexed
        removed = summary.removed
        damaged = summary.damaged
    }
}

extension Repository {
    /// Indexes what is new or changed in the snap root, and takes out what is gone.
    public func syncCatalog(monitor: Monitor = .silent) async throws -> CatalogSummary {
        try await run("snapcat-sync", monitor) { [self] in
            let catalog = try catalog(monitor)
            if let catalogPath, catalog.path == nil {
                throw SnapcatError(
                    .failed, "Cannot write the catalog", TerminalText.lossy(catalogPath), reason: "a temporary one serves",
                    advice: "reading works; see that its place has room and can be written")
            }
            return CatalogSummary(try sync(monitor))
        }
    }

    /// Builds the catalog anew, beside the old one, and swaps it in.
    public func rebuildCatalog(monitor: Monitor = .silent) async throws -> CatalogSummary {
        try await run("snapcat-rebuild", monitor) { [self] in
            guard let path = catalogPath else {
                return CatalogSummary(try CatalogSync(try catalog(monitor), snapshots, monitor).run())
            }
            closeCatalog()
            let summary = try Catalog.replace(at: path) { try CatalogSync($0, snapshots, monitor).run() }
            return CatalogSummary(summary)
        }
    }

    /// The SQL of `listing`.
    package func listingSQL(
        _ reference: SnapshotReference, folder: [UInt8], recursive: Bool, orders: [Question.Order] = [], monitor: Monitor
    ) async throws -> String {
        try await run("snapcat-ls", monitor) { [self] in
            let snapshot = try resolve(reference, monitor)
            return Question(Self.sql(folder: folder, recursive: recursive, orders), parameters(snapshot, folder)).text
        }
    }

    /// The files, links and folders of a snapshot or of a folder in it, by name.
    package func listing(
        _ reference: SnapshotReference, folder: [UInt8], recursive: Bool, orders: [Question.Order] = [], limit: Int?,
        monitor: Monitor,
        columns: @escaping @Sendable ([String]) throws -> Void, row: @escaping @Sendable ([QueryValue]) throws -> Void
    ) async throws {
        if case .file(let path) = reference {
            let only = try await Self.repository(ofFile: path, monitor)
            return try await only.listing(
                .latest(back: 0), folder: folder, recursive: recursive, orders: orders, limit: limit, monitor: monitor,
                columns: columns, row: row)
        }
        try await run("snapcat-ls", monitor) { [self] in
            let snapshot = try resolve(reference, monitor)
            if snapshot.isDamaged { throw damaged(snapshot) }
            // A snapshot without a companion knows no folders: they show by the files below them.
            let hasNodes = try hasNodes(snapshot, monitor)
            let impliesFolders = !recursive && !hasNodes
            if impliesFolders && !orders.isEmpty {
                throw SnapcatError(
                    .usage, "The snapshot knows no folders to sort", snapshot.name.stem, advice: "give --recursive, or no --sort")
            }
            var options = QueryOptions()
            options.parameters = parameters(snapshot, folder)
            let prefix = Self.trimmed(folder)
            var folders = ImpliedFolders(prefix: prefix)
            var count = 0
            _ = try queryBlocking(
                Self.sql(folder: folder, recursive: recursive || impliesFolders, orders), options: options, syncs: false,
                monitor: monitor, columns: columns
            ) { values in
                guard count < limit ?? .max, case .text(let name) = values[0] else { return }
                if impliesFolders, let implied = folders.folder(of: name) {
                    guard let new = implied else { return }
                    count += 1
                    return try row([.text(new), .text(Array("directory".utf8)), .null, .null, .null, .null, .null])
                }
                count += 1
                try row(values)
            }
            if count == 0 && !prefix.isEmpty { try refuseUnknown(snapshot, prefix) }
        }
    }

    /// A repository in memory that holds one snapshot only, with its companion.
    private static func repository(ofFile path: String, _ monitor: Monitor) async throws -> Repository {
        let (storage, key) = try StorageLocation(path).openFile()
        let store = SnapshotStore(BlockingStorage(storage), isRepository: false)
        let hasCompanion = try await WorkerThread.run("snapcat-ls", cancellation: monitor.cancellation) {
            try store.usableCompanion(of: key, monitor.problem) != nil
        }
        let memory = MemoryStorage()
        let name = SnapshotName(time: SnapshotTime(microseconds: 0))
        try await memory.put(try await storage.contents(of: key), at: StorageKey(name.key), .exclusive)
        if hasCompanion {
            let companion = try await storage.contents(of: store.companionKey(of: key))
            try await memory.put(companion, at: StorageKey(name.companionKey), .exclusive)
        }
        let repository = Repository(Places(snapRoot: memory, heapRoot: nil, catalog: nil))
        // Damage is the file's, not that of a repository without snapshots.
        try await repository.run("snapcat-ls", monitor) {
            do { _ = try SnapshotSide.isSorted(repository.snapshots, StorageKey(name.key)) } catch var error as SnapcatError {
                error.subject = path
                throw error
            }
        }
        return repository
    }

    private func refuseUnknown(_ snapshot: IndexedSnapshot, _ folder: [UInt8]) throws {
        let isFolder = try catalog(.silent).read { db in
            guard let path = try PathTable(db).existing(folder) else { return false }
            return try TemporalTable<NodeVersion>(db).row(path, at: snapshot.name.time.microseconds) != nil
        }
        if isFolder { return }
        throw SnapcatError(
            .notFound, "No such folder", TerminalText.lossy(folder), reason: "snapshot \(snapshot.name.stem) does not have it")
    }

    private func parameters(_ snapshot: IndexedSnapshot, _ folder: [UInt8]) -> [String: String] {
        var parameters = ["snapshot": String(snapshot.id)]
        let prefix = Self.trimmed(folder)
        if !prefix.isEmpty { parameters["folder"] = String(decoding: prefix, as: UTF8.self) }
        return parameters
    }

    private static func trimmed(_ folder: [UInt8]) -> [UInt8] {
        var result = folder
        while result.last == UInt8(ascii: "/") { result.removeLast() }
        return result
    }

    private static func sql(folder: [UInt8], recursive: Bool, _ orders: [Question.Order]) -> String {
        let hasFolder = !trimmed(folder).isEmpty
        let condition =
            switch (hasFolder, recursive) {
            case (false, false): "AND dir = ''"
            case (true, false): "AND dir = :folder"
            case (false, true): ""
            // The slash and the byte after it: everything below.
            case (true, true): "AND name > :folder || '/' AND name < :folder || '0'"
            }
        return """
            SELECT name, 'file' AS type, size, md5, mode, mtime, NULL AS destination
            FROM snapshot_file WHERE snapshot_id = :snapshot \(condition)
            UNION ALL
            SELECT name, type, NULL, NULL, mode, mtime, destination
            FROM snapshot_node WHERE snapshot_id = :snapshot AND name <> '.' \(condition)
            ORDER BY \((orders.map(\.sql) + ["name"]).joined(separator: ", "))
            """
    }

    /// The entry of a name in a snapshot. `.notFound` where it has none.
    public func entry(
        _ reference: SnapshotReference, _ name: EntryName, monitor: Monitor = .silent
    ) async throws -> Entry {
        try await run("snapcat-entry", monitor) { [self] in
            let found: Entry?
            switch try side(reference, monitor) {
            case .indexed(let snapshot):
                found = try catalog(monitor).read { db in
                    guard let path = try PathTable(db).existing(name.bytes) else { return nil }
                    return try TemporalTable<EntryVersion>(db).row(path, at: snapshot.name.time.microseconds)
                        .map { try Entry(line: $0.content.line(name: name.bytes)) }
                }
            case .file(let store, let key):
                let reader = try store.entries(key)
                var match: Entry?
                while try match == nil && reader.advance() {
                    try reader.parse()
                    if reader.entryName == name.bytes { match = try reader.entry() }
                }
                found = match
            }
            guard let found else {
                throw SnapcatError(.notFound, "No such file", name.description, reason: "the snapshot does not have it")
            }
            return found
        }
    }

    /// Gives out a content in chunks, its md5 checked. `.damage` at the latest at the end.
    public func copyContent(
        _ md5: MD5Digest, monitor: Monitor = .silent, _ take: @escaping @Sendable ([UInt8]) throws -> Void
    ) async throws {
        try await run("snapcat-content", monitor) { [self] in
            let heap = try requireHeap()
            let source = HashingSource(try heap.open(md5))
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
            defer { buffer.deallocate() }
            while true {
                try monitor.cancellation.check()
                let count = try source.read(into: buffer)
                if count == 0 { break }
                try take(Array(buffer[..<count]))
            }
            guard source.digest == md5 else {
                throw SnapcatError(
                    .damage, "Damaged object", heap.objectName(md5), reason: "its content has the md5 \(source.digest)")
            }
        }
    }
}

/// Folders that show only by the names below them, each once.
private struct ImpliedFolders {
    let prefix: [UInt8]
    private var last: [UInt8] = []

    init(prefix: [UInt8]) { self.prefix = prefix }

    /// nil: the name is no deeper than the listing. Else the folder at this level, `.some(nil)` where it was told.
    mutating func folder(of name: [UInt8]) -> [UInt8]?? {
        let start = prefix.isEmpty ? 0 : prefix.count + 1
        guard name.count > start, let slash = name[start...].firstIndex(of: UInt8(ascii: "/")) else { return nil }
        let folder = Array(name[..<slash])
        if folder == last { return .some(nil) }
        last = folder
        return folder
    }
}
