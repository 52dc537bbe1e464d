import Foundation
import GRDB
import GRDBSQLite
import SnapcatFormat
import SnapcatPlatform
import SnapcatSchema
import Synchronization
import SystemPackage

/// The SQLite mirror of one snap root: derived, and deletable at any time (CATALOG.md).
///
/// One connection, used by one caller at a time; each write is one transaction.
public final class Catalog: Sendable {
    /// nil for a temporary catalog.
    public let path: [UInt8]?
    /// Why a temporary catalog serves, empty otherwise.
    package let note: String
    private let queue: DatabaseQueue
    private let temporaryFolder: URL?

    /// "snpc"
    private static let applicationId: Int64 = 0x736e_7063

    private init(_ queue: DatabaseQueue, path: [UInt8]?, note: String = "", temporaryFolder: URL? = nil) {
        self.queue = queue
        self.path = path
        self.note = note
        self.temporaryFolder = temporaryFolder
    }

    deinit { removeTemporaryFolder() }

    /// Of all temporary catalogs of this process.
    private static let temporaryFolders = Mutex<Set<URL>>([])

    /// Ends a temporary catalog; any other stays as it is.
    ///
    /// Under the lock to its end: the process may come to its own while this goes on, and waits for it there.
    private func removeTemporaryFolder() {
        guard let temporaryFolder else { return }
        Self.temporaryFolders.withLock { folders in
            guard folders.remove(temporaryFolder) != nil else { return }
            // Its file goes: that its journal was not written into it loses nothing.
            do { try queue.close() } catch {}
            Self.remove(temporaryFolder)
        }
    }

    /// At the end of a process: a thread that ends with it may still hold a temporary catalog, whose folder would stay.
    package static func removeTemporaryFolders() {
        temporaryFolders.withLock { folders in
            for folder in folders { remove(folder) }
            folders = []
        }
    }

    /// The catalog is derived and this one private: nothing is lost where it stays in the temporary folder.
    private static func remove(_ folder: URL) { do { try FileManager.default.removeItem(at: folder) } catch {} }

    // MARK: Opening

    enum Condition {
        case usable
        case absent
        /// Of an older program, or damaged: to be replaced.
        case replaceable(String)
        /// Of a later program: to be left alone.
        case newer
        /// Not a catalog of snapcat at all, and why.
        case foreign(String)
    }

    /// Opens the catalog at `path`, making it where it is missing and replacing it where it is damaged or old.
    ///
    /// Where that cannot be (a newer one, a read-only place) a temporary catalog is opened: the same answers,
    /// only slower. A database of another program is refused.
    public static func open(at path: [UInt8]) throws -> Catalog {
        let folder = path.lastIndex(of: UInt8(ascii: "/")).map { Array(path[..<$0]) } ?? []
        do {
            if !folder.isEmpty { try FolderOperations.makeFolders(folder, mode: 0o700) }
            switch try condition(path) {
            case .usable: return try connect(path)
            case .absent: return try create(path)
            case .replaceable(let reason):
                let aside = try setAside(path)
                let catalog = try create(path)
                return Catalog(
                    catalog.queue, path: path,
                    note: "the catalog was built anew (\(reason)); the old file is '\(TerminalText.lossy(aside))'")
            case .newer:
                return try temporary(note: "the catalog is of a newer snapcat; a temporary one serves")
            case .foreign(let reason): throw foreign(path, reason)
            }
        } catch let error as Errno where error.meansUnwritable {
            return try temporary(note: "the catalog cannot be written (\(error)); a temporary one serves")
        } catch let error as DatabaseError where isUnwritable(error) {
            return try temporary(note: "the catalog cannot be written (\(mapped(error, path).reason)); a temporary one serves")
        } catch let error as DatabaseError {
            throw mapped(error, path)
        } catch let error as Errno {
            throw SnapcatError.system("Cannot open the catalog", path, error)
        }
    }

