import Foundation
import Snapcat
import SnapcatFormat
import SnapcatPlatform
import SnapcatStorage
import SnapcatTestSupport

/// A small repository with three snapshots, a forgotten one and an unused object in the trash; damaged, and put right again.
final class DamageSandbox {
    enum Place: String, CaseIterable {
        case newest, middle, oldest, newestCompanion, oldestCompanion, sharedObject, oldObject, trashedSnapshot, trashedCompanion, trashedObject
        case catalog, journal, snapLock, heapLock, snapRootNote, snapRootID

        var isSnapshot: Bool { [.newest, .middle, .oldest].contains(self) }
        var isCompanion: Bool { self == .newestCompanion || self == .oldestCompanion }
        var isObject: Bool { self == .sharedObject || self == .oldObject }
        var isTrash: Bool { [.trashedSnapshot, .trashedCompanion, .trashedObject].contains(self) }
        /// Nothing is lost with it: the answers are those without the damage.
        var isDerived: Bool { !isSnapshot && !isCompanion && !isObject && !isTrash }
    }

    indirect enum Damage: Hashable, Sendable, CustomStringConvertible {
        case deleted, folder, linkToNothing, linkInACircle, linkToTheFile, pipe, unreadable, appended
        case cut(to: Int), flipped(bit: Int), zeroed(from: Int, count: Int)
        /// Of a file that the catalog takes for the one it has read: a disk that forgets leaves the stamps as they were.
        case silently(Damage)

        var description: String {
            switch self {
            case .deleted: "deleted"
            case .folder: "a folder"
            case .linkToNothing: "a link to nothing"
            case .linkInACircle: "a link to itself"
            case .linkToTheFile: "a link to the file"
            case .pipe: "a pipe"
            case .unreadable: "unreadable"
            case .appended: "garbage at its end"
            case .cut(let count): "cut to \(count)"
            case .flipped(let bit): "bit \(bit) flipped"
            case .zeroed(let start, let count): "\(count) zeros at \(start)"
            case .silently(let damage): "silently \(damage)"
            }
        }
    }

    /// What kept the sandbox from being set up.
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    typealias Tree = [String: [UInt8]]

    private let manager = FileManager.default
    let folder: TempFolder
    private let base: String
    let work: String
    private(set) var places: [Place: String] = [:]
    /// The stems of the snapshots, and what each holds, by name.
    private(set) var stems: [String] = []
    private(set) var contents: [Tree] = []
    /// Of the work folder as it was set up.
    private(set) var before: Tree = [:]
    private var catalog = Data()

    init() async throws {
        folder = try TempFolder()
        base = folder.path + "/base"
        work = folder.path + "/work"
        try await makeHistory()
        try findPlaces()
        try await reset()
    }

    // MARK: Setting up

    private func makeHistory() async throws {
        func write(_ name: String, _ text: String) throws { try folder.write("base/source/" + name, Array(text.utf8)) }
        func make() async throws {
            stems.append(String(try await run(["make", "source", "--repo", "repo"], in: base).lines[0].suffix(36).prefix(27)))
            contents.append(try Self.tree(base + "/source"))
        }
        for (name, text) in ["a": "always\n", "d/inner": "inner\n", "edited": "edit 0\n", "gone": "gone\n", "empty": ""] { try write(name, text) }
        try write("long", String(repeating: "some text ", count: 400))
        try manager.createSymbolicLink(atPath: base + "/source/link", withDestinationPath: "d/inner")
        try manager.createDirectory(atPath: base + "/source/hollow", withIntermediateDirectories: true)
        try await make()
        try write("edited", "edit 1\n")
        try await make()
        try manager.removeItem(atPath: base + "/source/gone")
        try write("edited", "edit 2\n")
        try await make()
        try write("edited", "edit 3\n")
        try write("late", "late\n")
        try await make()
        _ = try await run(["forget", "oldest", "--repo", "repo"], in: base)
        // As gc would move it: the object of the forgotten snapshot alone.
        let md5 = RetentionSandbox.md5("edit 0\n")
        let moment = try manager.contentsOfDirectory(atPath: base + "/repo/snap/trash")[0].prefix(27)
        try manager.createDirectory(atPath: base + "/repo/heap/trash/\(moment)", withIntermediateDirectories: true)
        try manager.moveItem(atPath: base + "/repo/heap/\(md5.prefix(2))/\(md5).gz", toPath: base + "/repo/heap/trash/\(moment)/unused-\(md5).gz")
        stems.removeFirst()
        contents.removeFirst()
        try write("edited", "edit live\n")
    }

