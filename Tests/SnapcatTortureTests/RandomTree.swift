import Foundation
import SnapcatPlatform
import SnapcatTestSupport

/// Random edits of a folder: few names and contents, so that they meet again as another type and at another place.
struct RandomTree {
    let folder: TempFolder
    private static let components: [[UInt8]] = [
        Array("a".utf8), Array("b".utf8), Array("a-b".utf8), Array("é".utf8), Array("e\u{301}".utf8), [0xff, 0x0a], Array("-rf".utf8),
        Array("q\"uo\\te".utf8), [0xc3], Array(String(repeating: "long", count: 50).utf8), Array(" ".utf8), Array("😀".utf8), Array("...".utf8),
    ]
    private static let modes: [UInt32] = [0o644, 0o600, 0o755, 0o444, 0o4755]

    /// A name of up to three components.
    static func name(_ random: inout SeededRandom) -> [UInt8] {
        let depth = [1, 1, 2, 3][Int.random(in: 0..<4, using: &random)]
        return Array((0..<depth).map { _ in components[Int.random(in: 0..<components.count, using: &random)] }.joined(separator: [UInt8(ascii: "/")]))
    }

    func edit(_ random: inout SeededRandom) throws {
        let name = Self.name(&random)
        let path = folder.path(name)
        let isInFolders = try isInFolders(name)
        switch Int.random(in: 0..<12, using: &random) {
        case 0..<5:
            try clear(name)
            try folder.write(name, content(&random))
        case 5 where isInFolders: try remove(path)
        case 6:
            try clear(name)
            try FolderOperations.makeFolder(path)
        case 7:
            try clear(name)
            try FolderOperations.makeSymbolicLink(path, in: Descriptor.currentFolder, destination: Self.name(&random))
        case 8 where isInFolders:
            guard let status = try Descriptor.statusIfPresent(path), status.kind == .regular || status.kind == .directory else { return }
            let mode = status.kind == .directory ? [0o755, 0o700, 0o1777][Int.random(in: 0..<3, using: &random)] : Self.modes[Int.random(in: 0..<5, using: &random)]
            try FolderOperations.setMode(mode, of: Descriptor.open(path, status.kind == .directory ? [.read, .folder] : .read))
        case 9 where isInFolders:
            guard try Descriptor.statusIfPresent(path) != nil else { return }
            try FolderOperations.setModificationTime(Int64.random(in: 0...1_700_000_000_000_000_000, using: &random), ofName: path, in: Descriptor.currentFolder)
        case 10 where isInFolders:
            guard try Descriptor.statusIfPresent(path)?.kind == .regular else { return }
            let other = Self.name(&random)
            if other.starts(with: name) || name.starts(with: other) { return }
            try clear(other)
            if try Descriptor.statusIfPresent(path)?.kind == .regular {
                try FolderOperations.makeHardLink(path, in: Descriptor.currentFolder, to: folder.path(other), in: Descriptor.currentFolder)
            }
        case 11 where isInFolders:
            // Written in place: the same size within the same tick of the clock, and the old time given back.
            guard let status = try Descriptor.statusIfPresent(path), status.kind == .regular else { return }
            try folder.write(name, (0..<status.size).map { _ in UInt8.random(in: 0...255, using: &random) })
            try FolderOperations.setModificationTime(status.mtimeNanoseconds, ofName: path, in: Descriptor.currentFolder)
        default: return
        }
    }

    /// Links are not followed.
    private func isInFolders(_ name: [UInt8]) throws -> Bool {
        for index in name.indices where name[index] == UInt8(ascii: "/") {
            if try Descriptor.statusIfPresent(folder.path(Array(name[..<index])))?.kind != .directory { return false }
        }
        return true
    }

    private func content(_ random: inout SeededRandom) -> [UInt8] {
        switch Int.random(in: 0..<12, using: &random) {
        case 0: []
        case 1: random.text(Int.random(in: 1...100_000, using: &random))
        default: Array("content \(Int.random(in: 0..<12, using: &random))".utf8)
        }
    }

    /// Nothing is at the name, and above it are folders.
    private func clear(_ name: [UInt8]) throws {
        for index in name.indices where name[index] == UInt8(ascii: "/") {
            let above = folder.path(Array(name[..<index]))
            if try Descriptor.statusIfPresent(above)?.kind == .directory { continue }
            try remove(above)
            try FolderOperations.makeFolder(above)
        }
        try remove(folder.path(name))
    }

    private func remove(_ path: [UInt8]) throws {
        guard let status = try Descriptor.statusIfPresent(path) else { return }
        guard status.kind == .directory else { return try FolderOperations.removeFile(path) }
        for item in try FolderListing.items(in: Descriptor.open(path, [.read, .folder])) { try remove(path + [UInt8(ascii: "/")] + item.name) }
        try FolderOperations.removeFolder(path)
    }
}
