import Foundation
import SystemPackage

/// The folder for files that live no longer than a command: `TMPDIR`, else `/tmp`.
package enum TemporaryPlace {
    /// Makes a folder of its own there, for nobody else. The place itself is never made: a wrong `TMPDIR` is told.
    package static func makeFolder() throws(SnapcatError) -> URL {
        let chosen = ProcessInfo.processInfo.environment["TMPDIR"] ?? ""
        let place = URL(fileURLWithPath: chosen.isEmpty ? "/tmp" : chosen, isDirectory: true)
        let folder = place.appendingPathComponent(
            "snapcat-\(String(UInt64.random(in: .min ... .max), radix: 36))", isDirectory: true)
        do throws(Errno) { try FolderOperations.makeFolder(Array(folder.path.utf8), mode: 0o700) } catch {
            throw .system(
                "Cannot make a temporary folder in", place.path, error,
                advice: "set TMPDIR to a folder that can be written")
        }
        return folder
    }

    /// Opens a new file there that has no name any more: it goes with its descriptor.
    package static func makeNamelessFile() throws(SnapcatError) -> Descriptor {
        let folder = try Array(makeFolder().path.utf8)
        let file = folder + Array("/file".utf8)
        return try withSystemError("Cannot make a temporary file in", folder) { () throws(Errno) in
            let descriptor: Descriptor
            do throws(Errno) { descriptor = try Descriptor.open(file, [.readWrite, .createNew], mode: 0o600) } catch {
                // On a full disk the empty folder must not stay either.
                try FolderOperations.removeFolder(folder)
                throw error
            }
            try FolderOperations.removeFile(file)
            try FolderOperations.removeFolder(folder)
            return descriptor
        }
    }
}
