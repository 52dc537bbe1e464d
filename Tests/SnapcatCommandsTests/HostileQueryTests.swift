import Foundation
import SnapcatTestSupport
import Testing

/// SQL and options that mean harm, or only turn out so: one line, the exit code of CLI.md, in time, nothing left.
@Suite struct HostileQueryTests {
    /// 60 million characters.
    private static let long = "hex(zeroblob(30000000))"
    private static let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "

    private static func doubling(_ levels: Int) -> String {
        let parts = (1...levels).map { level in
            "a\(level)(x) AS NOT MATERIALIZED (SELECT * FROM a\(level - 1) UNION ALL SELECT * FROM a\(level - 1))"
        }
        return "WITH a0(x) AS (SELECT 1), \(parts.joined(separator: ", ")) SELECT * FROM a\(levels)"
    }

    /// None of them ends by itself, or not within minutes.
    private static let slow: [String] = [
        endless + "SELECT count(*) FROM n",
        endless + "SELECT i FROM n WHERE i < 0",
        endless + "SELECT group_concat(i) FROM n WHERE i % 1000000 = 0",
        endless + "SELECT DISTINCT i FROM n LIMIT 1 OFFSET 1000000000",
        endless + "SELECT i FROM n ORDER BY random() LIMIT 1",
        endless + "SELECT length(hex(randomblob(15000000))) FROM n",
        endless + "SELECT a.i FROM n AS a JOIN (SELECT 1) WHERE a.i GLOB 'x*' OR printf('%d', a.i) = 'y'",
        "SELECT count(*) FROM " + (1...20).map { "pragma_function_list AS f\($0)" }.joined(separator: ", ") + " WHERE f1.narg + f20.narg = -99",
        // Within one function, where SQLite cannot be interrupted.
        "SELECT instr(\(long), substr(\(long), 1, 30000000) || '1')",
        "SELECT replace(\(long), substr(\(long), 1, 30000000) || '1', '')",
        "SELECT trim(\(long), replace(hex(zeroblob(60000)), '0', 'abcdefghijklmnopqrst') || '0')",
        "SELECT " + Array(repeating: "length(hex(randomblob(32000000)))", count: 200).joined(separator: ", "),
        // Within the planning.
        doubling(40),
    ]

    // One after the other: each keeps a core busy until its time is over.
    @Test(.serialized, arguments: slow.indices)
    func `A query over its time ends with 7 and leaves nothing`(index: Int) async throws {
        let sandbox = try await QuerySandbox()
        let sql = Self.slow[index]
        // The process is watched from beside it: a test that is one of hundreds may wait longer than its process lives.
        let result = try await SnapcatProcess.run(
            ["query", "--repo", sandbox.repo, "--timeout", "1s", sql], environment: ["TMPDIR": sandbox.folder.path + "/temporary"],
            folder: sandbox.folder.path, through: ["timeout", "20"])
        #expect(result.status == 7, "\(result.stderr)")
        #expect(result.errorLines.count == 1, "\(result.stderr)")
        #expect(try sandbox.leftovers() == [])
    }