    private func findPlaces() throws {
        func object(_ text: String) -> String {
            let md5 = RetentionSandbox.md5(text)
            return "repo/heap/\(md5.prefix(2))/\(md5).gz"
        }
        let names = try Self.tree(base).keys
        func only(_ fits: (String) -> Bool) throws -> String {
            guard let name = names.first(where: fits) else { throw Failure(description: "not in the repository") }
            return name
        }
        func snapshot(_ index: Int, _ suffix: String) throws -> String { try only { $0.hasPrefix("repo/snap/2") && $0.hasSuffix(stems[index] + suffix) } }
        places = [
            .newest: try snapshot(2, ".jsonl.gz"), .middle: try snapshot(1, ".jsonl.gz"), .oldest: try snapshot(0, ".jsonl.gz"),
            .newestCompanion: try snapshot(2, ".meta.gz"), .oldestCompanion: try snapshot(0, ".meta.gz"),
            .sharedObject: object("always\n"), .oldObject: object("edit 1\n"),
            .trashedSnapshot: try only { $0.hasPrefix("repo/snap/trash/") && $0.hasSuffix(".jsonl.gz") },
            .trashedCompanion: try only { $0.hasPrefix("repo/snap/trash/") && $0.hasSuffix(".meta.gz") },
            .trashedObject: try only { $0.hasPrefix("repo/heap/trash/") },
            .catalog: "repo/catalog.sqlite", .journal: "repo/catalog.sqlite-wal", .snapLock: "repo/snap/.lock", .heapLock: "repo/heap/.lock",
            .snapRootNote: try only { $0.hasPrefix("repo/heap/.snap-root-") }, .snapRootID: "repo/snap/.snapcat-root",
        ]
    }

    /// The work folder as new, its catalog in step with its files.
    func reset() async throws {
        if manager.fileExists(atPath: work) { try manager.removeItem(atPath: work) }
        try Self.copy(base, work)
        // Membership too.
        _ = try await run(["stats", "--repo", "repo"], in: work)
        catalog = try Data(contentsOf: URL(fileURLWithPath: work + "/repo/catalog.sqlite"))
        before = try Self.tree(work)
    }

    /// Puts right what a command that only reads may have left. False where it has changed more.
    func tidyUp(_ place: Place) throws -> Bool {
        for name in ["out", "moved", "repo/catalog.sqlite-wal", "repo/catalog.sqlite-shm"] + ["repo/catalog.sqlite"] {
            if try Descriptor.statusIfPresent(Array("\(work)/\(name)".utf8)) != nil { try manager.removeItem(atPath: "\(work)/\(name)") }
        }
        try catalog.write(to: URL(fileURLWithPath: work + "/repo/catalog.sqlite"))
        // Its mode too: root reads it in any case.
        if place != .catalog, let name = places[place], let bytes = before[name] {
            if try Descriptor.statusIfPresent(Array("\(work)/\(name)".utf8)) != nil { try manager.removeItem(atPath: "\(work)/\(name)") }
            try Data(bytes).write(to: URL(fileURLWithPath: "\(work)/\(name)"))
        }
        return try Self.tree(work) == before
    }

    // MARK: Damaging

    func size(_ place: Place) -> Int { (before[places[place] ?? ""] ?? []).count }

    func damage(_ place: Place, _ damage: Damage) throws {
        let path = "\(work)/\(places[place] ?? "")"
        if case .silently(let damage) = damage {
            try self.damage(place, damage)
            return try takeForRead(place, path)
        }
        if place == .journal { try leaveJournal() }
        var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        try manager.removeItem(atPath: path)
        switch damage {
        case .deleted: return
        case .folder: try manager.createDirectory(atPath: path + "/inner", withIntermediateDirectories: true); return
        case .linkToNothing: try manager.createSymbolicLink(atPath: path, withDestinationPath: "nothing"); return
        case .linkInACircle: try manager.createSymbolicLink(atPath: path, withDestinationPath: path); return
        case .linkToTheFile:
            // Outside the repository, where its name says nothing.
            try manager.createSymbolicLink(atPath: path, withDestinationPath: work + "/moved")
            try Data(bytes).write(to: URL(fileURLWithPath: work + "/moved"))
            return
        case .pipe: if mkfifo(path, 0o600) != 0 { throw Failure(description: "mkfifo") }; return
        case .unreadable, .appended, .cut, .flipped, .zeroed, .silently: break
        }
        switch damage {
        case .appended: bytes += Array("garbage".utf8)
        case .cut(let count): bytes.removeLast(max(0, bytes.count - count))
        case .flipped(let bit): if bit / 8 < bytes.count { bytes[bit / 8] ^= 1 << UInt8(bit % 8) }
        case .zeroed(let start, let count): for index in bytes.indices.dropFirst(start).prefix(count) { bytes[index] = 0 }
        default: break
        }
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        if damage == .unreadable { try manager.setAttributes([.posixPermissions: 0], ofItemAtPath: path) }
    }

