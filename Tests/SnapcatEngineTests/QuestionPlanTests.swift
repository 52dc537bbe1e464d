import SnapcatCatalog
import SnapcatFormat
import SnapcatStorage
import SnapcatTestSupport
import Synchronization
import Testing

@testable import Snapcat

/// Questions with a key reach their rows by an index, never through all versions.
@Suite struct QuestionPlanTests {
    /// `EXPLAIN QUERY PLAN`, one line a step.
    private func plan(_ question: Question) async throws -> [String] {
        let repository = Repository(.init(snapRoot: MemoryStorage(), heapRoot: nil, catalog: nil))
        let steps = Mutex<[String]>([])
        _ = try await repository.query(
            "EXPLAIN QUERY PLAN " + question.sql, options: question.options, columns: { _ in },
            row: { row in
                if case .text(let bytes) = row[3] { steps.withLock { $0.append(String(decoding: bytes, as: UTF8.self)) } }
            })
        return steps.withLock { $0 }
    }

    private func scansVersions(_ plan: [String]) -> Bool {
        plan.contains { step in ["SCAN v", "SCAN b", "SCAN n"].contains { step == $0 || step.hasPrefix($0 + " ") } }
            // By time from the first snapshot on is all of them too.
            || plan.contains("SCAN a USING COVERING INDEX sqlite_autoindex_snapshot_row_1")
    }

    @Test func aNameOrItsBeginningIsSearchedInTheIndex() async throws {
        let exact = try await plan(try .find("docs/a.txt"))
        #expect(exact.contains("SEARCH p USING INDEX path_name (name=?)") && !scansVersions(exact), "\(exact)")
        for pattern in ["docs/*.txt", "docs/**/x", "docs/"] {
            let begun = try await plan(try .find(pattern))
            #expect(begun.contains("SEARCH p USING INDEX path_name (name>? AND name<?)") && !scansVersions(begun), "\(begun)")
        }
        let history = try await plan(.history("a"))
        #expect(history.contains("SEARCH p USING INDEX path_name (name=?)") && !scansVersions(history), "\(history)")
    }

    @Test func anyOtherPatternTriesEachNameOnceAndThenLooksUpVersions() async throws {
        for syntax in [FindOptions.Syntax.glob, .regex, .substring] {
            for at in [nil, Int64(5)] {
                for deleted in [false, true] {
                    var options = FindOptions()
                    options.syntax = syntax
                    options.at = at
                    options.onlyDeleted = deleted
                    let steps = try await plan(try .find("a", options))
                    #expect(steps.contains { $0.hasPrefix("SCAN p USING INDEX path_name") }, "\(steps)")
                    #expect(steps.contains { $0.hasPrefix("SEARCH v USING PRIMARY KEY (path_id=?") }, "\(steps)")
                    #expect(!scansVersions(steps), "\(steps)")
                }
            }
        }
    }

    @Test func reportsWithAKeyUseItsIndex() async throws {
        let md5 = try #require(MD5Digest(hex: String(repeating: "0", count: 32)))
        let whereis = try await plan(.whereis([("file", md5)]))
        #expect(whereis.contains { $0.contains("version_md5") } && !scansVersions(whereis), "\(whereis)")
        for group in Question.GrowthGroup.allCases {
            let growth = try await plan(.growth(since: 5, by: group, depth: group == .dir ? 2 : nil))
            #expect(growth.contains { $0.contains("(taken_at>?)") || $0.contains("version_opened (valid_from>?)") } && !scansVersions(growth), "\(growth)")
        }
    }

    @Test func savedQueriesWithAKeyUseItsIndex() async throws {
        let keyed = ["where-is", "history", "deleted", "growth", "growth-by-ext", "renamed", "missing", "orphans"]
        for saved in SavedQuery.builtIn where keyed.contains(saved.name) {
            let question = Question(saved.sql, Dictionary(uniqueKeysWithValues: saved.parameters.map { ($0.name, "5") }))
            let steps = try await plan(question)
            #expect(!scansVersions(steps), "\(saved.name): \(steps)")
        }
        #expect(Set(keyed).isSubset(of: Set(SavedQuery.builtIn.map(\.name))))
    }

    /// What each saved query reads from its beginning to its end, by its alias in the SQL; all else is found by a key.
    private static let scans: [String: [String]] = [
        "bit-rot": ["SCAN v USING INDEX version_opened"],
        "case-twins": ["SCAN v", "SCAN v"],
        "changed-percent": ["SCAN s USING INDEX sqlite_autoindex_snapshot_row_1"],
        "churn": ["SCAN v USING INDEX version_opened", "SCAN change"],
        "deleted": ["SCAN c"],
        "duplicates": [],
        "freed-if-forgotten": [
            "SCAN s", "SCAN s", "SCAN wanted VIRTUAL TABLE INDEX 1:", "SCAN gone", "SCAN k", "SCAN gone",
        ],
        "gaps": ["SCAN s USING COVERING INDEX sqlite_autoindex_snapshot_row_1"],
        "growth": ["SCAN change"],
        "growth-by-ext": ["SCAN c"],
        "history": [],
        "largest-folders": ["SCAN own", "SCAN up", "SCAN up"],
        "missing": ["SCAN m"],
        "orphans": ["SCAN h USING INDEX heap_object_unnamed"],
        "renamed": ["SCAN change", "SCAN t", "SCAN gone"],
        "risky-modes": ["SCAN v USING INDEX version_opened"],
        "size-conflicts": [],
        "snapshot-bytes": ["SCAN s USING INDEX sqlite_autoindex_snapshot_row_1", "SCAN u LEFT-JOIN"],
        "unchanged": ["SCAN v"],
        "unverified": ["SCAN h USING INDEX heap_object_unnamed"],
        "where-is": [],
    ]

    @Test func eachSavedQueryReadsAllOfNothingButWhatItSpeaksOf() async throws {
        #expect(Set(Self.scans.keys) == Set(SavedQuery.builtIn.map(\.name)))
        for saved in SavedQuery.builtIn {
            let question = Question(saved.sql, Dictionary(uniqueKeysWithValues: saved.parameters.map { ($0.name, "5") }))
            let scans = try await plan(question).filter { $0.hasPrefix("SCAN ") && !$0.contains("(subquery") }
            #expect(scans == Self.scans[saved.name], "\(saved.name)")
        }
    }

    @Test func everyBuiltInQueryDescribesItselfAndEachParameter() {
        #expect(SavedQuery.builtIn.count >= 20)
        for saved in SavedQuery.builtIn {
            #expect(SavedQuery.isName(saved.name) && !saved.description.isEmpty, "\(saved.name)")
            #expect(saved.parameters.allSatisfy { !$0.description.isEmpty && saved.sql.contains(":" + $0.name) }, "\(saved.name)")
        }
    }

    @Test func theBeginningOfANameIsARange() {
        #expect(Question.range(ofPrefix: "docs/") ?? ("", "") == ("docs/", "docs0"))
        // Cut where the text after it could not be spelled.
        #expect(Question.range(ofPrefix: "a\u{e9}") ?? ("", "") == ("a", "b"))
        #expect(Question.range(ofPrefix: "\u{e9}") == nil && Question.range(ofPrefix: "") == nil)
    }
}