    /// Refused or cut off by a bound: the time limit is not needed.
    private static let bounded: [(String, Int32)] = [
        ("SELECT length(hex(zeroblob(1e9)))", 2), ("SELECT zeroblob(100000000)", 2),
        ("SELECT group_concat(hex(zeroblob(10000000))) FROM pragma_function_list", 2),
        ("SELECT " + Array(repeating: "hex(zeroblob(32000000))", count: 50).joined(separator: ", "), 2),
        ("SELECT '\(String(repeating: "a", count: 2000))' LIKE '\(String(repeating: "%a", count: 1000))'", 2),
        ("SELECT " + Array(repeating: "1", count: 2000).joined(separator: " + "), 2),
        ("SELECT " + String(repeating: "(", count: 500) + "1" + String(repeating: ")", count: 500), 2),
        ("SELECT " + Array(repeating: "1", count: 3000).joined(separator: ", "), 2),
        (Array(repeating: "SELECT 1", count: 501).joined(separator: " UNION ALL "), 2),
        ("INSERT INTO setting VALUES ('a', 'b')", 2), ("UPDATE snapshot_row SET files = 0", 2), ("DELETE FROM version", 2),
        ("WITH x AS (SELECT 1) DELETE FROM version RETURNING *", 2), ("REPLACE INTO setting VALUES ('a', 'b')", 2),
        ("CREATE TABLE t (a)", 2), ("CREATE TEMP TABLE t (a)", 2), ("DROP VIEW snapshot", 2), ("ALTER TABLE setting RENAME TO s", 2),
        ("CREATE VIRTUAL TABLE temp.t USING fts5(a)", 2), ("ATTACH 'x.db' AS x", 2), ("ATTACH 'file:x.db?mode=rwc' AS x", 2),
        ("DETACH main", 2), ("VACUUM;", 64), ("VACUUM INTO 'copy.db'", 64), ("REINDEX;", 2), ("ANALYZE;", 2), ("BEGIN IMMEDIATE", 2),
        ("SAVEPOINT a", 2), ("PRAGMA user_version = 7", 2), ("PRAGMA journal_mode = DELETE", 2), ("PRAGMA query_only = OFF", 2),
        ("PRAGMA writable_schema = ON", 2), ("PRAGMA wal_checkpoint(TRUNCATE)", 2), ("PRAGMA temp_store_directory = '/'", 2),
        ("PRAGMA hard_heap_limit = 1", 2), ("PRAGMA integrity_check", 2), ("SELECT * FROM pragma_user_version(7)", 2),
        ("SELECT load_extension('x')", 2), ("SELECT writefile('x', 'y')", 2), ("SELECT readfile('x')", 2), ("SELECT edit('x')", 2),
        ("SELECT fts3_tokenizer('simple')", 2), ("EXPLAIN DELETE FROM version", 2), ("SELEC 1", 2), ("SELECT;", 2), ("SELECT 'a", 2),
        ("", 64), (" \n\t", 64), (";", 64), ("-- nothing", 64), ("/* nothing */ ;", 64), ("SELECT 1; SELECT 2", 64),
        ("SELECT 1; DELETE FROM version", 64), ("SELECT 1; nonsense", 64), ("SELECT ?", 64), ("SELECT :a", 64),
        ("SELECT 1;;  -- done", 0), ("SELECT 1 /* one */; /* two\n */ -- three", 0), ("EXPLAIN SELECT * FROM snapshot", 0),
        ("EXPLAIN QUERY PLAN SELECT * FROM snapshot", 0), ("VALUES (1), (2)", 0), ("PRAGMA table_info('version')", 0),
        ("PRAGMA user_version", 0), ("SELECT * FROM pragma_table_info('version')", 0),
        ("SELECT value FROM json_each('[1, 2]')", 0), ("SELECT s.id, t.value FROM snapshot AS s, json_each(s.tags) AS t", 0),
    ]

    @Test func everyStatementThatIsRefusedIsOneLineAndChangesNothing() async throws {
        let sandbox = try await QuerySandbox()
        let dump = "SELECT * FROM setting UNION ALL SELECT count(*), max(valid_from) FROM version"
        let before = try await sandbox.query([dump]).stdout
        for (sql, status) in Self.bounded {
            let result = try await sandbox.query(["--timeout", "60s", sql])
            #expect(result.status == status, "\(sql.prefix(100)): \(result.stderr)")
            #expect(result.errorLines.count == (status == 0 ? 0 : 1), "\(sql.prefix(100)): \(result.stderr)")
        }
        #expect(try await sandbox.query([dump]).stdout == before)
        #expect(try sandbox.leftovers() == [])
        #expect(!FileManager.default.fileExists(atPath: sandbox.folder.path + "/x.db"))
        #expect(!FileManager.default.fileExists(atPath: sandbox.folder.path + "/copy.db"))
    }

    /// Linux shows the names of a process's threads: the guard's stands there while a query runs.
    private static let interrupted = """
        import os, signal, subprocess, sys, time
        def names(pid):
            try: return [open(f"/proc/{pid}/task/{t}/comm").read().strip() for t in os.listdir(f"/proc/{pid}/task")]
            except OSError: return []
        process = subprocess.Popen(sys.argv[2:], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 60
        while "snapcat-guard" not in names(process.pid) and process.poll() is None and time.monotonic() < end: time.sleep(0.001)
        process.send_signal(int(sys.argv[1]))
        start = time.monotonic()
        print(process.wait(60), time.monotonic() - start < 5)
        """

    #if os(Linux)
    @Test(arguments: [2, 15], [0, 8, 12])
    func `A signal ends any query with 130`(signal: Int, index: Int) async throws {
        let sandbox = try await QuerySandbox()
        let command = [String(signal), try SnapcatProcess.binary(), "query", "--repo", sandbox.repo, Self.slow[index]]
        let output = try Python.run(Self.interrupted, arguments: command)
        #expect(String(decoding: output, as: UTF8.self) == "130 True\n")
        #expect(try sandbox.leftovers() == [])
    }

    /// Nobody reads: the write of the rows blocks for ever.
    @Test func aSignalEndsAQueryWhoseReaderSleeps() async throws {
        let sandbox = try await QuerySandbox()
        let sql = Self.endless + "SELECT i FROM n"
        let command = ["2", try SnapcatProcess.binary(), "query", "--repo", sandbox.repo, "--format", "csv", sql]
        #expect(String(decoding: try Python.run(Self.interrupted, arguments: command), as: UTF8.self) == "130 True\n")
    }
    #endif