    /// Gives the catalog the stamps of a snapshot or companion as it is now, as if it had been read like this.
    private func takeForRead(_ place: Place, _ path: String) throws {
        guard place.isSnapshot || place.isCompanion else { return }
        let name = Array(path.utf8)
        guard let slash = name.lastIndex(of: UInt8(ascii: "/")) else { return }
        let storage = LocalStorage(root: Array(name[..<slash]))
        let status = try storage.statusNow(of: StorageKey(Array(name[(slash + 1)...])))?.fingerprint ?? ""
        let index = place == .middle ? 1 : place == .oldest || place == .oldestCompanion ? 0 : 2
        let column = place.isSnapshot ? "file_status" : "companion_status"
        let script = """
            import sqlite3, sys
            c = sqlite3.connect(sys.argv[1])
            c.execute("update snapshot_row set \(column) = ? where id = (select id from snapshot_row where taken_at is not null order by taken_at limit 1 offset \(index))", (sys.argv[2],))
            if c.total_changes != 1: sys.exit("no such snapshot")
            c.commit()
            """
        _ = try Python.run(script, arguments: [work + "/repo/catalog.sqlite", status])
    }

    /// A journal beside the catalog, as a process leaves it that is killed: it says what the catalog says.
    private func leaveJournal() throws {
        let script = """
            import os, sqlite3, sys
            c = sqlite3.connect(sys.argv[1])
            c.execute("pragma journal_mode = wal"); c.execute("pragma wal_autocheckpoint = 0")
            for _ in range(3): c.execute("update snapshot_row set files = files"); c.execute("update version set size = size"); c.commit()
            os._exit(0)
            """
        _ = try Python.run(script, arguments: [work + "/repo/catalog.sqlite"])
    }

    /// Whether the place still gives its content; nil where it says nothing of that (a folder, a pipe, a cut gzip).
    func isSound(_ place: Place) throws -> Bool {
        let path = "\(work)/\(places[place] ?? "")"
        guard let status = try? Descriptor.status(Array(path.utf8), following: true), status.kind == .regular else { return false }
        let now = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        let old = before[places[place] ?? ""] ?? []
        return try (try? Gzip.decompress(now, limit: 1 << 20)) == Gzip.decompress(old, limit: 1 << 20)
    }

    // MARK: Running and looking

    /// Under a limit of time; and without the right of root to read everything.
    func run(_ arguments: [String], in folder: String? = nil) async throws -> SnapcatProcess.Result {
        let rights = geteuid() == 0 ? ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search"] : []
        let result = try await SnapcatProcess.run(arguments, environment: ["TZ": "UTC"], folder: folder ?? work, through: ["timeout", "-s", "KILL", "60"] + rights)
        if folder == base && result.status != 0 { throw Failure(description: "\(arguments): \(result.stderr)") }
        return result
    }

    /// Everything below a folder by its name: the bytes of files, `-> ` and the destination of links, `?` for the rest.
    static func tree(_ path: String) throws -> Tree {
        var result: Tree = [:]
        func collect(_ name: String) throws {
            for item in try FolderListing.items(in: Descriptor.open(Array((path + name).utf8), [.read, .folder])) {
                let inner = name + "/" + TerminalText.lossy(item.name)
                switch try Descriptor.status(Array((path + inner).utf8)).kind {
                case .directory: try collect(inner)
                case .regular: result[String(inner.dropFirst())] = (try? [UInt8](Data(contentsOf: URL(fileURLWithPath: path + inner)))) ?? Array("?".utf8)
                case .link: result[String(inner.dropFirst())] = Array("-> ".utf8) + Array(try FileManager.default.destinationOfSymbolicLink(atPath: path + inner).utf8)
                default: result[String(inner.dropFirst())] = Array("?".utf8)
                }
            }
        }
        if FileManager.default.fileExists(atPath: path) { try collect("") }
        return result
    }

    /// With the times of its files.
    private static func copy(_ from: String, _ to: String) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/cp")
        process.arguments = ["-a", from, to]
        try process.run()
        process.waitUntilExit()
        if process.terminationStatus != 0 { throw Failure(description: "cp") }
    }
}