    /// A catalog that goes with this object: in the temporary folder, or in memory where that cannot be written.
    package static func temporary(note: String = "") throws -> Catalog {
        do {
            let folder = try TemporaryPlace.makeFolder()
            _ = temporaryFolders.withLock { $0.insert(folder) }
            let queue = try connection(Array(folder.appendingPathComponent("catalog.sqlite").path.utf8))
            let catalog = Catalog(queue, path: nil, note: note, temporaryFolder: folder)
            try catalog.makeSchema()
            return catalog
        } catch {
            // Whatever the reason: memory serves as well.
            return try inMemory(note: note)
        }
    }

    /// A catalog in memory, which goes with this object: other connections of this process reach it by its name.
    package static func inMemory(note: String = "") throws -> Catalog {
        let name = "file:/snapcat-\(UInt64.random(in: .min ... .max))?vfs=memdb"
        let catalog = Catalog(try connection(Array(name.utf8)), path: nil, note: note)
        try catalog.makeSchema()
        return catalog
    }

    /// It goes with this object, and is on no disk.
    package var isInMemory: Bool { path == nil && temporaryFolder == nil }

    static func condition(_ path: [UInt8]) throws -> Condition {
        guard let status = try Descriptor.statusIfPresent(path, following: true) else { return .absent }
        guard status.kind == .regular else { return .foreign("it is no regular file") }
        // To be written by us, or not to be used. Not by opening it: a descriptor that is closed takes with it the locks
        // that SQLite holds on the file in this process.
        try FolderOperations.checkIsWritable(path)
        if status.size == 0 { return .absent }
        do {
            // Read-only and as it is: it may be another program's.
            var configuration = Configuration()
            configuration.readonly = true
            configuration.busyMode = .timeout(Self.busySeconds)
            let queue = try DatabaseQueue(path: String(decoding: path, as: UTF8.self), configuration: configuration)
            defer {
                // Nothing was written: a failed close loses nothing.
                do { try queue.close() } catch {}
            }
            return try queue.inDatabase { db in
                let id = try Int64.fetchOne(db, sql: "PRAGMA application_id") ?? 0
                let version = try Int32.fetchOne(db, sql: "PRAGMA user_version") ?? 0
                let tables = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_schema") ?? 0
                let triggers = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'") ?? 0
                if id != applicationId {
                    if tables == 0 { return .replaceable("it is empty") }
                    // Its mark alone is damaged where it has the tables of a catalog.
                    let own = try Int.fetchOne(
                        db, sql: "SELECT count(*) FROM sqlite_schema WHERE name IN ('snapshot_row', 'version', 'path', 'setting')")
                    return own == 4 ? .replaceable("its mark is damaged") : .foreign("it is a database of another program")
                }
                if version > Schema.version { return .newer }
                if version < Schema.version { return .replaceable("it is of an older snapcat") }
                // What others put in would run whenever snapcat writes.
                if triggers > 0 { return .replaceable("it has triggers, which are not snapcat's") }
                return .usable
            }
        } catch let error as DatabaseError where isDamage(error) {
            return .replaceable(error.message ?? "it is damaged")
        }
    }

    static func foreign(_ path: [UInt8], _ reason: String) -> SnapcatError {
        SnapcatError(
            .usage, "Not a catalog of snapcat", TerminalText.lossy(path), reason: reason,
            advice: "name another file with --catalog")
    }

    /// Keeps what cannot be used under another name: a catalog is derived, but a mistaken path may not be one.
    @discardableResult
    package static func setAside(_ path: [UInt8]) throws -> [UInt8] {
        for suffix in ["-wal", "-shm"] {
            do throws(Errno) { try FolderOperations.removeFile(path + Array(suffix.utf8)) } catch {
                if error != .noSuchFileOrDirectory { throw error }
            }
        }
        // Never over an earlier one.
        var number = 1
        while true {
            let aside = path + Array("\(asideSuffix)\(number)".utf8)
            do throws(Errno) {
                try FolderOperations.renameExclusively(path, to: aside)
                return aside
            } catch {
                if error != .fileExists { throw error }
            }
            number += 1
        }
    }

    private static func create(_ path: [UInt8]) throws -> Catalog {
        // It holds names of files: nobody else may read it. Only a new file is opened, on which nobody has locks yet.
        do throws(Errno) { _ = try Descriptor.open(path, [.readWrite, .createNew], mode: 0o600) } catch {
            if error != .fileExists { throw error }
        }
        let catalog = try connect(path)
        try catalog.makeSchema()
        return catalog
    }

