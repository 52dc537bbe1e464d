import SnapcatPlatform
import SnapcatTestSupport
import SystemPackage
import Testing

@testable import Snapcat

/// The folders on the way of a walk: closed ones come back, and only as themselves.
@Suite struct OpenFoldersTests {
    private let folder: TempFolder
    private var folders = OpenFolders()
    private var path: [UInt8] = []
    private static let depth = OpenFolders.mostOpen + 20

    init() throws {
        folder = try TempFolder()
        for level in 0...Self.depth {
            if level > 0 { path += Array("d/".utf8) }
            try FolderOperations.makeFolders(folder.path(path))
            let opened = try Descriptor.open(folder.path(path), [.read, .folder])
            folders.push(opened, FileIdentity(try opened.status()), prefixLength: path.count)
        }
    }

    /// To the folder of this level: all below it are left.
    private func back(to level: Int) throws(Errno) -> FileIdentity {
        var (folders, path) = (folders, path)
        for _ in level..<Self.depth { folders.pop() }
        path.removeLast(2 * (Self.depth - level))
        return FileIdentity(try folders.deepest(path).status())
    }

    @Test func aClosedFolderIsOpenedAgain() throws {
        for level in [0, 1, 10, 20, 21, Self.depth] {
            let place = folder.path(Array(path.prefix(2 * level)))
            #expect(try back(to: level) == FileIdentity(try Descriptor.status(place)), "level \(level)")
        }
    }

    @Test func anotherFolderInItsPlaceIsRefused() throws {
        try FolderOperations.rename(folder.path("d/d/d"), to: folder.path("moved"))
        #expect(throws: Errno.noSuchFileOrDirectory) { try back(to: 10) }
        try FolderOperations.makeFolders(folder.path(Array(path.prefix(2 * 10))))
        #expect(throws: Errno.staleNFSFileHandle) { try back(to: 10) }
        #expect(try back(to: 2) == FileIdentity(try Descriptor.status(folder.path("d/d"))))
        #expect(try back(to: Self.depth - 1) == FileIdentity(try Descriptor.status(
            folder.path(Array("moved/".utf8) + path.prefix(2 * (Self.depth - 1)).dropFirst(6)))))
    }
}
