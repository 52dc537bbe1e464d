import Foundation
import GRDB
import GRDBSQLite
import SnapcatFormat
import SnapcatPlatform
import SnapcatSchema
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

    /// Ends a temporary catalog; any other stays as it is.
    package func removeTemporaryFolder() {
        guard let temporaryFolder else { return }
        // The catalog is derived and this one private: nothing is lost where it stays in the temporary folder.
        do { try queue.close(); try FileManager.default.removeItem(at: temporaryFolder) } catch {}
    }

    // MARK: Opening

    private enum Condition {
        case usable
        case absent
        /// Of an older program, or damaged: to be replaced.
        case replaceable(String)
        /// Of a later program: to be left alone.
        case newer
        /// Not a catalog of snapcat at all.
        case foreign
    }

    /// Opens the catalog at `path`, making it where it is missing and replacing it where it is damaged or old.
    ///
    /// Where that cannot be (a newer one, a read-only place) a temporary catalog is opened: the same answers,
    /// only slower. A database of another program is refused.
    public static func open(at path: [UInt8]) throws -> Catalog {
        let folder = path.lastIndex(of: UInt8(ascii: "/")).map { Array(path[..<$0]) } ?? []
        do {
            if !folder.isEmpty { try FolderOperations.makeFolders(folder) }
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
            case .foreign:
                throw SnapcatError(
                    .usage, "Not a catalog of snapcat", TerminalText.lossy(path),
                    reason: "it is a database of another program", advice: "name another file with --catalog")
            }
        } catch let error as Errno where isReadOnly(error) {
            return try temporary(note: "the catalog's place cannot be written (\(error)); a temporary one serves")
        } catch let error as DatabaseError where isReadOnly(error) {
            return try temporary(note: "the catalog's place cannot be written; a temporary one serves")
        } catch let error as DatabaseError {
            throw mapped(error, path)
        } catch let error as Errno {
            throw SnapcatError.system("Cannot open the catalog", path, error)
        }
    }

    /// A catalog that goes with this object.
    package static func temporary(note: String = "") throws -> Catalog {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("snapcat-\(UInt64.random(in: .min ... .max))", isDirectory: true)
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let queue = try connection(Array(folder.appendingPathComponent("catalog.sqlite").path.utf8))
        let catalog = Catalog(queue, path: nil, note: note, temporaryFolder: folder)
        try catalog.makeSchema()
        return catalog
    }

    private static func isReadOnly(_ error: Errno) -> Bool {
        [.readOnlyFileSystem, .permissionDenied, .notPermitted].contains(error)
    }

    private static func isReadOnly(_ error: DatabaseError) -> Bool {
        [.SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_PERM].contains(error.resultCode)
    }

    private static func condition(_ path: [UInt8]) throws -> Condition {
        guard let status = try Descriptor.statusIfPresent(path, following: true) else { return .absent }
        guard status.kind == .regular else { return .foreign }
        // To be written by us, or not to be used.
        _ = try Descriptor.open(path, .readWrite)
        if status.size == 0 { return .absent }
        do {
            // Read-only and as it is: it may be another program's.
            var configuration = Configuration()
            configuration.readonly = true
            configuration.busyMode = .timeout(30)
            let queue = try DatabaseQueue(path: String(decoding: path, as: UTF8.self), configuration: configuration)
            defer {
                // Nothing was written: a failed close loses nothing.
                do { try queue.close() } catch {}
            }
            return try queue.inDatabase { db in
                let id = try Int64.fetchOne(db, sql: "PRAGMA application_id") ?? 0
                let version = try Int32.fetchOne(db, sql: "PRAGMA user_version") ?? 0
                let tables = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_schema") ?? 0
                if id != applicationId { return tables == 0 ? .replaceable("it is empty") : .foreign }
                if version > Schema.version { return .newer }
                if version < Schema.version { return .replaceable("it is of an older snapcat") }
                return .usable
            }
        } catch let error as DatabaseError where isDamage(error) {
            return .replaceable(error.message ?? "it is damaged")
        }
    }

    private static func isDamage(_ error: DatabaseError) -> Bool {
        [.SQLITE_CORRUPT, .SQLITE_NOTADB].contains(error.resultCode)
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
            let aside = path + Array(".replaced-\(number)".utf8)
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
        // It holds names of files: nobody else may read it.
        _ = try Descriptor.open(path, [.readWrite, .create], mode: 0o600)
        let catalog = try connect(path)
        try catalog.makeSchema()
        return catalog
    }

    private static func connect(_ path: [UInt8]) throws -> Catalog {
        Catalog(try connection(path), path: path)
    }

    private static func connection(_ path: [UInt8]) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.label = "catalog"
        configuration.busyMode = .timeout(30)
        // The writer keeps the references itself; checking each one would cost a look-up per row.
        configuration.foreignKeysEnabled = false
        configuration.prepareDatabase { db in
            try db.execute(sql: "PRAGMA journal_mode = WAL")
            try db.execute(sql: "PRAGMA synchronous = NORMAL")
            try db.execute(sql: "PRAGMA cache_size = -32768")
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

    package static func mapped(_ error: DatabaseError, _ path: [UInt8]) -> SnapcatError {
        let subject = TerminalText.lossy(path)
        switch error.resultCode {
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            return SnapcatError(
                .locked, "The catalog is in use", subject, reason: "another process is writing to it",
                advice: "try again", isTransient: true)
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            return SnapcatError(
                .catalogDamage, "The catalog is damaged", subject, reason: error.message ?? "",
                advice: "delete it: it is built anew from the snapshots")
        case .SQLITE_FULL:
            return SnapcatError(.failed, "Cannot write the catalog", subject, reason: "the disk is full", advice: "free some space")
        default:
            return SnapcatError(.failed, "The catalog cannot do that", subject, reason: error.message ?? "\(error.resultCode)")
        }
    }

    /// Lets the planner know how the rows are spread. After bulk work.
    package func analyze() throws {
        try mapping { try queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA analysis_limit = 1000; ANALYZE") } }
    }

    package var databasePath: String { queue.path }

    /// Ends the connection; the journal goes into the file.
    package func close() throws { try mapping { try queue.close() } }
}

extension Catalog {
    /// Builds a catalog beside the one at `path` and swaps it in whole: until then the old one serves.
    package static func replace<R>(at path: [UInt8], _ fill: (Catalog) throws -> R) throws -> R {
        // A database of another program is refused, as by opening it.
        if case .foreign = try condition(path) {
            throw SnapcatError(
                .usage, "Not a catalog of snapcat", TerminalText.lossy(path),
                reason: "it is a database of another program", advice: "name another file with --catalog")
        }
        if case .replaceable = try condition(path) { try setAside(path) }
        let beside = path + Array(".rebuilding-\(UInt32.random(in: .min ... .max))".utf8)
        do {
            let result = try filled(at: beside, fill)
            for suffix in ["-wal", "-shm"] { try removeIfPresent(path + Array(suffix.utf8)) }
            try FolderOperations.rename(beside, to: path)
            return result
        } catch {
            for suffix in ["", "-wal", "-shm"] { try removeIfPresent(beside + Array(suffix.utf8)) }
            if let error = error as? Errno { throw SnapcatError.system("Cannot replace the catalog", path, error) }
            throw error
        }
    }

    /// Closed again when this returns, so that all of it is in one file.
    private static func filled<R>(at path: [UInt8], _ fill: (Catalog) throws -> R) throws -> R {
        let catalog = try open(at: path)
        let result = try fill(catalog)
        try catalog.close()
        return result
    }

    private static func removeIfPresent(_ path: [UInt8]) throws(Errno) {
        do throws(Errno) { try FolderOperations.removeFile(path) } catch {
            if error != .noSuchFileOrDirectory { throw error }
        }
    }
}
