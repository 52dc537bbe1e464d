import SnapcatFormat
import SnapcatPlatform
import SnapcatStorage
import SystemPackage

/// What tells a snap root from another one in the same place, as on two disks that are mounted in turn, or in the same
/// folder of two machines: 32 random hex digits in its file `.snapcat-root`. A copy of the whole root has the same ones.
enum SnapRootID {
    private static let key = StorageKey(".snapcat-root")

    /// nil where there is none.
    static func read(_ root: LocalStorage) throws -> [UInt8]? {
        let source: LocalSource
        do { source = try root.source(key) } catch let error as SnapcatError where [.notFound, .notAFile].contains(error.code) {
            return nil
        }
        guard try source.status().size == 32 else { return nil }
        let digits = try source.readAll(limit: 64)
        return isID(digits) ? digits : nil
    }

    /// The one that is there, else a new one; nil where none can be written.
    static func readOrMake(_ root: LocalStorage) throws -> [UInt8]? {
        do {
            if let id = try read(root) { return id }
            let id = random()
            // What is damaged makes room.
            let mode: CreateMode = try root.isOccupiedNow(key) ? .replacing : .exclusive
            try BlockingStorage(root).write(key, mode) { try $0.write(id) }
            return id
        } catch let error as SnapcatError {
            // Another process was faster.
            if error.code == .alreadyExists { return try read(root) }
            guard isNotPermitted(error) else { throw error }
            return nil
        }
    }

    static func isID(_ text: [UInt8]) -> Bool {
        text.count == 32
            && text.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0) }
    }

    /// On a read-only place, of another user, or with a folder where the file must be.
    private static func isNotPermitted(_ error: SnapcatError) -> Bool {
        let errors: [Errno] = [.readOnlyFileSystem, .permissionDenied, .notPermitted, .isDirectory]
        return errors.contains { $0.rawValue == error.errorNumber }
    }

    private static func random() -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0..<32 { bytes.append(Array("0123456789abcdef".utf8)[Int.random(in: 0..<16)]) }
        return bytes
    }
}
