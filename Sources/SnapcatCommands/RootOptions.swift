import ArgumentParser
import Foundation
import Snapcat
import SnapcatPlatform
import SystemPackage

/// Where the parts of a repository are: the options that every command has, and their environment (CLI.md, "Roots").
///
/// The command line beats the environment: where it has --repo, a variable of one part does not count.
struct RootOptions: ParsableArguments {
    @Option(help: ArgumentHelp("A folder for all: DIR/heap, DIR/snap and DIR/catalog.sqlite. [SNAPCAT_REPO]", valueName: "dir"))
    var repo: String?
    @Option(help: ArgumentHelp("The folder to snapshot or restore. [FILE_ROOT]", valueName: "place"))
    var fileRoot: String?
    @Option(help: ArgumentHelp("Where the objects are. [HEAP_ROOT]", valueName: "place"))
    var heapRoot: String?
    @Option(help: ArgumentHelp("Where the snapshots are; gc takes several. [SNAP_ROOT]", valueName: "place"))
    var snapRoot: [String] = []
    @Option(help: ArgumentHelp("The catalog's file. [SNAPCAT_CATALOG]", valueName: "file"))
    var catalog: String?
    @Option(help: ArgumentHelp("Options of the file root's storage, as JSON. [FILE_STORAGE_OPTIONS]", valueName: "json"))
    var fileStorageOptions: String?
    @Option(help: ArgumentHelp("The same for the heap root. [HEAP_STORAGE_OPTIONS]", valueName: "json"))
    var heapStorageOptions: String?
    @Option(help: ArgumentHelp("The same for the snap root. [SNAP_STORAGE_OPTIONS]", valueName: "json"))
    var snapStorageOptions: String?

    // Options of snapshooter that have nothing to set here: taken, so that its command lines work unchanged.
    @Option(help: .hidden) var heapCacheFile: String?
    @Option(help: .hidden) var parallelCopyToHeap: Int?
    @Option(help: .hidden) var parallelCopyToFile: Int?
    @Option(help: .hidden) var parallelDeleteInFile: Int?
    @Option(help: .hidden) var parallelListing: Int?
    @Option(help: .hidden) var parallelHeapListing: Int?

    /// An option, else its environment variable; an empty one counts as none.
    private func value(_ option: String?, _ variable: String) throws -> String? {
        if let option {
            guard !option.isEmpty else { throw SnapcatError(.usage, "An empty path", advice: "give a folder") }
            return option
        }
        let inherited = ProcessInfo.processInfo.environment[variable] ?? ""
        return inherited.isEmpty ? nil : inherited
    }

    /// A part that --repo stands for. snapshooter's variables may be those of another repository than --repo names.
    private func part(_ option: String?, _ variable: String, _ name: String) throws -> String? {
        if option != nil || repo == nil, let place = try value(option, variable) { return place }
        return try value(repo, "SNAPCAT_REPO").map { $0 + "/" + name }
    }

    func fileRootPath(_ argument: String? = nil) throws -> String {
        guard let root = try argument.map({ Optional($0) }) ?? value(fileRoot, "FILE_ROOT") else {
            throw SnapcatError(.usage, "No file root", advice: "name the folder, or give --file-root")
        }
        return try Self.localPath(root)
    }

    var hasFileRoot: Bool { get throws { try value(fileRoot, "FILE_ROOT") != nil } }

