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
    /// `stamp`: a file that has several names is told by its inode, since its time may be set through another name.
    case seen(type: String, size: Int64?, stamp: Stamp?)

    enum Stamp: Sendable, Equatable {
        case inode(Int64)
        case mtimeNanoseconds(Int64)
        /// In seconds, as Python has them.
        case mtime(Double)
    }

    init(_ item: SideItem?) {
        guard let item else { self = .nothing; return }
        let stamp: Stamp?
        if let entry = item.entry, let inode = entry.inode, entry.linkCount ?? 1 > 1 {
            stamp = .inode(inode)
        } else {
            stamp = item.mtimeNanoseconds.map { .mtimeNanoseconds($0) } ?? item.mtime.map { .mtime($0) }
        }
        self = .seen(type: item.type, size: item.size, stamp: stamp)
    }

    /// Whether this is what was seen; nil: nothing stands there.
    func matches(_ status: FileStatus?) -> Bool {
        switch (self, status) {
        case (.anything, _), (.nothing, nil): return true
        case (.nothing, _), (.seen, nil): return false
        case (.seen(let type, let size, let stamp), .some(let status)):
            guard type == (status.kind == .regular ? "file" : Node.Kind(mode: status.mode)?.rawValue) else { return false }
            if let size, type == "file", size != status.size { return false }
            switch stamp {
            case .inode(let inode): return inode == Int64(truncatingIfNeeded: status.inode)
            case .mtimeNanoseconds(let time): return time == status.mtimeNanoseconds
            case .mtime(let time): return time == PythonNumber.double(nanoseconds: status.mtimeNanoseconds)
            case nil: return true
            }
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
                if error == .fileExists {
                    let status = try Descriptor.statusIfPresent(name, in: folder.raw)
                    // What the restore could not empty, as it keeps names of it.
                    if status?.kind == .directory { throw Errno.directoryNotEmpty }
                    throw Occupant.changed(whole)
                }
                if error.meansFull { throw error }
            }
        }
        if occupant != .anything { try occupant.check(Descriptor.statusIfPresent(name, in: folder.raw), whole) }
        try FolderOperations.rename(temporary, in: folder.raw, to: name, in: folder.raw)
    }
}
