import SnapcatPlatform
import SystemPackage

/// The folders on the way of a walk. Only the deepest of them stay open: a tree may be deeper than a process may
/// have open files.
struct OpenFolders {
    private struct Level {
        /// nil: closed for now.
        var folder: Descriptor?
        let identity: FileIdentity
        /// Bytes of the path up to and with the slash.
        let prefixLength: Int
    }
    private var levels: [Level] = []

    /// Beside the root, which the way to a closed one begins at.
    static let mostOpen = 64

    mutating func push(_ folder: Descriptor, _ identity: FileIdentity, prefixLength: Int) {
        if levels.count > Self.mostOpen { levels[levels.count - Self.mostOpen].folder = nil }
        levels.append(Level(folder: folder, identity: identity, prefixLength: prefixLength))
    }

    mutating func pop() { levels.removeLast() }

    /// The deepest folder, at `path`; opened again where it was closed. Throws `.staleNFSFileHandle` where another
    /// one is there now.
    mutating func deepest(_ path: [UInt8]) throws(Errno) -> Descriptor {
        if let open = levels[levels.count - 1].folder { return open }
        return try reopen(path)
    }

    /// Opens the way to the deepest folder again, and keeps the last ones open for those who go back up it.
    private mutating func reopen(_ path: [UInt8]) throws(Errno) -> Descriptor {
        var parent: Descriptor?
        for index in levels.indices {
            if let open = levels[index].folder { parent = open } else { parent = try reopen(index, in: parent, path) }
        }
        guard let parent else { throw .noSuchFileOrDirectory }
        return parent
    }

    private mutating func reopen(_ index: Int, in parent: Descriptor?, _ path: [UInt8]) throws(Errno) -> Descriptor {
        // The root is never closed.
        guard let parent, index > 0 else { throw .noSuchFileOrDirectory }
        let name = Array(path[levels[index - 1].prefixLength..<levels[index].prefixLength - 1])
        let folder = try Descriptor.open(name, in: parent.raw, [.read, .folder, .noFollow])
        guard FileIdentity(try folder.status()) == levels[index].identity else { throw .staleNFSFileHandle }
        if index >= levels.count - Self.mostOpen { levels[index].folder = folder }
        return folder
    }
}
