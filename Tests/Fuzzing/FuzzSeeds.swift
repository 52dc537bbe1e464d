import SnapcatFormat

/// What the inputs are made from: small examples of each kind, and words that belong into them.
extension FuzzTarget {
    package var seeds: [[UInt8]] {
        switch self {
        case .line: Self.lines.map { Array($0.utf8) }
        case .companion: [Array(Self.companionText.utf8), Array((Self.facts + "\n").utf8), Array(#"{"format": 1}"#.utf8)]
        case .gzip: Self.gzips
        case .content: (0..<10).flatMap { level in (0..<6).map { [level, $0, 20, 0] + Array(Self.companionText.utf8.prefix(Int(level) * 40)) } }
        case .reference: Self.references.map { Array($0.utf8) }
        case .pattern: Self.patterns.map { Array($0.utf8) }
        case .name: Self.names.map { Array($0.utf8) } + [[0xff, 0x2f, 0xf0, 0x9f, 0x98, 0x80, 0x2f, 0xed, 0xa0, 0x80], [0xc3]]
        case .function: (Self.references + Self.patterns + ["2G", "1.5", "-1", "33188", "9223372036854775807"]).map { Array($0.utf8) }
        case .query: Self.queries.map { Array($0.utf8) }
        }
    }

    package var words: [[UInt8]] {
        let words: [String] =
            switch self {
            case .line, .companion: Self.jsonWords
            case .gzip, .content: ["\u{1f}", "\0\0\0\0", "abcabcabc"]
            case .reference, .function: ["latest~", "2026-11-20", "T12:00:00", "+02:00", "Z", ".jsonl.gz", ":", "99999999999999999999", "d", "s", "\u{660}"]
            case .pattern: ["**/", "*", "?", "[a-", "[!", "[[:alpha:]]", "]", "\\", "!", "#", "/", "\n", "\0", " ", "\r", "/**", "\u{feff}"]
            case .name: ["/", "..", ".", "-", "_", ".jsonl.gz", "2026/11/", "\0", "\u{1f600}", "\u{e9}", "\u{7f}", "\u{202e}"]
            case .query: ["SELECT ", " FROM ", " WHERE ", "(", ")", ", ", "'", "*", ";", "--", "DELETE ", "PRAGMA ", "ATTACH ", "snapshot", "diff('oldest', 'latest')", "WITH RECURSIVE ", ":a", "?1"]
            }
        return words.map { Array($0.utf8) } + (self == .gzip ? [[0x1f, 0x8b, 8, 0], [0x1f, 0x8b, 8, 0x1e, 0, 0, 0, 0, 0, 3]] : [])
    }

    private static let own = """
        {"created": 1795218531.2202983, "ctime_ns": 1795218531220298300, "gid": 1000, "ino": 42, "islink": false, \
        "md5": "5bbf5a52328e7439ae6e719dfe712200", "mode": 33188, "mtime": 1795218531.0, "mtime_ns": 1795218531000000000, \
        "name": "docs/notes.txt", "nlink": 1, "size": 4, "type": "file", "uid": 1000}
        """

    private static let lines = [
        own, own.replacing("docs/notes.txt", with: #"caf\u00e9/\udcff \ud83d\ude00"#), own.replacing("1795218531.0", with: "-0.5"),
        own.replacing("42", with: "-9223372036854775808"), own.replacing("33188", with: "33188.0"), own.replacing("42", with: "null"),
        """
        {"created": 1795218531.2202983, "gid": 0, "ino": 1, "islink": false, "md5": "5bbf5a52328e7439ae6e719dfe712200", \
        "mode": 33188, "mtime": 1e-05, "name": "a", "nlink": 1, "size": 0, "type": "file", "uid": 0}
        """,
        #"{"ETag": "\"x\"", "LastModified": "2026-11-20", "StorageClass": null, "md5": "5BBF5A52328E7439AE6E719DFE712200", "name": "s3/key", "size": 1E400}"#,
        #"{"name": "a", "name": "b", "size": 007, "metadata": {"a": [1, -0, 1.50, true, {"b": []}]}}"#, #"{"name": "\ud800"}"#, "{}", "",
        #" { "name" : "x" , "size" : 1 } "#,
    ]

    private static let facts = """
        {"bytes": 30, "device": 5, "errors": [{"message": "Permission denied", "name": "x\\udcff"}], "exclusions": {"patterns": ["*.o"]}, \
        "file_root": "/home/ada", "files": 2, "finished_us": 1795218531220298, "format": 1, "host": "h", "nodes": 2, "note": "", \
        "omitted_problems": 0, "scan_start_ns": 1795218531220298000, "started_us": 1795218531220298, "tags": ["a", "b"], \
        "tool": "snapcat", "unstable": [], "user": "ada"}
        """

    private static let companionText = facts + """
        \n{"device": 7, "gid": 0, "mode": 16877, "mtime_ns": 1795218531000000000, "name": ".", "type": "directory", "uid": 0}
        {"destination": "b\\udcff", "gid": 0, "mode": 41471, "mtime_ns": -1, "name": "link", "type": "link", "uid": 0}
        {"gid": 0, "mode": 4516, "mtime_ns": 0, "name": "pipe", "type": "fifo", "uid": 0}
        """

    private static let gzips: [[UInt8]] = {
        let contents = [[], Array("a".utf8), Array(companionText.utf8), [UInt8](repeating: 7, count: 5000)]
        let members = [0, 1, 3, 6].compactMap { GzipLevel($0) }.flatMap { level in
            contents.compactMap { content -> [UInt8]? in
                // A level that cannot compress fails the tests of gzip.
                do { return try Gzip.compress(content, level: level) } catch { return nil }
            }
        }
        let named: [UInt8] = [0x1f, 0x8b, 8, 0x0c, 0, 0, 0, 0, 0, 3, 2, 0, 1, 2, 0x61, 0] + (members.first ?? []).dropFirst(10)
        return members + [members.prefix(3).flatMap { $0 + [0, 0] }, named]
    }()

    private static let references = [
        "latest", "latest~3", "oldest", "live", "2026-11-20", "20261120T1200", "2026-11-20T12:00:00Z", "2026-11-20 12:00:00.123456789+05:30:15.5", "now", "today",
        "yesterday", "90s", "2d", "1w", "2026-11-20_23-48-51_220298Z.jsonl.gz", "./x.jsonl.gz:folder", "latest:b/c.txt", "a:b:c.jsonl.gz:d", "2026-02-30",
        "1969-12-31", "9999-12-31T23:59:59-01:00", "100K", "2GiB", "1.5M",
    ]

    private static let patterns = [
        "*.o\n!keep.o\n\0a.o\0keep.o\0d/x.o", "/build/\n\0build\0d/build", "**/a/**\n\0a/b\0x/a/b", "a/**/b\n\0a/b\0a/x/y/b", "[a-c]?[!x]\\*\n\0abc*\0zzz",
        "# no\n\\#yes\n \\ \ntrailing  \n\0#yes\0trailing", "*a*a*a*a*a*b\n\0aaaaaaaaaaaaaaaaaaaaaaaa", "[[:alpha:][:digit:]]x\n\0ax\01x", "[\n\0[", "**\n\0a",
    ]

    private static let names = [
        "2026-11-20_23-48-51_220298Z.jsonl.gz", "2026/11/2026-11-20_23-48-51_220298Z.jsonl.gz", "2026/12/1970-01-01_00-00-00_000000Z.jsonl.gz", "a/../b", "/etc/passwd",
        "a//b", "caf\u{e9}/\u{1f600}/z", "a\u{202e}b/\u{1b}[31m",
    ]

    private static let queries = [
        "SELECT * FROM snapshot", "SELECT name, size FROM current_file ORDER BY size DESC LIMIT 3", "SELECT * FROM diff('oldest', 'latest')",
        "SELECT ref('latest'), ts('now'), bytes('2G'), human(5000), mode_text(33188)", "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT * FROM n",
        "DELETE FROM version", "PRAGMA user_version = 3", "ATTACH 'x' AS y", "SELECT * FROM history('a'); SELECT 1", "VALUES (1), (x'00')", "SELECT value FROM json_each('[1, 2]')",
        "EXPLAIN QUERY PLAN SELECT * FROM file_version WHERE name GLOB 'b/*'", "SELECT content_text('5bbf5a52328e7439ae6e719dfe712200')",
    ]

    private static let jsonWords = [
        "\"", "\\", "\\u", "\\udcff", "\\ud83d\\ude00", "\\ud800", "{", "}", "[", "]", ", ", ": ", "null", "true", "NaN", "-Infinity", "-", "0", "00", "1e5", "1E+400", ".5",
        "18446744073709551616", "9223372036854775807", "-9223372036854775808", "\"name\": \"a\"", "\"md5\": \"5bbf5a52328e7439ae6e719dfe712200\"", "\"size\": 1",
        "\"mtime\": 1.0", "\"type\": \"link\"", "\"destination\": \"\"", "\n", " ", "\t", "\u{0}", "\u{7f}", "\u{e9}", "\"format\": 1",
    ]
}
