import SnapcatFormat
import SnapcatHeap
import SnapcatPlatform
import SnapcatStorage
import SystemPackage

/// The version of this program, in one place.
public enum SnapcatVersion {
    public static let text = "0.1.0"
}

/// The folder that is snapshotted or restored to, resolved, and its relation to the repository.
struct FileRoot {
    /// Absolute, symlinks resolved.
    let path: [UInt8]
    /// Files and folders of the repository, which the walk leaves out.
    let ownParts: Set<FileIdentity>
    /// The same as names relative to this root.
    let ownPaths: [[UInt8]]

    init(_ given: [UInt8], repository: Repository, monitor: Monitor) throws {
        guard let resolved = FolderOperations.realPath(given) else {
            throw SnapcatError(
                .notFound, "No such file root", TerminalText.lossy(given), reason: "the folder does not exist",
                advice: "is it mounted? nothing was made")
        }
        let status = try withSystemError("Cannot look at the file root", resolved) { () throws(Errno) in
            try Descriptor.status(resolved, following: true)
        }
        guard status.kind == .directory else {
            throw SnapcatError(.usage, "The file root is no folder", TerminalText.lossy(given))
        }
        path = resolved
        var parts: Set<FileIdentity> = []
        var paths: [[UInt8]] = []
        for place in try Self.places(repository) {
            guard let placePath = FolderOperations.realPath(place.path) else { continue }
            let status = try withSystemError("Cannot look at", placePath) { () throws(Errno) in
                try Descriptor.statusIfPresent(placePath, following: true)
            }
            // A journal goes when another process closes the catalog.
            guard let found = status else { continue }
            if place.isFolder && Self.contains(placePath, resolved) {
                throw SnapcatError(
                    .usage, "The file root lies in the repository", TerminalText.lossy(given),
                    reason: "the \(place.what) is '\(TerminalText.lossy(placePath))'",
                    advice: "choose another place for one of them")
            }
            guard Self.contains(resolved, placePath) else { continue }
            if place.isFolder { monitor.note("the \(place.what) '\(TerminalText.lossy(placePath))' lies in the file root and is left out") }
            parts.insert(FileIdentity(found))
            paths.append(Array(placePath.dropFirst(resolved == [UInt8(ascii: "/")] ? 1 : resolved.count + 1)))
        }
        ownPaths = paths
        ownParts = parts
    }

    /// The folder itself, or the one above it that exists; nil where there is none.
    static func existing(_ folder: [UInt8]) -> [UInt8]? {
        var existing = folder
        while FolderOperations.realPath(existing) == nil {
            guard let slash = existing.lastIndex(of: UInt8(ascii: "/")), slash > 0 else { return nil }
            existing = Array(existing[..<slash])
        }
        return existing
    }

    private static func places(_ repository: Repository) throws -> [(what: String, path: [UInt8], isFolder: Bool)] {
        var result: [(what: String, path: [UInt8], isFolder: Bool)] = []
        if let local = repository.snapshots.storage.base.local { result.append(("snap root", local.root, true)) }
        if let local = repository.heap?.storage.base.local { result.append(("heap root", local.root, true)) }
        if let catalog = repository.catalogPath {
            for path in try catalogFiles(catalog) { result.append(("catalog", path, false)) }
        }
        return result
    }

    /// The catalog, its journals, those that were set aside, one that is being built. SQLite has its journals beside the
    /// file itself, where the catalog is a symlink.
    private static func catalogFiles(_ catalog: [UInt8]) throws -> [[UInt8]] {
        let given = catalog.contains(UInt8(ascii: "/")) ? catalog : Array("./".utf8) + catalog
        let real = FolderOperations.realPath(given) ?? given
        return try filesBeside(given) + (real == given ? [] : filesBeside(real))
    }

    private static func filesBeside(_ catalog: [UInt8]) throws -> [[UInt8]] {
        let end = (catalog.lastIndex(of: UInt8(ascii: "/")) ?? -1) + 1
        let (folder, name) = (Array(catalog[..<end]), catalog[end...])
        return try withListingError(folder) {
            do {
                let names = try FolderListing.items(in: try Descriptor.open(folder, [.read, .folder])).map(\.name)
                return try names.filter { $0.starts(with: name) && isOfCatalog(suffix: $0.dropFirst(name.count)) }
                    .map { folder + $0 }
                    // What others have put there under such a name is the user's.
                    .filter { try $0 == catalog || Descriptor.statusIfPresent($0)?.kind == .regular }
            } catch Errno.noSuchFileOrDirectory { return [] }
        }
    }

    private static func isOfCatalog(suffix: ArraySlice<UInt8>) -> Bool {
        let (building, aside) = (Array(".rebuilding".utf8), Array(".replaced-".utf8))
        if suffix.starts(with: aside) {
            let number = suffix.dropFirst(aside.count)
            return !number.isEmpty && number.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        }
        let journal = suffix.starts(with: building) ? suffix.dropFirst(building.count) : suffix
        return ["", "-wal", "-shm", "-journal"].contains { journal.elementsEqual($0.utf8) }
    }

    /// Whether `inner` is `outer` or below it.
    private static func contains(_ outer: [UInt8], _ inner: [UInt8]) -> Bool {
        outer == inner || inner.starts(with: outer == [UInt8(ascii: "/")] ? outer : outer + [UInt8(ascii: "/")])
    }
}
