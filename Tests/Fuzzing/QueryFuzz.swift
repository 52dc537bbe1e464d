import Foundation
import Snapcat
import SnapcatFormat
import SnapcatPlatform
import SnapcatTestSupport

/// SQL of users, and what they hand to snapcat's functions, over a repository of two snapshots.
package final class QueryFuzz: Sendable {
    private let folder: TempFolder
    private let repository: Repository
    private let before: [[QueryValue]]

    /// Made at the first use, and left to the end of the process.
    static let shared = Result { try QueryFuzz() }

    private static let dump = "SELECT * FROM setting UNION ALL SELECT count(*), max(valid_from) FROM version"

    private init() throws {
        folder = try TempFolder()
        for (hour, content) in ["one", "other"].enumerated() {
            let lines = ["a", "b/c"].map { #"{"md5": "\#(String(repeating: content == "one" ? "0" : "f", count: 32))", "name": "\#($0)", "size": \#(hour)}"# }
            let name = SnapshotName(time: SnapshotTime(microseconds: 1_795_218_531_220_298 + Int64(hour)))
            try folder.write("snap/" + name.key, Gzip.compress(Array(lines.joined(separator: "\n").utf8), level: .standard))
        }
        repository = Repository(folder: folder.path)
        before = try Self.rows(repository, Self.dump, syncs: true, seconds: nil)
    }

    /// Refused, or answered in time; and it changes nothing.
    func check(_ input: [UInt8]) throws {
        _ = try outcome { try Self.rows(repository, String(decoding: input, as: UTF8.self)) }
        try claim(try Self.rows(repository, Self.dump, seconds: nil) == before, "it has changed the catalog: \(text(input))")
        try claim(try folder.files().allSatisfy { $0.starts(with: "snap/".utf8) || $0.starts(with: "catalog.sqlite".utf8) }, "it has made a file")
    }

    /// Each function takes any text, blob or number (the first byte says which), and gives a value or one error.
    func checkFunctions(_ input: [UInt8]) throws {
        let hex = input.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        let argument = ["CAST(x'\(hex)' AS TEXT)", "x'\(hex)'", "CAST(CAST(x'\(hex)' AS TEXT) AS NUMERIC)"][Int(input.first ?? 0) % 3]
        for call in ["ref(x)", "ts(x)", "bytes(x)", "human(x)", "mode_text(x)", "content(x)", "content_text(x, 9)", "fold_case(x)",
            "path_match(x, 'a/b')", "path_match('a*', x)", "regexp('^a', x)", "regexp(x, 'abab')", "json_valid(x)"] {
            _ = try outcome { try Self.rows(repository, "SELECT \(call) FROM (SELECT \(argument) AS x)") }
        }
        for table in ["diff(x'\(hex)', 'latest')", "files_at(CAST(x'\(hex)' AS TEXT))", "history(CAST(x'\(hex)' AS TEXT))"] {
            _ = try outcome { try Self.rows(repository, "SELECT * FROM \(table)") }
        }
    }

    private static func rows(_ repository: Repository, _ sql: String, syncs: Bool = false, seconds: Int64? = 1) throws -> [[QueryValue]] {
        var options = QueryOptions()
        options.timeoutNanoseconds = seconds.map { $0 * 1_000_000_000 }
        options.mostRows = 100
        var rows: [[QueryValue]] = []
        _ = try repository.queryBlocking(sql, options: options, syncs: syncs, monitor: .silent, columns: { _ in }) { rows.append($0) }
        return rows
    }
}
