import GRDB
import SnapcatPlatform
import SystemPackage

extension Catalog {
    /// Builds a catalog beside the one at `path` and swaps it in whole: until then the old one serves.
    ///
    /// What a killed build has left is overwritten by the next. Throws `.locked` where another process is building.
    package static func replace<R>(at path: [UInt8], _ fill: (Catalog) throws -> R) throws -> R {
        try makeRoom(path)
        let beside = path + Array(buildSuffix.utf8)
        let lock = try lock(beside)
        // SQLite's own locks on the file would go with this descriptor: it is closed after all is done.
        defer { withExtendedLifetime(lock) {} }
        do {
            let result = try filled(at: beside, fill)
            try withSystemErrors("Cannot make the catalog durable", path) { try lock.sync() }
            for suffix in ["-wal", "-shm"] { try removeIfPresent(path + Array(suffix.utf8)) }
            try FolderOperations.rename(beside, to: path)
            return result
        } catch {
            for suffix in ["", "-wal", "-shm", "-journal"] { try removeIfPresent(beside + Array(suffix.utf8)) }
            if let error = error as? Errno { throw SnapcatError.system("Cannot replace the catalog", path, error) }
            throw error
        }
    }

    /// A database of another program is refused, and one that is damaged is set aside.
    private static func makeRoom(_ path: [UInt8]) throws {
        do {
            switch try condition(path) {
            case .foreign(let reason): throw foreign(path, reason)
            case .replaceable: try setAside(path)
            case .usable, .absent, .newer: break
            }
        } catch let error as DatabaseError {
            throw mapped(error, path)
        } catch let error as Errno {
            throw SnapcatError.system("Cannot replace the catalog", path, error)
        }
    }

    /// Pages are written once, and not before they must: a build that a crash cuts off is overwritten by the next.
    /// Transactions can be rolled back all the same.
    private func prepareForBuilding() throws {
        try executeOutsideTransaction("PRAGMA journal_mode = DELETE")
        try executeOutsideTransaction("PRAGMA synchronous = OFF")
    }

    /// An empty file that only this process builds in.
    private static func lock(_ path: [UInt8]) throws -> Descriptor {
        while true {
            let file = try withSystemErrors("Cannot build the catalog", path) {
                try Descriptor.open(path, [.readWrite, .create, .noFollow, .nonBlocking], mode: 0o600)
            }
            if try withSystemErrors("Cannot build the catalog", path, { try file.status().kind != .regular }) {
                throw SnapcatError(.failed, "Cannot build the catalog", TerminalText.lossy(path), reason: "it is no regular file")
            }
            guard file.lock(exclusive: true) != .held else {
                throw SnapcatError(
                    .locked, "The catalog is being built by another process", TerminalText.lossy(path),
                    advice: "wait for it", isTransient: true)
            }
            // Between the two the other process may have swapped it in: then it is no longer there.
            let (own, there) = try withSystemErrors("Cannot build the catalog", path) {
                (try file.status(), try Descriptor.statusIfPresent(path))
            }
            guard own.inode == there?.inode else { continue }
            if own.size == 0 { return file }
            for suffix in ["", "-wal", "-shm", "-journal"] { try removeIfPresent(path + Array(suffix.utf8)) }
        }
    }

    /// Closed again when this returns, so that all of it is in one file.
    private static func filled<R>(at path: [UInt8], _ fill: (Catalog) throws -> R) throws -> R {
        let catalog = try open(at: path)
        try catalog.prepareForBuilding()
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
