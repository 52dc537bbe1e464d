import Foundation
import SnapcatTestSupport
import Testing

/// `snapcat check` finds what is lost or wrong, names it, and leaves it as it is.
@Suite struct CheckTests {
    private struct Finding: Decodable {
        var severity: String
        var kind: String
        var place: String
        var name: String?
        var message: String
    }

    private func check(_ repository: String, _ arguments: [String] = []) async throws -> (status: Int32, findings: [Finding], talk: String) {
        let result = try await SnapcatProcess.run(["check", "--repo", repository, "--format", "json"] + arguments)
        return (result.status, try JSONDecoder().decode([Finding].self, from: Data(result.stdout)), result.stderr)
    }

    private func files(_ folder: String, _ suffix: String) throws -> [String] {
        (FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []).filter { $0.hasSuffix(suffix) }
            .sorted().map { folder + "/" + $0 }
    }

    private func cut(_ path: String) throws {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        try Data(bytes.dropLast(3)).write(to: URL(fileURLWithPath: path))
    }

    @Test func `A good repository is found good, with and without its data`() async throws {
        let history = try await EventfulRepository()
        let quick = try await check(history.repository)
        #expect(quick.status == 0 && quick.findings.isEmpty, "\(quick.talk)")
        let whole = try await check(history.repository, ["--read-data"])
        #expect(whole.status == 0 && whole.findings.isEmpty && whole.talk.contains("objects read"), "\(whole.talk)")
        let verified = try await SnapcatProcess.succeed([
            "query", "--repo", history.repository, "--format", "csv",
            "SELECT count(*) = sum(verify_result = 'ok' AND verified_at > '2020') AS n FROM object",
        ])
        #expect(verified.lines == ["n", "1"])
    }

    @Test func `Without a heap the objects are told as not looked at, and cannot be read`() async throws {
        let history = try await EventfulRepository()
        let snap = ["check", "--snap-root", history.repository + "/snap"]
        let quick = try await SnapcatProcess.run(snap)
        #expect(quick.status == 0 && quick.stderr.contains("objects are not looked at"), "\(quick.stderr)")
        for bounds in [[], ["--max-age", "30d"]] {
            let whole = try await SnapcatProcess.run(snap + ["--read-data"] + bounds)
            #expect(whole.status == 64 && whole.lines("error").count == 1 && whole.stdout.isEmpty, "\(whole.stderr)")
        }
    }

    @Test func `A missing object is named with a file that has it`() async throws {
        let history = try await EventfulRepository()
        let object = try files(history.repository + "/heap", ".gz")[0]
        try FileManager.default.removeItem(atPath: object)
        let result = try await check(history.repository)
        #expect(result.status == 5 && result.findings.map(\.kind) == ["missing"])
        #expect(result.findings.first.map { object.hasSuffix($0.place.suffix(40)) && $0.name != nil } == true)
    }

    @Test func `A damaged object is found by reading, and stays where it is`() async throws {
        let history = try await EventfulRepository()
        let object = try files(history.repository + "/heap", ".gz")[2]
        try cut(object)
        #expect(try await check(history.repository).status == 0)
        let result = try await check(history.repository, ["--read-data"])
        #expect(result.status == 5 && result.findings.map(\.kind) == ["object"])
        #expect(FileManager.default.fileExists(atPath: object))
    }

    @Test func `Damaged snapshots and companions are named, and the rest is looked at all the same`() async throws {
        let history = try await EventfulRepository()
        let snapshots = try files(history.repository + "/snap", ".jsonl.gz")
        let companions = try files(history.repository + "/snap", ".meta.gz")
        try cut(snapshots[1])
        try cut(companions[2])
        let result = try await check(history.repository)
        #expect(result.status == 5)
        #expect(result.findings.contains { $0.kind == "snapshot" && snapshots[1].hasSuffix($0.place.suffix(30)) }, "\(result.findings)")
        #expect(result.findings.contains { $0.kind == "companion" && companions[2].hasSuffix($0.place.suffix(30)) }, "\(result.findings)")
        #expect(result.talk.contains("3 snapshots"))
    }

    @Test func `A catalog that says something else is found, and a foreign object only noted`() async throws {
        let history = try await EventfulRepository()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["sqlite3", history.repository + "/catalog.sqlite", "UPDATE version SET mode = mode + 1 WHERE path_id = 3"]
        try process.run()
        process.waitUntilExit()
        try history.folder.write("repo/heap/00/00000000000000000000000000000000.gz", [1])
        let result = try await check(history.repository)
        #expect(result.status == 5)
        #expect(Set(result.findings.map(\.kind)) == ["catalog", "orphan"], "\(result.findings)")
        #expect(result.findings.first { $0.kind == "orphan" }?.severity == "note")
        _ = try await SnapcatProcess.succeed(["catalog", "rebuild", "--repo", history.repository])
        #expect(try await check(history.repository).status == 0)
    }
}
