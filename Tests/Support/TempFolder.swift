import Foundation
import SnapcatPlatform
import SystemPackage

/// A temporary folder of its own for a test, removed with everything in it when the last reference goes.
package final class TempFolder: Sendable {
    /// Absolute, every symlink resolved, no slash at its end.
    package let path: String

    /// Makes the folder below `TMPDIR`, else below `/tmp`.
    package init() throws {
        let parent = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
        let resolved = FolderOperations.realPath(Array(parent.utf8)) ?? Array(parent.utf8)
        let name = "/snapcat-test-" + String(UInt64.random(in: .min ... .max), radix: 36)
        path = String(decoding: resolved, as: UTF8.self) + name
        try FolderOperations.makeFolder(Array(path.utf8), mode: 0o700)
    }

    deinit {
        // A folder that is left over disturbs no test: each has a name of its own.
        do { try Self.empty(bytes) } catch { return }
        do throws(Errno) { try FolderOperations.removeFolder(bytes) } catch {}
    }

    package var bytes: [UInt8] { Array(path.utf8) }

    /// The path of a name in the folder.
    package func path(_ name: [UInt8]) -> [UInt8] { bytes + [UInt8(ascii: "/")] + name }

    package func path(_ name: String) -> [UInt8] { path(Array(name.utf8)) }

    /// Writes a file, replacing it; folders above it are made. `name` may hold any bytes but NUL.
    package func write(_ name: [UInt8], _ contents: [UInt8]) throws {
        let path = path(name)
        if let slash = name.lastIndex(of: UInt8(ascii: "/")) {
            try FolderOperations.makeFolders(self.path(Array(name[..<slash])))
        }
        let file = try Descriptor.open(path, [.write, .create])
        try file.rewindAndTruncate()
        try contents.withUnsafeBytes { try file.writeAll($0) }
    }

    package func write(_ name: String, _ contents: [UInt8]) throws { try write(Array(name.utf8), contents) }

    /// The contents of a file.
    package func read(_ name: [UInt8]) throws -> [UInt8] {
        let file = try Descriptor.open(path(name), .read)
        var contents = [UInt8](repeating: 0, count: Int(try file.status().size))
        var filled = 0
        while filled < contents.count {
            let count = try contents.withUnsafeMutableBytes {
                try file.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[filled...]))
            }
            if count == 0 { break }
            filled += count
        }
        return Array(contents[..<filled])
    }

    package func read(_ name: String) throws -> [UInt8] { try read(Array(name.utf8)) }

    /// The names of everything below the folder that is no folder, relative, in byte order.
    package func files() throws -> [[UInt8]] {
        var result: [[UInt8]] = []
        try collect([], into: &result)
        return result.sorted { $0.lexicographicallyPrecedes($1) }
    }

    private func collect(_ name: [UInt8], into result: inout [[UInt8]]) throws {
        let path = name.isEmpty ? bytes : path(name)
        for item in try FolderListing.items(in: Descriptor.open(path, [.read, .folder])) {
            let inner = name.isEmpty ? item.name : name + [UInt8(ascii: "/")] + item.name
            if try Descriptor.status(self.path(inner)).kind == .directory {
                try collect(inner, into: &result)
            } else {
                result.append(inner)
            }
        }
    }

    private static func empty(_ path: [UInt8]) throws {
        let folder = try Descriptor.open(path, [.read, .folder])
        // Tests of permissions leave folders that refuse to be emptied.
        try FolderOperations.setMode(0o700, of: folder)
        for item in try FolderListing.items(in: folder) {
            if try Descriptor.status(item.name, in: folder.raw).kind == .directory {
                try empty(path + [UInt8(ascii: "/")] + item.name)
                try FolderOperations.removeFolder(item.name, in: folder.raw)
            } else {
                try FolderOperations.removeFile(item.name, in: folder.raw)
            }
        }
    }
}
