import Foundation
import SnapcatPlatform
import SnapcatTestSupport
import Testing

/// `Scripts/bench` without its peers: the rows are listed, and the data that it makes is what it says it is.
@Suite struct BenchmarkTests {
    private static let scripts = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Scripts").path

    /// Runs a program and returns its stdout; anything but exit code 0 is an error.
    private static func output(_ command: [String]) async throws -> String {
        let script = "import subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=sys.stdout)"
        return try await WorkerThread.run("benchmark-test", cancellation: CancellationFlag()) {
            String(decoding: try Python.run(script, arguments: command), as: UTF8.self)
        }
    }

    private static func generate(_ kind: String, _ folder: String, _ options: String...) async throws -> [String: Any] {
        let program = scripts + "/benchmark/generate.py"
        _ = try await output(["python3", program, kind, folder] + options)
        let manifest = try Data(contentsOf: URL(fileURLWithPath: folder + "/manifest.json"))
        return try #require(try JSONSerialization.jsonObject(with: manifest) as? [String: Any])
    }

    @Test func benchListsItsRowsWithoutAPeer() async throws {
        let rows = try await Self.output([Self.scripts + "/bench", "--list"]).split(separator: "\n")
        for name in ["make-first", "restore", "compare-files", "catalog-size", "check-read-data"] {
            #expect(rows.contains { $0.hasPrefix(name + " ") }, "\(name)")
        }
        #expect(try await Self.output([Self.scripts + "/bench", "--list", "--rows", "restore"]).hasPrefix("restore "))
    }

    @Test func aComparisonFindsTheChangesOfTheGeneratedPair() async throws {
        let folder = try TempFolder()
        let manifest = try await Self.generate("pair", folder.path + "/pair", "--entries", "1000", "--seed", "2")
        let changes = try #require(manifest["changes"] as? [String: Int])
        #expect(changes.values.reduce(0, +) == 1000)
        let repository = ["--snap-root", folder.path + "/pair/pair", "--catalog", folder.path + "/catalog.sqlite"]
        let list = try await SnapcatProcess.succeed(["list", "--format", "csv"] + repository)
        #expect(list.lines.count == 3)
        let left = try #require(manifest["left"] as? String)
        let right = try #require(manifest["right"] as? String)
        let files = [left, right].map { folder.path + "/pair/" + $0 }
        for sides in [["oldest", "latest"] + repository, files] {
            let rows = try await SnapcatProcess.succeed(["compare", "--format", "csv"] + sides).lines.dropFirst()
            let found = Dictionary(grouping: rows) { String($0.prefix { $0 != "," }) }.mapValues(\.count)
            #expect(found == changes.filter { $0.key != "equal" && $0.value > 0 })
        }
    }

    @Test func theCatalogHasTheVersionsOfTheGeneratedHistory() async throws {
        let folder = try TempFolder()
        let manifest = try await Self.generate(
            "history", folder.path + "/history", "--entries", "300", "--snapshots", "12")
        let probe = try #require(manifest["probe"] as? String)
        let versions = try #require(manifest["probe_versions"] as? Int)
        let sql = """
            SELECT (SELECT count(*) FROM snapshot WHERE status = 'complete') AS snapshots,
                (SELECT count(*) FROM file_version WHERE name = :name) AS versions
            """
        let result = try await SnapcatProcess.succeed([
            "query", sql, "-p", "name=" + probe, "--format", "csv", "--snap-root", folder.path + "/history/snap",
            "--catalog", folder.path + "/catalog.sqlite",
        ])
        #expect(result.lines == ["snapshots,versions", "12,\(versions)"])
        #expect(versions == 3)
    }
}
