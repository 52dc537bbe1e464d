import Foundation
import Testing

/// A small file system of its own (tmpfs), for tests of full and of read-only disks.
package final class SmallDisk: Sendable {
    private let folder: TempFolder
    package var path: String { folder.path }

    private init(_ folder: TempFolder) { self.folder = folder }

    /// nil where file systems may not be mounted: that is told, and is a failure in CI.
    package static func mount(kilobytes: Int) throws -> SmallDisk? {
        let folder = try TempFolder()
        if try run("mount", "-t", "tmpfs", "-o", "size=\(kilobytes)k", "none", folder.path) { return SmallDisk(folder) }
        if ProcessInfo.processInfo.environment["CI"] != nil {
            Issue.record("no file system can be mounted: tests of full disks need root in CI")
        } else {
            print("skipped: no file system can be mounted here (not root?)")
        }
        return nil
    }

    package func makeReadOnly() throws {
        guard try Self.run("mount", "-o", "remount,ro", path) else {
            throw SnapcatProcess.Failure(description: "cannot remount \(path) read-only")
        }
    }

    /// Gives the file system another size; what is in it stays.
    package func resize(kilobytes: Int) throws {
        guard try Self.run("mount", "-o", "remount,size=\(kilobytes)k", path) else {
            throw SnapcatProcess.Failure(description: "cannot give \(path) \(kilobytes) KiB")
        }
    }

    /// The same, so that this much is free.
    package func resize(leavingKilobytes room: Int) throws {
        let facts = try FileManager.default.attributesOfFileSystem(forPath: path)
        guard let size = facts[.systemSize] as? Int, let free = facts[.systemFreeSize] as? Int else {
            throw SnapcatProcess.Failure(description: "cannot tell how full \(path) is")
        }
        // 0 would be no limit at all.
        try resize(kilobytes: max(4, (size - free) >> 10 + room))
    }

    /// Shows a folder of another file system at a name of this one. False where that may not be done.
    package func bind(_ folder: String, at name: String) throws -> Bool {
        try FileManager.default.createDirectory(atPath: path + "/" + name, withIntermediateDirectories: true)
        return try Self.run("mount", "--bind", folder, path + "/" + name)
    }

    /// Fills the disk with one file, and returns its path; `leavingKilobytes` stay free.
    package func fill(leavingKilobytes: Int = 0) throws -> String {
        let file = path + "/.filler"
        let free = try FileManager.default.attributesOfFileSystem(forPath: path)[.systemFreeSize] as? Int ?? 0
        try Data(count: max(0, free - leavingKilobytes << 10)).write(to: URL(fileURLWithPath: file))
        return file
    }

    deinit {
        // Lazily: a file that is still open keeps no test from ending.
        do { _ = try Self.run("umount", "-l", "-R", path) } catch {}
    }

    private static func run(_ arguments: String...) throws -> Bool {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus == 0
    }
}
