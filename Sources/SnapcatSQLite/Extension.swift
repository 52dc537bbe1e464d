import GRDBSQLite
import Snapcat

/// The entry point that SQLite calls for `.load` and `load_extension` (sqlite.org/loadext.html).
///
/// The functions of `CatalogFunctions` then work on that connection. Refused where the host program has a copy of
/// SQLite of its own: two copies in one process damage each other's state.
@_cdecl("sqlite3_extension_init")
public func extensionInit(
    _ connection: OpaquePointer?, _ message: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?,
    _ routines: UnsafePointer<UnsafeRawPointer?>?
) -> Int32 {
    guard let connection, let routines else { return SQLITE_ERROR }
    // The first of the host's routines, against the same one of the library that this extension is linked to.
    let own: @convention(c) (OpaquePointer?, Int32) -> UnsafeMutableRawPointer? = sqlite3_aggregate_context
    guard routines.pointee == unsafeBitCast(own, to: UnsafeRawPointer.self) else {
        return failed("snapcat: this program has its own copy of SQLite; use one with the system's libsqlite3", message)
    }
    do {
        try CatalogFunctions.install(on: connection)
        // Swift's runtime cannot be unloaded.
        return loadPermanently
    } catch {
        return failed("snapcat: \(error)", message)
    }
}

/// SQLITE_OK_LOAD_PERMANENTLY: a macro of C that Swift does not see.
private let loadPermanently = SQLITE_OK | (1 << 8)

private func failed(_ text: String, _ message: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> Int32 {
    let bytes = Array(text.utf8CString)
    if let copy = sqlite3_malloc64(UInt64(bytes.count)) {
        let characters = copy.assumingMemoryBound(to: CChar.self)
        for (index, byte) in bytes.enumerated() { characters[index] = byte }
        message?.pointee = characters
    }
    return SQLITE_ERROR
}
