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
}
