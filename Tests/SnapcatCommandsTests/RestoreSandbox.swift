import Foundation
import SnapcatFormat
import SnapcatPlatform
import SnapcatTestSupport

/// A source, a target and a repository, used through the binary.
struct RestoreSandbox {
    let folder: TempFolder
    var repo: String { folder.path + "/repo" }
    var source: String { folder.path + "/source" }
    var target: String { folder.path + "/target" }

    init(_ files: [String: String] = ["a.txt": "one\n", "b/c.txt": "two\n"]) throws {
        folder = try TempFolder()
        for (name, content) in files { try write("source/" + name, content) }
    }

    func write(_ name: String, _ content: String) throws { try folder.write(name, Array(content.utf8)) }
    func read(_ name: String) throws -> String { String(decoding: try folder.read(name), as: UTF8.self) }
    func exists(_ name: String) throws -> Bool { try Descriptor.statusIfPresent(folder.path(name)) != nil }

    /// The path of the snapshot.
    @discardableResult
    func make(_ arguments: String...) async throws -> String {
        try await SnapcatProcess.succeed(["make", source, "--repo", repo] + arguments).lines.first ?? ""
    }

    func restore(_ arguments: String...) async throws -> SnapcatProcess.Result {
        try await SnapcatProcess.run(["restore", "--repo", repo, "--file-root", target] + arguments)
    }

    /// Files, links and folders of a snapshot.
    func names(_ reference: String = "latest") async throws -> [String] {
        let rows = try await SnapcatProcess.succeed(["ls", reference, "--recursive", "--repo", repo, "--format", "tsv"])
        return rows.lines.dropFirst().map { String($0.prefix { $0 != "\t" }) }
    }

    /// The files of the repository that are snapshots.
    func snapshots() throws -> [String] {
        try folder.files().map { TerminalText.lossy($0) }.filter { $0.hasPrefix("repo/snap/") && $0.hasSuffix(".jsonl.gz") }
    }
}

extension SnapcatProcess.Result {
    /// The lines of stderr that begin so.
    func lines(_ kind: String) -> [Substring] { stderr.split(separator: "\n").filter { $0.hasPrefix("snapcat: \(kind): ") } }
}
