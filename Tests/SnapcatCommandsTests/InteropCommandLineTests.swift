// snapshooter's own command lines, given to snapcat as they are.

import Foundation
import SnapcatTestSupport
import Testing

@Suite("snapshooter's command lines")
struct InteropCommandLineTests {
    @Test func `make-snapshot and restore-snapshot with snapshooter's options do their work`() async throws {
        let roots = try await InteropRoots(tree: .odd)
        let first = try await SnapcatProcess.succeed(roots.rootOptions + ["make-snapshot"]).lines
        try #require(first.count == 1)
        #expect(try await roots.entries(first[0]) == roots.contents(roots.file))
        let source = try await roots.contents(roots.file)

        try await roots.edit(round: 1)
        // Inclusive: the very time in the snapshot's name.
        let taken = try #require(roots.time(ofSnapshot: first[0]))
        _ = try await SnapcatProcess.succeed(
            roots.rootOptions + ["--loglevel", "INFO", "restore-snapshot", "--latest", taken])
        #expect(try await roots.contents(roots.file) == source)
        // As snapshooter does: a snapshot before, with the edits, and one after.
        #expect(try await roots.listed().count == 3)

        try await roots.edit(round: 1)
        _ = try await SnapcatProcess.succeed(
            roots.rootOptions + [
                "restore-snapshot", "--path", first[0], "--no-save-snapshot-before",
                "--no-save-snapshot-after",
            ])
        #expect(try await roots.contents(roots.file) == source)
        #expect(try await roots.listed().count == 3)
    }

    @Test func `the roots by environment do the same`() async throws {
        let roots = try await InteropRoots(tree: .odd)
        let made = try await SnapcatProcess.succeed(["make-snapshot"], environment: roots.rootEnvironment)
        let listed = try await SnapcatProcess.succeed(["list-snapshots"], environment: roots.rootEnvironment)
        #expect(made.lines == listed.lines && made.lines.count == 1)
        let python = try await PythonSnapshooter.commandLine(
            ["list-snapshots"], environment: roots.rootEnvironment)
        #expect(listed.lines == python)
        let source = try await roots.contents(roots.file)
        try await roots.edit(round: 1)
        _ = try await SnapcatProcess.succeed(
            ["restore-snapshot", "--path"] + made.lines, environment: roots.rootEnvironment)
        #expect(try await roots.contents(roots.file) == source)
    }

    @Test func `list-snapshots prints the paths of snapshooter in its order`() async throws {
        let roots = try await InteropRoots(tree: .odd)
        for turn in 0..<3 { _ = try await turn == 1 ? roots.pythonMake() : roots.make() }
        // Foreign names, and more than the ten that are listed by default, over two years.
        for day in 10..<19 {
            try roots.folder.write(
                "repo/snap/2024/02/2024-02-\(day)_00-00-00_00000\(day % 10)Z.jsonl.gz", InteropRoots.emptyGzip
            )
        }
        let options = [
            [], ["--limit", "2"], ["--limit", "3", "--offset", "1"], ["--order", "asc"],
            ["--limit", "5", "--offset", "9", "--order", "asc"], ["--offset", "40"],
        ]
        let spellings = [
            (roots.repo, nil), (roots.repo + "/", nil), ("repo", roots.folder.path), ("../repo", roots.file),
        ]
        for (spelling, folder) in spellings {
            for option in spelling == roots.repo ? options : [[]] {
                let line = [
                    "--file-root", roots.file, "--heap-root", spelling + "/heap", "--snap-root",
                    spelling + "/snap",
                    "list-snapshots",
                ]
                let expected = try await PythonSnapshooter.commandLine(line + option, folder: folder)
                let actual = try await SnapcatProcess.succeed(line + option, folder: folder)
                #expect(actual.lines == expected, "\(spelling) \(option)")
            }
        }
    }

    @Test func `compare-snapshots with snapshooter's options keeps the statuses asked for`() async throws {
        let roots = try await InteropRoots(tree: .odd)
        let left = try await roots.make()
        try await roots.edit(round: 1)
        let right = try await roots.pythonMake()
        for state in ["only_left", "only_right", "different"] {
            let line =
                roots.rootOptions + [
                    "--loglevel", "ERROR", "compare-snapshots", "--path1", left, "--path2", right,
                    "--diff-state",
                    state,
                ]
            let expected = try await roots.compare(left, right).filter { $0.hasPrefix(state + " ") }
            #expect(!expected.isEmpty)
            let rows = try await SnapcatProcess.succeed(line + ["--format", "jsonl"]).lines
            #expect(try roots.fileRows(rows) == expected)
            #expect(rows.allSatisfy { $0.hasPrefix("{\"status\": \"\(state)\"") })
            // As it is, without our own --format: a table with a line per row below its head.
            let table = try await SnapcatProcess.succeed(line).text
            #expect(table.contains(state))
        }
        // snapshooter defaults to the latest snapshot on either side.
        let table = try await SnapcatProcess.succeed(
            roots.rootOptions + ["compare-snapshots", "--path1", left, "--diff-state", "only_left"]
        ).text
        #expect(table.contains("only_left"))
    }
}

extension InteropRoots {
    /// gzip of nothing: a snapshot without files.
    static let emptyGzip: [UInt8] = [
        0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ]

    /// The time in a snapshot's name, as Python's `fromisoformat` reads it.
    func time(ofSnapshot path: String) -> String? {
        let pattern = /(\d{4}-\d\d-\d\d)_(\d\d)-(\d\d)-(\d\d)_(\d{6})Z\.jsonl\.gz$/
        return path.firstMatch(of: pattern).map { "\($0.1)T\($0.2):\($0.3):\($0.4).\($0.5)+00:00" }
    }

    /// What snapcat lists, newest first.
    func listed() async throws -> [String] {
        try await SnapcatProcess.succeed(rootOptions + ["list-snapshots"]).lines
    }
}
