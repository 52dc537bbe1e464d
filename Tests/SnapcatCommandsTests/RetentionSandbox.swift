import Foundation
import SnapcatFormat
import SnapcatHeap
import SnapcatPlatform
import SnapcatTestSupport

/// A history of four snapshots whose contents come and go, used through the binary.
struct RetentionSandbox {
    let base: RestoreSandbox
    /// The paths of the snapshots, by time.
    let snapshots: [String]

    var repo: String { base.repo }
    var folder: TempFolder { base.folder }

    /// `always` stays; `gone` is in the first two, `brief` in the second, `late` in the last two; `edited` always differs.
    init() async throws {
        base = try RestoreSandbox(["always": "always\n", "gone": "gone\n", "edited": "edit 0\n", "d/inner": "inner\n"])
        var paths = [try await base.make()]
        try base.write("source/brief", "brief\n")
        try base.write("source/edited", "edit 1\n")
        paths.append(try await base.make())
        for name in ["gone", "brief"] { try FileManager.default.removeItem(atPath: base.source + "/" + name) }
        try base.write("source/edited", "edit 2\n")
        try base.write("source/late", "late\n")
        paths.append(try await base.make("--tag", "release"))
        try base.write("source/edited", "edit 3\n")
        paths.append(try await base.make())
        snapshots = paths
    }

    func run(_ arguments: String...) async throws -> SnapcatProcess.Result {
        try await SnapcatProcess.run(arguments + ["--repo", repo])
    }

    /// The rows that a command prints.
    func rows(_ arguments: [String]) async throws -> (status: Int32, rows: [[String: String]], talk: String) {
        let result = try await SnapcatProcess.run(arguments + ["--repo", repo, "--format", "json"])
        let parsed = try result.stdout.isEmpty ? [] : JSONSerialization.jsonObject(with: Data(result.stdout)) as? [[String: Any]] ?? []
        return (result.status, parsed.map { $0.mapValues { "\($0)" } }, result.stderr)
    }

    func files(_ place: String) throws -> [String] {
        try folder.files().map { TerminalText.lossy($0) }.filter { $0.hasPrefix("repo/" + place) }
    }

    /// The objects in their places, by md5.
    func objects() throws -> Set<String> {
        Set(try files("heap/").filter { $0.hasSuffix(".gz") && !$0.contains("/trash/") && !$0.contains("/damaged/") }
            .map { String($0.dropFirst(13).prefix(32)) })
    }

    func trashed() throws -> Set<String> { Set(try files("heap/trash/").map { String($0.suffix(35).prefix(32)) }) }

    func left() throws -> [String] { try base.snapshots().filter { !$0.contains("/trash/") }.map { String($0.suffix(36)) } }

    func name(_ index: Int) -> String { String(snapshots[index].suffix(36)) }

    /// The name of a snapshot without its ending.
    func stem(_ index: Int) -> String { String(name(index).dropLast(9)) }

    func companion(_ index: Int) -> String { snapshots[index].replacing(".jsonl.gz", with: ".meta.gz") }

    /// The bytes of a snapshot and of its companion as they are now.
    func pair(_ index: Int) throws -> [Data] {
        try [snapshots[index], companion(index)].map { try Data(contentsOf: URL(fileURLWithPath: $0)) }
    }

    /// Writes a companion with another first line.
    func changeFacts(_ index: Int, _ change: (String) -> String) throws {
        let url = URL(fileURLWithPath: companion(index))
        let bytes = try GzipReader(ArraySource(try Array(Data(contentsOf: url))), name: url.path).readAll(limit: 1 << 20)
        var lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
        lines[0] = change(lines[0])
        try Data(Gzip.compress(Array(lines.joined(separator: "\n").utf8), level: .standard)).write(to: url)
    }

    static func md5(_ text: String) -> String {
        Array(text.utf8).withUnsafeBytes { MD5Hasher.digest($0) }.description
    }
}
