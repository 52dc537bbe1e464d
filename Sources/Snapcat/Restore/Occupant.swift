import SnapcatFormat
import SnapcatPlatform
import SystemPackage

/// What stands in a name's place, as the plan of a restore has seen it.
///
/// A large restore runs for hours, and its safety snapshot is as old: what somebody has written there meanwhile is in no
/// snapshot, and is neither replaced nor deleted.
enum Occupant: Sendable, Equatable {
    /// Whatever stands there gives way.
    case anything
    case nothing
    /// In nanoseconds where they are known, else in seconds as Python has them; the size is a file's.
    case seen(type: String, size: Int64?, mtimeNanoseconds: Int64?, mtime: Double?)

    init(_ item: SideItem?) {
        guard let item else { self = .nothing; return }
        self = .seen(type: item.type, size: item.size, mtimeNanoseconds: item.mtimeNanoseconds, mtime: item.mtime)
    }

    /// Whether this is what was seen; nil: nothing stands there.
    func matches(_ status: FileStatus?) -> Bool {
        switch (self, status) {
        case (.anything, _), (.nothing, nil): return true
        case (.nothing, _), (.seen, nil): return false
        case (.seen(let type, let size, let mtimeNanoseconds, let mtime), .some(let status)):
            guard type == (status.kind == .regular ? "file" : Node.Kind(mode: status.mode)?.rawValue) else { return false }
            if let size, type == "file", size != status.size { return false }
            if let mtimeNanoseconds { return mtimeNanoseconds == status.mtimeNanoseconds }
            return mtime.map { $0 == PythonNumber.double(nanoseconds: status.mtimeNanoseconds) } ?? true
        }
    }

    /// Throws where something else stands there than was seen.
    func check(_ status: FileStatus?, _ name: [UInt8]) throws(SnapcatError) {
        if !matches(status) { throw Self.changed(name) }
    }

    fileprivate static func changed(_ name: [UInt8]) -> SnapcatError {
        SnapcatError(
            .failed, "Left as it is", TerminalText.lossy(name), reason: "something else stands there than when restore looked",
            advice: "run restore again where it may be replaced")
    }
}

extension TargetTree.Place {
    /// Gives a finished temporary file or link its name. Throws, and leaves what stands there, where that is not what the
    /// plan has seen.
    func publish(_ temporary: [UInt8], as whole: [UInt8], over occupant: Occupant) throws {
        if occupant == .nothing {
            do throws(Errno) {
                return try FolderOperations.renameExclusively(temporary, in: folder.raw, to: name, in: folder.raw)
            } catch {
                // A file system may have no way to rename exclusively: then a look has to do.
                if error == .fileExists { throw Occupant.changed(whole) }
                if error.meansFull { throw error }
            }
        }
        if occupant != .anything { try occupant.check(Descriptor.statusIfPresent(name, in: folder.raw), whole) }
        try FolderOperations.rename(temporary, in: folder.raw, to: name, in: folder.raw)
    }
}
