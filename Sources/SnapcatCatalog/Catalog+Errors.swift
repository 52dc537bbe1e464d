import GRDB
import SnapcatPlatform

extension Catalog {
    /// SQLite tells a full disk also as an I/O error, where it is the journal or its index that finds no room.
    static func isUnwritable(_ error: DatabaseError) -> Bool {
        [.SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_FULL, .SQLITE_IOERR].contains(error.resultCode)
    }

    static func isDamage(_ error: DatabaseError) -> Bool {
        // Where the number of the format in the header is damaged SQLite knows none such, and calls it no damage.
        [.SQLITE_CORRUPT, .SQLITE_NOTADB].contains(error.resultCode)
            || error.resultCode == .SQLITE_ERROR && error.message == "unsupported file format"
    }

    package static func mapped(_ error: DatabaseError, _ path: [UInt8]) -> SnapcatError {
        let subject = TerminalText.lossy(path)
        switch error.resultCode {
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            return SnapcatError(
                .locked, "The catalog is in use", subject, reason: "another process is writing to it",
                advice: "try again", isTransient: true)
        case _ where isDamage(error):
            return SnapcatError(
                .catalogDamage, "The catalog is damaged", subject, reason: error.message ?? "",
                advice: "delete it: it is built anew from the snapshots")
        case _ where isUnwritable(error):
            let reason = error.resultCode == .SQLITE_FULL ? "the disk is full" : error.message ?? "\(error.resultCode)"
            return SnapcatError(
                .catalogUnwritable, "Cannot write the catalog", subject, reason: reason,
                advice: "see that its place has room and can be written")
        default:
            return SnapcatError(.failed, "The catalog cannot do that", subject, reason: error.message ?? "\(error.resultCode)")
        }
    }
}
