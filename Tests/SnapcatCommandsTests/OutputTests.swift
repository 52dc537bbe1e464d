import Foundation
import SnapcatPlatform
import Snapcat
import Testing

@testable import SnapcatCommands

/// Prints `rows` and returns all that was written.
private func output(
    _ format: OutputFormat, _ columns: [Column], _ rows: [[Cell]], terminal: TerminalInfo = .none
) throws -> [UInt8] {
    var result: [UInt8] = []
    let writer = RowWriter(format: format, columns: columns, terminal: terminal) { result += $0 }
    for row in rows { try writer.row(row) }
    try writer.finish()
    return result
}

/// The six output formats against exact texts, and read back by JSONSerialization and Python's csv.
@Suite struct OutputTests {
    private func text(_ format: OutputFormat, _ names: [String], _ rows: [[Cell]]) throws -> String {
        String(decoding: try output(format, names.map { Column($0) }, rows), as: UTF8.self)
    }

    private let hostile: [Cell] = [
        .string("a\nb\tc"), .string(#"q"\|,"#), .string("\u{1b}[31m\u{9b}0m"),
        .text([0x61, 0xff, 0xe2, 0x82]), .string("\u{202e}txt.\u{1f600}"),
    ]
    private let hostileNames = ["nl", "quote", "esc", "raw", "rtl"]
    private let values: [Cell] = [
        .null, .integer(.min), .real(1), .real(0.1), .real(.nan), .string(""), .blob([0, 0xab]),
        .boolean(true), .json(Array(#"{"k": 1.50}"#.utf8)),
    ]
    private let valueNames = ["n", "i", "one", "tenth", "nan", "t", "b", "yes", "j"]

    @Test func jsonIsAnArrayWithOneObjectALine() throws {
        let rows: [[Cell]] = [[.string("x"), .int(1)], [.string(nil), .int(nil)]]
        let json = try text(.json, ["a", "b"], rows)
        #expect(json == "[\n {\"a\": \"x\", \"b\": 1},\n {\"a\": null, \"b\": null}\n]\n")
        let lines = "{\"a\": \"x\", \"b\": 1}\n{\"a\": null, \"b\": null}\n"
        #expect(try text(.jsonl, ["a", "b"], rows) == lines)
    }

    @Test func jsonSpellsEveryKindOfValue() throws {
        #expect(
            try text(.jsonl, valueNames, [values]) == #"{"n": null, "i": -9223372036854775808, "one": 1.0, "#
                + #""tenth": 0.1, "nan": null, "t": "", "b": null, "b_b64": "AKs=", "yes": true, "#
                + "\"j\": {\"k\": 1.50}}\n")
        let reals: [Double] = [1e16, 1e-5, -0.0, .infinity, -.infinity, .leastNonzeroMagnitude, 0.1 + 0.2]
        #expect(
            try reals.map { try text(.jsonl, ["r"], [[.real($0)]]) }
                == ["1e+16", "1e-05", "-0.0", "null", "null", "5e-324", "0.30000000000000004"]
                .map { "{\"r\": \($0)}\n" })
    }

    @Test func jsonEscapesControlsAndGivesTheBytesOfBrokenText() throws {
        #expect(
            try text(.jsonl, hostileNames, [hostile]) == #"{"nl": "a\nb\tc", "quote": "q\"\\|,", "#
                + #""esc": "\u001b[31m\u009b0m", "raw": "a"# + "\u{fffd}\u{fffd}"
                + #"", "raw_b64": "Yf/igg==", "rtl": ""# + "\u{202e}txt.\u{1f600}\"}\n")
    }

    @Test func jsonValuesStayVerbatimButOnOneLine() throws {
        #expect(try text(.jsonl, ["j"], [[.json(Array("[1,\r\n 2]".utf8))]]) == "{\"j\": [1,   2]}\n")
        #expect(try text(.jsonl, ["j"], [[.json([])]]) == "{\"j\": null}\n")
        let broken = try text(.jsonl, ["j"], [[.json([0x22, 0xff, 0x22])]])
        #expect(broken == "{\"j\": \"\u{fffd}\", \"j_b64\": \"Iv8i\"}\n")
    }

    @Test func equalColumnNamesGetDistinctKeys() throws {
        let keyed = try text(.jsonl, ["a", "a", "a:1", "a"], [[.int(1), .int(2), .int(3), .int(4)]])
        #expect(keyed == "{\"a\": 1, \"a:2\": 2, \"a:1\": 3, \"a:3\": 4}\n")
        let blobs = try text(.jsonl, ["a", "a", "a_b64"], [[.blob([1]), .blob([2]), .int(3)]])
        #expect(
            blobs == #"{"a": null, "a_b64:1": "AQ==", "a:1": null, "a:1_b64": "Ag==", "a_b64": 3}"# + "\n")
        #expect(try text(.jsonl, ["q\"\n"], [[.int(1)]]) == "{\"q\\\"\\n\": 1}\n")
    }

    // Foundation's parser rounds reals, so their digits are read back by Swift.
    @Test func jsonReadsBackAsWhatWasPrinted() throws {
        let seed: UInt64 = 20_261_121
        var random = SeededRandom(state: seed)
        let rows = (0..<300).map { _ in [Cell.text(random.bytes(12)), .blob(random.bytes(6))] }
        let bytes = try output(.json, [Column("t"), Column("b")], rows)
        let parsed = try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [[String: Any]])
        #expect(parsed.count == rows.count)
        for (object, row) in zip(parsed, rows) {
            let shown = try #require(object["t"] as? String)
            let exact = try (object["t_b64"] as? String).map { try #require(Data(base64Encoded: $0)) }
            #expect(row[0] == .text(Array(exact ?? Data(shown.utf8))), "seed \(seed)")
            #expect(exact == nil || shown.unicodeScalars.contains("\u{fffd}"), "seed \(seed)")
            let base64 = try #require(object["b_b64"] as? String)
            #expect(row[1] == .blob(Array(try #require(Data(base64Encoded: base64)))), "seed \(seed)")
            let real = Double(bitPattern: random.next() & ~(1 << 62))
            let line = try text(.jsonl, ["r"], [[.real(real)]])
            #expect(Double(line.dropFirst(6).dropLast(2)) == real, "seed \(seed)")
        }
    }

    @Test func csvQuotesWhatNeedsItAndTellsNullFromEmpty() throws {
        let header = Array("nl,quote,esc,raw,rtl\n\"a\nb\tc\",".utf8)
        let quoted = Array("\"q\"\"\\|,\",\u{1b}[31m\u{9b}0m,a".utf8)
        #expect(
            try output(.csv, hostileNames.map { Column($0) }, [hostile])
                == header + quoted + [0xff, 0xe2, 0x82] + Array(",\u{202e}txt.\u{1f600}\n".utf8))
        #expect(
            try text(.csv, valueNames, [values]) == "n,i,one,tenth,nan,t,b,yes,j\n"
                + ",-9223372036854775808,1.0,0.1,nan,\"\",00ab,true,\"{\"\"k\"\": 1.50}\"\n")
        #expect(try text(.csv, ["a", "a,b"], [[.string("x\r"), .null]]) == "a,\"a,b\"\n\"x\r\",\n")
    }

    @Test func tsvKeepsARowOnALineAndBytesTellable() throws {
        #expect(
            try text(.tsv, hostileNames, [hostile]) == "nl\tquote\tesc\traw\trtl\n"
                + #"a\nb\tc"# + "\t" + #"q"\\|,"# + "\t" + #"\u001b[31m\u009b0m"# + "\t"
                + #"a\xff\xe2\x82"# + "\t" + #"\u202etxt."# + "\u{1f600}\n")
        #expect(
            try text(.tsv, valueNames, [values]) == "n\ti\tone\ttenth\tnan\tt\tb\tyes\tj\n"
                + "\t-9223372036854775808\t1.0\t0.1\tnan\t\t00ab\ttrue\t{\"k\": 1.50}\n")
    }

    @Test func markdownKeepsItsCells() throws {
        let rows: [[Cell]] = [[.string(#"x\|y"#), .null], [.string("é\n"), .string(#"C:\dir"#)]]
        #expect(
            try text(.markdown, ["a|b", "c"], rows)
                == #"| a\|b | c |"# + "\n| --- | --- |\n" + #"| x\\\|y |  |"# + "\n| é\\n | C:\\dir |\n")
        let names = try text(.markdown, ["raw", "rtl"], [[hostile[3], hostile[4]]])
        #expect(
            names == "| raw | rtl |\n| --- | --- |\n| a\u{fffd}\u{fffd} | \\u202etxt.\u{1f600} |\n")
    }

    @Test func anEmptyResultIsTheHeaderOrAnEmptyArray() throws {
        let expected: [OutputFormat: String] = [
            .table: "a  b\n", .json: "[]\n", .jsonl: "", .csv: "a,b\n", .tsv: "a\tb\n",
            .markdown: "| a | b |\n| --- | --- |\n",
        ]
        for format in OutputFormat.allCases {
            #expect(try text(format, ["a", "b"], []) == expected[format], "\(format)")
        }
    }

    @Test func pythonReadsTheCSVBack() throws {
        let seed: UInt64 = 4_180
        var random = SeededRandom(state: seed)
        // 200 rows fit the pipes, so that neither side waits for the other.
        let rows = (0..<200).map { _ in (0..<3).map { _ in random.bytes(10).filter { $0 != 0 } } }
        let columns = [Column("x"), Column("y"), Column("z")]
        let bytes = try output(.csv, columns, rows.map { row in row.map { Cell.text($0) } })
        let script = """
            import csv, io, sys
            for row in csv.reader(io.TextIOWrapper(sys.stdin.buffer, 'utf-8', 'surrogateescape', '')):
                print(' '.join('.' + cell.encode('utf-8', 'surrogateescape').hex() for cell in row))
            """
        let (process, input, pipe) = (Process(), Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-c", script]
        process.standardInput = input
        process.standardOutput = pipe
        try process.run()
        try input.fileHandleForWriting.write(contentsOf: Data(bytes))
        try input.fileHandleForWriting.close()
        let read = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        let expected = ([["x", "y", "z"].map { Array($0.utf8) }] + rows).map { row in
            row.map { "." + TerminalText.lossy(BinaryText.hex($0)) }.joined(separator: " ") + "\n"
        }
        #expect(read == expected.joined(), "seed \(seed)")
    }
}

/// Table format, streaming and the texts for people.
@Suite struct TableOutputTests {
    private func table(
        _ columns: [Column], _ rows: [[Cell]], terminal: TerminalInfo = .none
    ) throws -> String {
        TerminalText.lossy(try output(.table, columns, rows, terminal: terminal))
    }

    private let columns = [
        Column("name"), Column("size", style: .bytes), Column("mode", style: .mode), Column("n"),
    ]
    private let rows: [[Cell]] = [
        [.string("文字é\n"), .integer(1_258_291), .integer(0o100644), .null],
        [.string("e\u{301}😀"), .null, .integer(0o40755), .real(1.5)],
    ]

    @Test func numbersStandRightAndWideTextIsMeasuredInCells() throws {
        #expect(
            try table(columns, rows) == """
                name        size   mode    n
                -------  -------  -----  ---
                文字é\\n  1258291  33188
                e\u{301}😀               16877  1.5

                """)
    }

    @Test func onATerminalValuesAreHumanisedAndTheHeaderIsBold() throws {
        #expect(
            try table(columns, rows, terminal: TerminalInfo(columns: 80, colour: true)) == """
                \u{1b}[1mname        size  mode          n\u{1b}[0m
                -------  -------  ----------  ---
                文字é\\n  1.2 MiB  -rw-r--r--
                e\u{301}😀               drwxr-xr-x  1.5

                """)
    }

    @Test func onATerminalTheWidestTextIsShortenedToFit() throws {
        let columns = [Column("name"), Column("n"), Column("note")]
        let rows: [[Cell]] = [[.string("文字文字文字文字"), .integer(12_345), .string("short")]]
        let fitted = try table(columns, rows, terminal: TerminalInfo(columns: 20, colour: false))
        #expect(fitted == "name        n  note\n------  -----  -----\n文字…   12345  short\n")
        #expect(TerminalInfo(columns: 0, colour: false) == .none)
        #expect(try table(columns, rows).contains("文字文字文字文字  12345  short\n"))
        let narrow = try table(columns, rows, terminal: TerminalInfo(columns: 5, colour: false))
        #expect(narrow == "name      n  note\n----  -----  ----\n文…   12345  sho…\n")
    }

    @Test func rowsAfterTheSampleOverflowRatherThanBeingCut() throws {
        let sample = Array(repeating: [Cell.string("ab"), .string("c")], count: TableRows.sampleCount)
        let late: [[Cell]] = [[.string("abcdef"), .string("c")]]
        let lines = try table([Column("x"), Column("y")], sample + late).split(separator: "\n")
        #expect(lines[1] == "--  -" && lines[2] == "ab  c" && lines.last == "abcdef  c")
    }

    @Test func hostileNamesCannotDriveTheTerminal() throws {
        let rows: [[Cell]] = [[.text([0x1b, 0x5b, 0xff])], [.string("\u{202e}\u{9b}\r")]]
        let text = try table([Column("a\u{1b}")], rows)
        #expect(text == "a\\u001b\n--------------\n\\u001b[\u{fffd}\n\\u202e\\u009b\\r\n")
    }

    @Test(arguments: OutputFormat.allCases)
    func rowsStreamInBoundedChunks(_ format: OutputFormat) throws {
        var chunks: [Int] = []
        let columns = [Column("id"), Column("name")]
        let writer = RowWriter(format: format, columns: columns, terminal: .none) { chunks.append($0.count) }
        for id in 0..<100_000 { try writer.row([.int(id), .string("folder/file")]) }
        #expect(chunks.count > 20 && chunks.allSatisfy { $0 >= RowWriter.chunkBytes })
        try writer.finish()
        #expect(chunks.allSatisfy { $0 < RowWriter.chunkBytes + 64 })
    }

    @Test func aRowOfTheWrongLengthIsAProgrammersError() async {
        await #expect(processExitsWith: .failure) {
            let writer = RowWriter(format: .csv, columns: [Column("a")], terminal: .none) { _ in }
            try writer.row([.null, .null])
        }
    }

    @Test func anErrorOfTheDestinationReachesTheCaller() throws {
        let failure = SnapcatError(.failed, "Cannot write")
        let writer = RowWriter(format: .csv, columns: [Column("a")], terminal: .none) { _ in throw failure }
        try writer.row([.int(1)])
        #expect(throws: failure) { try writer.finish() }
    }

    @Test func sizesCountsAndTimesReadWell() {
        let sizes: [Int64] = [0, 1023, 1024, 1_258_291, 1_048_524, 1_048_525, -1536, .min]
        #expect(
            sizes.map(HumanText.bytes) == [
                "0 B", "1023 B", "1.0 KiB", "1.2 MiB", "1023.9 KiB", "1.0 MiB", "-1.5 KiB", "-8.0 EiB",
            ])
        let counts = [0, 999, 1000, 1_234_567, -1000, Int64.min].map(HumanText.count)
        #expect(counts == ["0", "999", "1,000", "1,234,567", "-1,000", "-9,223,372,036,854,775,808"])
        let spans = [0, 0.25, 0.9996, 9.96, 59.96, 65, 3599.6, 7380, 86_399, 273_600, -90, .nan, 1e300]
        #expect(
            spans.map { HumanText.duration(seconds: $0) } == [
                "0 ms", "250 ms", "1.0 s", "10.0 s", "1m 00s", "1m 05s", "1h 00m", "2h 03m", "1d 00h",
                "3d 04h", "-1m 30s", "-", "11574074074d 02h",
            ])
    }

    @Test func modesReadAsInLs() {
        let modes: [Int64: String] = [
            0o100644: "-rw-r--r--", 0o40755: "drwxr-xr-x", 0o120777: "lrwxrwxrwx", 0o104755: "-rwsr-xr-x",
            0o102644: "-rw-r-Sr--", 0o41777: "drwxrwxrwt", 0o41776: "drwxrwxrwT", 0o644: "?rw-r--r--",
        ]
        for (mode, text) in modes { #expect(HumanText.mode(mode) == text) }
    }
}

/// A linear congruential generator: the same values on every platform.
private struct SeededRandom: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ (state >> 32)
    }

    /// Up to `limit` pieces that formats stumble over.
    mutating func bytes(_ limit: Int) -> [UInt8] {
        let texts = ["a", " ", ",", "\"", "\n", "\r", "\t", "\\", "é", "😀", "\u{9b}", "\u{2028}", "\0"]
        let pieces: [[UInt8]] = texts.map { Array($0.utf8) } + [[0xff], [0xe2, 0x82], [0xc3]]
        let count = Int.random(in: 0...limit, using: &self)
        return (0..<count).flatMap { _ in pieces[Int.random(in: 0..<pieces.count, using: &self)] }
    }
}
