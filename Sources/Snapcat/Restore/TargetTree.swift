import CPlatform
import SnapcatFormat
import SnapcatPlatform
import SnapcatStorage
import Synchronization
import SystemPackage

/// The folders below a restore's target, each opened from the one above without following a symlink: nothing in
/// the target can lead a write out of it (RELIABILITY.md 6).
///
/// Keeps the last few folders on the way to the last name open; names come in order, so that most share them. One per
/// thread.
final class TargetTree {
    private let root: Descriptor
    /// The folders on the way to the last name; nil for those that are closed, the upper ones of a deep path.
    private var levels: [(name: [UInt8], folder: Descriptor?)] = []
    /// The path of the last of them, where names are in it; nil where it has to be walked.
    private var path: [UInt8]?

    /// So many folders of a thread are open, however deep the tree is.
    private static let mostOpen = 16
    private let widened: WidenedFolders?

    /// `widened`: takes the modes of folders that their owner may not write, and that are made writable; without it no
    /// folder is.
    init(_ root: Descriptor, widening widened: WidenedFolders? = nil) {
        self.root = root
        self.widened = widened
    }

    struct Place {
        var folder: Descriptor
        var name: [UInt8]
    }

    /// The open folder of a name, and its last component. With `creates` missing folders are made, and what is no
    /// folder is removed from the way where `replaces` allows.
    func place(_ name: [UInt8], creates: Bool, replaces: Bool) throws(Errno) -> Place {
        let slash = name.lastIndex(of: UInt8(ascii: "/"))
        let last = Array(name[(slash.map { $0 + 1 } ?? 0)...])
        if last.isEmpty { throw .invalidArgument }
        return Place(folder: try folder(name[..<(slash ?? 0)], creates: creates, replaces: replaces), name: last)
    }

    /// The open folder of this name; the root for none.
    func folder(_ name: ArraySlice<UInt8>, creates: Bool, replaces: Bool) throws(Errno) -> Descriptor {
        if let path, path.elementsEqual(name), let folder = levels.last?.folder { return folder }
        path = nil
        let components = name.split(separator: UInt8(ascii: "/"))
        var shared = 0
        while shared < levels.count && shared < components.count && components[shared].elementsEqual(levels[shared].name) {
            shared += 1
        }
        levels.removeLast(levels.count - shared)
        // From the last one that is open: below the upper ones of a deep path they are opened again.
        var depth = shared
        while depth > 0 && levels[depth - 1].folder == nil { depth -= 1 }
        var folder = depth > 0 ? levels[depth - 1].folder ?? root : root
        while depth < components.count {
            let component = Array(components[depth])
            let whole = name[..<components[depth].endIndex]
            folder = try step(component, whole, in: folder, creates: creates, replaces: replaces)
            if depth < levels.count { levels[depth].folder = folder } else { levels.append((component, folder)) }
            depth += 1
            if depth > Self.mostOpen { levels[depth - 1 - Self.mostOpen].folder = nil }
        }
        path = Array(name)
        return folder
    }

    /// Forgets the open folders, before folders are removed.
    func close() {
        path = nil
        levels = []
    }

    /// `whole`: the name as the root knows it.
    private func step(
        _ name: [UInt8], _ whole: ArraySlice<UInt8>, in folder: Descriptor, creates: Bool, replaces: Bool
    ) throws(Errno) -> Descriptor {
        // Names are refused before: this is what stands between any other mistake and a folder outside.
        if name.elementsEqual(".".utf8) || name.elementsEqual("..".utf8) { throw .invalidArgument }
        do throws(Errno) { return try openFolder(name, whole, in: folder) } catch {
            let isObstacle = error == .notDirectory || error == .tooManySymbolicLinkLevels
            guard creates, error == .noSuchFileOrDirectory || isObstacle && replaces else { throw error }
            if isObstacle { try FolderOperations.removeFile(name, in: folder.raw) }
        }
        do throws(Errno) { try FolderOperations.makeFolder(name, in: folder.raw, mode: 0o700) } catch {
            // Another thread may have been faster.
            if error != .fileExists { throw error }
        }
        return try openFolder(name, whole, in: folder)
    }

    /// A folder that its owner may not write is made writable; its mode is set at the end.
    private func openFolder(_ name: [UInt8], _ whole: ArraySlice<UInt8>, in folder: Descriptor) throws(Errno) -> Descriptor {
        let opened = try Descriptor.open(name, in: folder.raw, [.read, .folder, .noFollow])
        try widened?.widen(opened, whole)
        return opened
    }
}

/// The folders that a restore had to make writable, on whichever of its threads.
final class WidenedFolders: Sendable {
    private let modes = Mutex<[[UInt8]: UInt32]>([:])

    /// What each had at first.
    var all: [[UInt8]: UInt32] { modes.withLock { $0 } }

    func widen(_ folder: Descriptor, _ name: some Sequence<UInt8>) throws(Errno) {
        if cplatform_is_root() != 0 { return }
        let mode = try folder.status().mode
        if mode & 0o300 == 0o300 { return }
        modes.withLock { if $0[Array(name)] == nil { $0[Array(name)] = mode } }
        try FolderOperations.setMode(mode | 0o700, of: folder)
    }
}

extension Errno {
    /// Nothing stands there, or what does is no folder (nor what was looked for in it, where that may not be a link).
    var meansNoFolder: Bool { self == .noSuchFileOrDirectory || self == .notDirectory || self == .tooManySymbolicLinkLevels }
}
