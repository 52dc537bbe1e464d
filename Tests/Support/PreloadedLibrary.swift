import Foundation

/// Small libraries that are put before the C library's functions of a program under test (`LD_PRELOAD`), compiled by
/// the toolchain's clang.
enum PreloadedLibrary {
    private static let folder = NSTemporaryDirectory() + "snapcat-preloaded-\(ProcessInfo.processInfo.processIdentifier)"

    /// What `LD_PRELOAD` has to be: the library, and what is loaded so already (`Scripts/sanitize`). One name for each.
    static func compiled(_ name: String, _ source: String) throws -> String {
        let loaded = ProcessInfo.processInfo.environment["LD_PRELOAD"] ?? ""
        return [try compile(name, source), loaded].filter { !$0.isEmpty }.joined(separator: ":")
    }

    /// Removed at the end of the process.
    private static func compile(_ name: String, _ source: String) throws -> String {
        atexit {
            // What is left over disturbs no test.
            do { try FileManager.default.removeItem(atPath: PreloadedLibrary.folder) } catch {}
        }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try source.write(toFile: "\(folder)/\(name).c", atomically: true, encoding: .utf8)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["clang", "-shared", "-fPIC", "-O1", "-pthread", "-o", "\(folder)/\(name).so", "\(folder)/\(name).c", "-ldl"]
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw SnapcatProcess.Failure(description: "clang cannot build the library '\(name)'")
        }
        return "\(folder)/\(name).so"
    }
}