    @Test func everyAttachedFileThatCannotServeIsNamedAndTheCatalogStays() async throws {
        let sandbox = try await QuerySandbox()
        let script = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('CREATE TABLE t (a)'); c.execute('INSERT INTO t VALUES (7)'); c.commit()"
        for name in ["good.db", "it's \"quoted\".db", ":memory:", "file:x?mode=rwc"] {
            _ = try Python.run(script, arguments: [sandbox.folder.path + "/" + name])
        }
        try sandbox.folder.write("text.db", Array("This is no database, but long enough to be looked at by SQLite.\n".utf8))
        let good = Array(try sandbox.folder.read("good.db"))
        try sandbox.folder.write("cut.db", Array(good[..<4096]) + [UInt8](repeating: 0xff, count: good.count - 4096))
        let cases: [(String, String, Int32)] = [
            ("a=DIR/good.db", "SELECT a FROM a.t", 0), ("a=good.db", "SELECT a FROM a.t", 0),
            ("a=it's \"quoted\".db", "SELECT a FROM a.t", 0), ("a=:memory:", "SELECT a FROM a.t", 0),
            ("a=file:x?mode=rwc", "SELECT a FROM a.t", 0), ("o\"d'd=good.db", "SELECT a FROM \"o\"\"d'd\".t", 0),
            ("a=DIR/repo/catalog.sqlite", "SELECT count(*) FROM a.snapshot", 0),
            ("a=DIR/none.db", "SELECT 1", 2), ("a=", "SELECT 1", 2), ("a=DIR", "SELECT 1", 2), ("a=/dev/null", "SELECT 1", 2),
            ("a=DIR/text.db", "SELECT 1", 2), ("a=DIR/cut.db", "SELECT * FROM a.t", 5), ("main=good.db", "SELECT 1", 64),
            ("temp=good.db", "SELECT 1", 64), ("good.db", "SELECT 1", 64), ("=good.db", "SELECT 1", 64),
            ("a=good.db", "INSERT INTO a.t VALUES (1)", 2), ("a=good.db", "PRAGMA a.user_version = 1", 2),
        ]
        for (attachment, sql, status) in cases {
            let result = try await sandbox.query(["--attach", attachment, sql])
            #expect(result.status == status, "\(attachment): \(result.stderr)")
            #expect(result.errorLines.count == (status == 0 ? 0 : 1), "\(attachment): \(result.stderr)")
        }
        let many = (1...11).flatMap { ["--attach", "a\($0)=good.db"] }
        #expect(try await sandbox.query(many + ["SELECT 1"]).status == 64)
        #expect(try await sandbox.query(["--attach", "a=good.db", "--attach", "A=good.db", "SELECT 1"]).status == 64)
        #expect(try sandbox.folder.read("good.db") == good)
        // A damaged attachment is not the catalog's damage: that is not set aside.
        #expect(try FileManager.default.contentsOfDirectory(atPath: sandbox.repo).allSatisfy { !$0.contains("replaced") })
    }

    @Test func everyWrongInputOfSQLIsOneLine() async throws {
        let sandbox = try await QuerySandbox()
        try sandbox.folder.write("broken.sql", Array("SELECT '".utf8) + [0xff] + Array("'".utf8))
        try sandbox.folder.write("nul.sql", Array("SELECT 1\0; DELETE FROM version".utf8))
        try sandbox.folder.write("empty.sql", [])
        try sandbox.folder.write("huge.sql", Array("SELECT 1 -- ".utf8) + [UInt8](repeating: 0x61, count: 2 << 20))
        let cases: [([String], [UInt8], Int32)] = [
            (["-"], [], 64), (["-"], Array("SELECT 1".utf8), 0), (["-"], [0x80], 64), (["--file", "none.sql"], [], 2),
            (["--file", "DIR"], [], 2), (["--file", "broken.sql"], [], 64), (["--file", "nul.sql"], [], 64),
            (["--file", "empty.sql"], [], 64), (["--file", "huge.sql"], [], 2), (["--file", "empty.sql", "SELECT 1"], [], 64),
            (["-p", "a", "SELECT 1"], [], 64), (["-p", "=1", "SELECT 1"], [], 64), (["-p", ":a=1", "SELECT :a"], [], 64),
            (["-p", "b=1", "SELECT :a"], [], 64), (["-p", "a=1", "SELECT :a"], [], 0), (["--max-rows", "-1", "SELECT 1"], [], 64),
            (["--timeout", "-1s", "SELECT 1"], [], 64), (["--timeout", "0s", "SELECT 1"], [], 7),
        ]
        for (arguments, input, status) in cases {
            let result = try await sandbox.query(arguments, input: input)
            #expect(result.status == status, "\(arguments): \(result.stderr)")
            #expect(result.errorLines.count == (status == 0 ? 0 : 1), "\(arguments): \(result.stderr)")
        }
    }

    @Test func textThatIsNotUTF8ComesWithItsBytes() async throws {
        let sandbox = try await QuerySandbox()
        let result = try await sandbox.query(["--format", "jsonl", "SELECT CAST(x'ff41' AS TEXT) AS a, x'00ff' AS b"])
        #expect(result.text == "{\"a\": \"\u{fffd}A\", \"a_b64\": \"/0E=\", \"b\": null, \"b_b64\": \"AP8=\"}\n")
    }
}