    /// Where the user keeps saved queries: in the repository, beside the catalog, and in the configuration folder.
    func savedQueries() throws -> SavedQueryLibrary {
        var folders: [String] = []
        if let catalog = try catalogFile() {
            folders.append((catalog.lastIndex(of: "/").map { String(catalog[..<$0]) } ?? ".") + "/queries")
        }
        let environment = ProcessInfo.processInfo.environment
        let configuration = environment["XDG_CONFIG_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
            ?? environment["HOME"].map { $0 + "/.config" }
        if let configuration { folders.append(configuration + "/snapcat/queries") }
        return SavedQueryLibrary(folders: folders)
    }

    /// nil where no repository is named.
    private func catalogFile() throws -> String? {
        if let file = try part(catalog, "SNAPCAT_CATALOG", "catalog.sqlite") { return file }
        return try value(snapRoot.last, "SNAP_ROOT").map { try Self.localPath($0) + "/catalog.sqlite" }
    }

    /// Opens nothing: that is done by what needs it. `waitSeconds`: for a lock that another process holds.
    /// `takesSnapRoots`: the command reads those of `furtherSnapRoots` too.
    func repository(needsHeap: Bool, waitSeconds: Double = 0, takesSnapRoots: Bool = false) throws -> Repository {
        for (options, variable) in [
            (fileStorageOptions, "FILE_STORAGE_OPTIONS"), (heapStorageOptions, "HEAP_STORAGE_OPTIONS"),
            (snapStorageOptions, "SNAP_STORAGE_OPTIONS"),
        ] { try Self.checkStorageOptions(try value(options, variable), variable) }
        if Set(snapRoot).count > 1 && !takesSnapRoots {
            throw SnapcatError(
                .usage, "Several snap roots", snapRoot.joined(separator: ", "), reason: "only gc reads more than one",
                advice: "run the command once for each")
        }
        let snap = try part(snapRoot.last, "SNAP_ROOT", "snap")
        let heap = try part(heapRoot, "HEAP_ROOT", "heap")
        guard let snap, let catalogFile = try catalogFile() else {
            throw SnapcatError(.usage, "No repository", advice: "give --repo DIR, or --snap-root and --heap-root, or set SNAPCAT_REPO")
        }
        if needsHeap && heap == nil { throw SnapcatError(.usage, "No heap root", advice: "give --repo DIR or --heap-root") }
        return Repository(
            Repository.Places(
                snapRoot: try StorageLocation(snap).open(), heapRoot: try heap.map { try StorageLocation($0).open() },
                catalog: Array(catalogFile.utf8)),
            lockWaitSeconds: waitSeconds)
    }

    /// For a command that reads: a repository that is not there is told, and not made.
    func existingRepository(needsHeap: Bool = false, waitSeconds: Double = 0) throws -> Repository {
        let repository = try repository(needsHeap: needsHeap, waitSeconds: waitSeconds)
        try repository.requireExisting()
        return repository
    }

    /// Those of a repeated --snap-root before the last one, which is the repository's own; and those of --repo and of
    /// SNAP_ROOT, whose heap it is that they share. `dropped`: those that are gone for good.
    func furtherSnapRoots(dropped: [String] = []) throws -> [any Storage] {
        var places = Array(snapRoot.dropLast())
        if try repo != nil || value(heapRoot, "HEAP_ROOT") == nil, let folder = try value(repo, "SNAPCAT_REPO") {
            // A link to nothing too: what it stands for is not known.
            let path = try Self.localPath(folder + "/snap")
            let status = try withSystemError("Cannot look at the snap root", Array(path.utf8)) { () throws(Errno) in
                try Descriptor.statusIfPresent(Array(path.utf8))
            }
            if status != nil { places.append(path) }
        }
        if let place = try value(nil, "SNAP_ROOT"), try isHeapOfVariables(snapRoot: place) {
            // Where something is there again, it may be another snap root than the one that is gone.
            let path = Self.trimmed(try Self.localPath(place))
            let isDropped = try dropped.map(Self.trimmed).contains(path) && !Self.exists(place)
            if !isDropped { places.append(place) }
        }
        return try places.map { place in
            if place.isEmpty { throw SnapcatError(.usage, "An empty path", advice: "give a folder") }
            return try StorageLocation(place).open()
        }
    }

    /// Whether the snapshots of SNAP_ROOT may need objects of the heap: not where that of HEAP_ROOT is proved to be another.
    private func isHeapOfVariables(snapRoot: String) throws -> Bool {
        guard let variable = try value(nil, "HEAP_ROOT"), let heap = try part(heapRoot, "HEAP_ROOT", "heap") else { return true }
        // Of a heap in a bucket, snapshots in a bucket are no matter of this one.
        if Self.isInBucket(variable) { return !Self.isInBucket(snapRoot) }
        guard try Self.exists(heap) else { return true }
        // A heap that is not there now may be this one in another place; nothing can need it where its snap root is missing too.
        guard try Self.exists(variable) else { return try Self.exists(snapRoot) }
        return try FolderLikeness.mayBeOne(Self.localBytes(heap), Self.localBytes(variable))
    }

    private static func isInBucket(_ place: String) -> Bool {
        ["s3", "s3a", "gs", "gcs", "az", "abfs", "abfss"].contains { place.lowercased().hasPrefix($0 + "://") }
    }

    private static func localBytes(_ place: String) throws -> [UInt8] { Array(try localPath(place).utf8) }

    private static func exists(_ place: String) throws -> Bool { try FolderLikeness.identity(localBytes(place)) != nil }

    private static func trimmed(_ path: String) -> String {
        var path = path[...]
        while path.count > 1 && path.hasSuffix("/") { path.removeLast() }
        return String(path)
    }

    private static func localPath(_ place: String) throws -> String { try StorageLocation(place).description }

    private static func checkStorageOptions(_ text: String?, _ name: String) throws {
        guard let text else { return }
        let parsed: Any
        do { parsed = try JSONSerialization.jsonObject(with: Data(text.utf8)) } catch {
            throw SnapcatError(.usage, "The storage options are no JSON", name.lowercased())
        }
        guard let options = parsed as? [String: Any] else {
            throw SnapcatError(.usage, "The storage options are no JSON object", name.lowercased())
        }
        // The options of fsspec's local file system that change nothing here.
        let harmless: Set<String> = ["auto_mkdir", "use_listings_cache", "skip_instance_cache"]
        if let unknown = options.keys.filter({ !harmless.contains($0) }).sorted().first {
            throw SnapcatError(.usage, "A local folder has no storage option", unknown)
        }
    }
}
