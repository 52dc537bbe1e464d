import Foundation
import SnapcatTestSupport

/// A repository with two snapshots of two files, and a folder for temporary files of its own.
struct QuerySandbox {
    let folder: TempFolder
    var repo: String { folder.path + "/repo" }
    var catalog: String { repo + "/catalog.sqlite" }

    init() async throws {
        folder = try TempFolder()
        try folder.write("source/a.txt", Array("one\n".utf8))
        try folder.write("source/b/c.txt", Array("two\n".utf8))
        try FileManager.default.createDirectory(atPath: folder.path + "/temporary", withIntermediateDirectories: true)
        for content in ["one\n", "three\n"] {
            try folder.write("source/a.txt", Array(content.utf8))
            _ = try await SnapcatProcess.succeed(["make", folder.path + "/source", "--repo", repo])
        }
    }

    /// Runs `snapcat query`; `DIR` in the arguments stands for the sandbox's folder.
    func query(_ arguments: [String], input: [UInt8] = []) async throws -> SnapcatProcess.Result {
        try await SnapcatProcess.run(
            ["query", "--repo", repo] + arguments.map { $0.replacing("DIR", with: folder.path) },
            environment: ["TMPDIR": folder.path + "/temporary"], input: input, folder: folder.path)
    }

    /// What a query has left behind: locks that keep another process from writing, and temporary files.
    func leftovers() throws -> [String] {
        let script = """
            import os, sqlite3, sys
            try:
                c = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None)
                c.execute("BEGIN IMMEDIATE")
                c.execute("ROLLBACK")
            except sqlite3.Error as e:
                print(e)
            for name in os.listdir(sys.argv[2]): print(name)
            """
        return try Python.run(script, arguments: [catalog, folder.path + "/temporary"])
            .split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
    }
}

extension SnapcatProcess.Result {
    var errorLines: [Substring] { stderr.split(separator: "\n").filter { $0.hasPrefix("snapcat: error: ") } }
}
