import Foundation
import SnapcatPlatform
import SnapcatTestSupport
import Testing

/// --renames, --where, --group-by and --fail-if give one answer on every road: catalog, files, live.
@Suite struct CompareConditionTests {
    private struct Road: CustomStringConvertible {
        var description: String
        var left: String
        var right: String
    }

    /// The oldest against the latest, by each road.
    private func roads(_ history: KnownHistory) -> [Road] {
        [
            Road(description: "catalog", left: "oldest", right: "latest"),
            Road(description: "files", left: history.snapshots[0], right: history.snapshots[3]),
            Road(description: "live", left: "oldest", right: "live"),
        ]
    }

    private func compare(_ history: KnownHistory, _ road: Road, _ arguments: [String]) async throws -> SnapcatProcess.Result {
        try await history.run(
            ["compare", road.left, road.right, "--format", "tsv", "-q", "--file-root", history.source] + arguments)
    }

    /// The first columns of each row.
    private func rows(_ result: SnapcatProcess.Result, columns: Int = 2) -> [String] {
        result.lines.dropFirst().map { line in
            line.split(separator: "\t", omittingEmptySubsequences: false).prefix(columns).joined(separator: " ")
        }
    }

    @Test func aMovedFileIsOneRowWithBothNames() async throws {
        let history = try await KnownHistory()
        for road in roads(history) {
            let plain = try await compare(history, road, ["--diff-state", "only_left", "--diff-state", "only_right"])
            #expect(rows(plain).contains("only_left d1.md") && rows(plain).contains("only_right moved.md"), "\(road)")
            let paired = try await compare(history, road, ["--renames", "--where", "type_right = 'file'"])
            #expect(paired.status == 0, "\(paired.stderr)")
            #expect(
                rows(paired) == [
                    "only_right docs/A.TXT", "different docs/a.txt", "different log/Deep/er/x.log", "renamed moved.md",
                ], "\(road)")
            #expect(paired.lines[0].hasSuffix("\tname_left") && paired.lines.last?.hasSuffix("\td1.md") == true, "\(road)")
            let only = try await compare(history, road, ["--diff-state", "renamed", "--renames"])
            #expect(rows(only) == ["renamed moved.md"], "\(road)")
            let summary = try await compare(history, road, ["--renames", "--summary", "--where", "md5_right IS NOT NULL"])
            #expect(rows(summary, columns: 3).contains("renamed 1 8"), "\(road): \(summary.text)")
        }
    }

    @Test func whatCannotBeReadOfLiveIsNoEqualAndNoDifference() async throws {
        let sandbox = try RestoreSandbox()
        try await sandbox.make()
        try sandbox.write("source/a.txt", "secret")
        let result = try await MeetingPoint.run(
            ["compare", "latest", "live", "--repo", sandbox.repo, "--file-root", sandbox.source, "--exit-code"], before: 0,
            in: "a.txt", .failure(EIO))
        #expect(result.status == 3 && result.stderr.contains("'a.txt'"), "\(result.status) \(result.stderr)")
    }

    @Test func aConditionFiltersRowsAndCounts() async throws {
        let history = try await KnownHistory()
        for road in roads(history) {
            let grown = try await compare(history, road, ["--where", "size_right > size_left AND name LIKE '%.log'"])
            #expect(rows(grown) == ["different log/Deep/er/x.log"], "\(road)")
            let expression = try await compare(history, road, ["--where", "name REGEXP '^docs/[aA]\\.' -- a comment", "--limit", "1"])
            #expect(rows(expression) == ["only_right docs/A.TXT"], "\(road)")
            let counted = try await compare(history, road, ["--where", "status = 'different'", "--summary"])
            #expect(rows(counted, columns: 3).contains("different 2 24") && rows(counted, columns: 3).contains("only_left 0 0"), "\(road)")
        }
    }

    @Test func countsAreGroupedByFolderOrExtension() async throws {
        let history = try await KnownHistory()
        let files = ["--summary", "--where", "coalesce(type_right, type_left) = 'file'"]
        for road in roads(history) {
            let ext = try await compare(history, road, files + ["--group-by", "ext"])
            #expect(
                rows(ext, columns: 4) == [
                    "log different 1 16", "md only_left 1 8", "md only_right 1 8", "txt only_right 1 1", "txt different 1 8",
                ], "\(road)")
            let top = try await compare(history, road, files + ["--group-by", "dir:1"])
            #expect(
                rows(top, columns: 4) == [
                    " only_left 1 8", " only_right 1 8", "docs only_right 1 1", "docs different 1 8", "log different 1 16",
                ], "\(road)")
            let deep = try await compare(history, road, files + ["--group-by", "dir", "--limit", "100"])
            #expect(rows(deep, columns: 1).contains("log/Deep/er"), "\(road)")
        }
    }

    @Test func aLimitThatIsBrokenIsToldAndExitsWithOne() async throws {
        let history = try await KnownHistory()
        let files = ["--where", "coalesce(type_right, type_left) = 'file'"]
        for road in roads(history) {
            let broken = try await compare(history, road, files + ["--fail-if", "removed_pct >= 25", "--fail-if", "changed > 100"])
            #expect(broken.status == 1, "\(road)")
            #expect(broken.stderr.split(separator: "\n").count == 1 && broken.stderr.contains("removed_pct >= 25"), "\(broken.stderr)")
            for number in ["added=2", "removed=1", "changed=2", "equal=1", "total_left=4", "total_right=5", "bytes_left=30", "bytes_right=41"] {
                #expect(broken.stderr.contains(" " + number), "\(road) \(number): \(broken.stderr)")
            }
            #expect(!rows(broken).isEmpty, "\(road): the rows are printed all the same")
            #expect(try await compare(history, road, files + ["--fail-if", "deleted_pct > 25 OR total_left <> 4"]).status == 0, "\(road)")
        }
        // Without a filter the counts of what is equal come from the totals of the snapshots.
        let totals = try await compare(history, roads(history)[0], ["--fail-if", "1"])
        let files2 = try await compare(history, roads(history)[1], ["--fail-if", "1"])
        #expect(totals.status == 1 && totals.stderr == files2.stderr)
    }

    @Test(arguments: [
        ["--where", "nothing = 1"], ["--where", "SELEC"], ["--where", "1); DELETE FROM x; --"], ["--where", ":a = 1"], ["--where", ""],
        ["--where", "load_extension('x')"], ["--where", "(SELECT writefile('x', 'y'))"], ["--where", "(SELECT count(*) FROM version)"],
        ["--fail-if", "size_left > 1"], ["--fail-if", "added >"], ["--fail-if", "added > 1, 2"],
        ["--group-by", "ext"], ["--summary", "--group-by", "owner"], ["--summary", "--group-by", "dir:0"],
        ["--renames", "--all-columns"], ["--renames", "--sql"],
    ])
    func `A condition that is wrong, writes or reads anything is one line, exit 64`(arguments: [String]) async throws {
        let history = try await KnownHistory()
        for road in roads(history).prefix(2) {
            let result = try await compare(history, road, arguments)
            #expect(result.status == 64, "\(result.status) \(result.stderr)")
            #expect(result.stderr.split(separator: "\n").count == 1 && !result.text.contains("\n"), "\(result.stderr)")
        }
    }

    @Test func theConditionShowsInTheSQLWhichGivesTheSameRows() async throws {
        let history = try await KnownHistory()
        for arguments in [["--where", "size_right > 1 -- big"], ["--where", "type_left = 'file'", "--summary"], ["--summary"]] {
            let sql = try await history.run(["compare", "oldest", "latest", "--sql", "-q"] + arguments)
            #expect(sql.status == 0, "\(sql.stderr)")
            let run = try await history.run(["query", sql.text, "--format", "tsv", "-q"])
            let own = try await history.run(["compare", "oldest", "latest", "--format", "tsv", "-q"] + arguments)
            #expect(run.status == 0, "\(run.stderr)")
            if arguments.contains("--summary") {
                // SQL has no rows for what there is none of.
                #expect(rows(own, columns: 3).filter { !$0.contains(" 0 0") && !$0.hasPrefix("equal") }.sorted() == rows(run, columns: 3).sorted())
            } else {
                #expect(run.lines == own.lines)
            }
        }
    }
}