    /// How long a transaction waits for another process.
    private static let busySeconds = 30.0

    private static func connect(_ path: [UInt8]) throws -> Catalog {
        Catalog(try connection(path), path: path)
    }

    private static func connection(_ path: [UInt8]) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.label = "catalog"
        configuration.busyMode = .timeout(Self.busySeconds)
        // The writer keeps the references itself; checking each one would cost a look-up per row.
        configuration.foreignKeysEnabled = false
        configuration.prepareDatabase { db in
            try db.execute(sql: "PRAGMA journal_mode = WAL")
            try db.execute(sql: "PRAGMA synchronous = NORMAL")
            // For reading: a page that is used once costs less in the place of another than in memory of its own.
            try db.execute(sql: "PRAGMA cache_size = -2048")
            try db.execute(sql: "PRAGMA trusted_schema = OFF")
        }
        return try DatabaseQueue(path: String(decoding: path, as: UTF8.self), configuration: configuration)
    }

    private func makeSchema() throws {
        try queue.writeWithoutTransaction { db in
            try db.inTransaction(.immediate) {
                // Two processes may come here at once: the second finds it done.
                let version = try Int32.fetchOne(db, sql: "PRAGMA user_version") ?? 0
                guard version == 0 else { return .commit }
                for migration in Schema.migrations { try db.execute(sql: migration) }
                try db.execute(sql: Schema.views)
                try db.execute(sql: "INSERT INTO setting VALUES ('schema_version', ?)", arguments: ["\(Schema.version)"])
                try db.execute(sql: "PRAGMA application_id = \(Self.applicationId)")
                try db.execute(sql: "PRAGMA user_version = \(Schema.version)")
                return .commit
            }
        }
    }

    // MARK: Using

    /// Runs one transaction.
    package func write<R>(_ body: (Database) throws -> R) throws -> R {
        try mapping {
            try queue.writeWithoutTransaction { db in
                // Changes touch pages all over the file, each mostly once: more memory saves nothing.
                try db.execute(sql: "PRAGMA cache_size = -4096")
                var result: R?
                try db.inTransaction(.immediate) {
                    result = try body(db)
                    return .commit
                }
                guard let result else { throw SnapcatError(.failed, "The catalog's transaction ended early") }
                return result
            }
        }
    }

    package func read<R>(_ body: (Database) throws -> R) throws -> R { try mapping { try queue.inDatabase(body) } }

    private func mapping<R>(_ body: () throws -> R) throws -> R {
        do { return try body() } catch let error as DatabaseError { throw Self.mapped(error, path ?? []) }
    }

    func executeOutsideTransaction(_ sql: String) throws {
        try mapping { try queue.writeWithoutTransaction { try $0.execute(sql: sql) } }
    }

    /// Lets the planner know how the rows are spread. After bulk work.
    package func analyze() throws {
        try mapping { try queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA analysis_limit = 1000; ANALYZE") } }
    }

    /// Empties the journal into the file, unless another process reads it: a process that ends without closing the
    /// catalog leaves its journal, and the next one would read all of it before anything else.
    package func settle() {
        // The rows are safe in the journal: what hinders this hinders the next that writes, and is told there.
        _ = emptyJournal(waitSeconds: 0)
    }

    /// Waits so long for readers; SQLite's result.
    func emptyJournal(waitSeconds: Double) -> Int32 {
        queue.writeWithoutTransaction { db in
            guard let connection = db.sqliteConnection else { return SQLITE_MISUSE }
            sqlite3_busy_timeout(connection, Int32(waitSeconds * 1000))
            defer { sqlite3_busy_timeout(connection, Int32(Self.busySeconds * 1000)) }
            return sqlite3_wal_checkpoint_v2(connection, nil, SQLITE_CHECKPOINT_TRUNCATE, nil, nil)
        }
    }

    package var databasePath: String { queue.path }

    /// Ends the connection; the journal goes into the file.
    package func close() throws { try mapping { try queue.close() } }
}
