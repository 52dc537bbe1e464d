import SnapcatFormat
import SnapcatPlatform
import SnapcatTestSupport
import Testing

@testable import Snapcat

/// The grammar of references, by tables, and against Python where it is Python's.
@Suite struct ReferenceGrammarTests {
    /// 2026-11-20T23:48:51.220298Z in a zone two hours east: there it is the 21st.
    private static let clock = FakeZoneClock(microseconds: 1_795_218_531_220_298, offset: 7200)
    private static let utc = FakeZoneClock(microseconds: 1_795_218_531_220_298, offset: 0)

    @Test(arguments: [
        ("latest", .latest(back: 0)), ("latest~0", .latest(back: 0)), ("latest~12", .latest(back: 12)),
        ("latest~9223372036854775807", .latest(back: .max)), ("oldest", .oldest), ("live", .live),
        ("2", .namePrefix("2")), ("2026", .namePrefix("2026")), ("2026-", .namePrefix("2026-")),
        ("2026-1", .namePrefix("2026-1")), ("2026-11", .namePrefix("2026-11")),
        ("2026-11-2", .namePrefix("2026-11-2")), ("2026-11-20_", .namePrefix("2026-11-20_")),
        ("2026-11-20_23", .namePrefix("2026-11-20_23")),
        ("2026-11-20_23-48-51_220298Z", .namePrefix("2026-11-20_23-48-51_220298Z")),
        ("2026-11-20_23-48-51_220298Z.", .namePrefix("2026-11-20_23-48-51_220298Z")),
        ("2026-11-20_23-48-51_220298Z.jsonl.gz", .namePrefix("2026-11-20_23-48-51_220298Z")),
        ("./2026-11-20_23-48-51_220298Z.jsonl.gz", .file("./2026-11-20_23-48-51_220298Z.jsonl.gz")),
        ("/snap/x.jsonl.gz", .file("/snap/x.jsonl.gz")), (".jsonl.gz", .file(".jsonl.gz")),
        ("s3://bucket/2026/11/x.jsonl.gz", .file("s3://bucket/2026/11/x.jsonl.gz")),
        (" x.jsonl.gz", .file(" x.jsonl.gz")),
        ("e\u{301}\u{600}.jsonl.gz", .file("e\u{301}\u{600}.jsonl.gz")),
    ] as [(String, SnapshotReference)])
    func formsOtherThanTimes(text: String, expected: SnapshotReference) throws {
        #expect(try SnapshotReference.parse(text, clock: Self.clock) == expected)
    }

    @Test(arguments: [
        ("now", "2026-11-20T23:48:51.220298Z"),
        ("today", "2026-11-20T22:00:00.000000Z"),
        ("yesterday", "2026-11-19T22:00:00.000000Z"),
        ("90s", "2026-11-20T23:47:21.220298Z"),
        ("30m", "2026-11-20T23:18:51.220298Z"),
        ("3h", "2026-11-20T20:48:51.220298Z"),
        ("2d", "2026-11-18T23:48:51.220298Z"),
        ("1w", "2026-11-13T23:48:51.220298Z"),
        ("0s", "2026-11-20T23:48:51.220298Z"),
        ("007d", "2026-11-13T23:48:51.220298Z"),
    ])
    func timesRelativeToNow(text: String, expected: String) throws {
        #expect(try time(text, Self.clock) == expected)
    }

    @Test(arguments: [
        ("2026-09-01", "2026-08-31T22:00:00.000000Z"),
        ("20260901", "2026-08-31T22:00:00.000000Z"),
        ("2026-09-01T12:34", "2026-09-01T10:34:00.000000Z"),
        ("2026-09-01 12:34", "2026-09-01T10:34:00.000000Z"),
        ("2026-09-01T12", "2026-09-01T10:00:00.000000Z"),
        ("2026-09-01T12:34:56", "2026-09-01T10:34:56.000000Z"),
        ("2026-09-01T12:34:56.7", "2026-09-01T10:34:56.700000Z"),
        ("2026-09-01T12:34:56,789012", "2026-09-01T10:34:56.789012Z"),
        ("2026-09-01T12:34:56.7890129", "2026-09-01T10:34:56.789012Z"),
        ("20260901T120000", "2026-09-01T10:00:00.000000Z"),
        ("20260901T123456.25", "2026-09-01T10:34:56.250000Z"),
        ("2026-09-01T12:34:56Z", "2026-09-01T12:34:56.000000Z"),
        ("2026-09-01t12:34:56z", "2026-09-01T12:34:56.000000Z"),
        ("20260901T1234Z", "2026-09-01T12:34:00.000000Z"),
        ("2026-09-01T12:34:56.5+05:30", "2026-09-01T07:04:56.500000Z"),
        ("2026-09-01 12:34:56-0330", "2026-09-01T16:04:56.000000Z"),
        ("2026-09-01T12:34-03", "2026-09-01T15:34:00.000000Z"),
        ("2026-09-01T12-03:30", "2026-09-01T15:30:00.000000Z"),
        ("2026-09-01T00:00:00-00:44:30", "2026-09-01T00:44:30.000000Z"),
        ("2026-09-01T00:00:00+00:00:00.000001", "2026-08-31T23:59:59.999999Z"),
        ("2028-02-29T00:00:00Z", "2028-02-29T00:00:00.000000Z"),
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000Z"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
    ])
    func absoluteTimesAndDates(text: String, expected: String) throws {
        #expect(try time(text, Self.clock) == expected)
    }

    @Test(arguments: [
        "", " ", "garbage", "LATEST", " latest", "latest ", "latest~", "latest~-1", "latest~+1", "latest~ 1",
        "latest~x", "latest~99999999999999999999", "latest~\u{0661}", "latest^", "~1", "now ", "Today", "-1d",
        "1.5d", "d", "1y", "1D", "٣d", "１d", " 2d", "2d ", "2026-11-20 ", " 2026-11-20", "2026-11-20T",
        "2026-11-20T1", "2026-11-20T12:", "2026-11-20T12:3", "2026-11-20T12:30:", "2026-11-20T12:30:Z",
        "2026-11-20T12:30:+01:00", "2026-11-20T12:30:4", "2026-11-20T12:30:45.", "2026-11-20T12:30.5",
        "2026-11-20T12:3045", "2026-11-20T1230:45", "2026-11-20T24:00:00Z", "2026-11-20T12:60:00Z",
        "2026-11-20T12:30:60Z", "2026-11-20T12:30:45+24:00", "2026-11-20T12:30:45+01:60",
        "2026-11-20T12:30:45+1", "2026-11-20T12:30:45+01:", "2026-11-20T12:30:45 +01:00",
        "2026-11-20T12:30:45Z ", "2026-11-20T12:30:45ZZ", "2026-11-20T12:30:45+01:00Z", "2026-11-20Z",
        "2026-11-20+01:00", "2026-11-20T12:30:45\u{0}", "2026-1120", "202611-20", "2026-02-29T00:00:00Z",
        "２０２６-11-20", "2026-11-20T12:30:4٥", "a\u{0}.jsonl.gz", "x.jsonl", "x.jsonl.gz ",
        "2026-11-20_23-48-51_220298Z.meta.gz", "2026-11-20_23-48-51_220298Zx",
    ])
    func garbageIsAUsageErrorThatNamesTheForms(text: String) throws {
        let error = try refusal(text, Self.clock)
        #expect(error.code == .usage)
        #expect(error.subject == text)
        #expect(error.advice.contains("latest~N"))
        #expect(!error.description.contains("\n"))
    }

    @Test(arguments: [
        "99999999999999999999999s", "999999999999w", "9223372036854775807w", "9223372036854775807s",
        "9999999d", "1969-12-31", "0000-01-01", "0001-01-01T00:00:00Z", "1969-12-31T23:59:59.999999Z",
        "1970-01-01T00:00:00+00:01", "1970-01-01", "9999-12-31T23:59:59.999999-00:01", "2026-13-01",
        "2026-02-29", "2026-00-10", "2026-11-00",
    ])
    func valuesOutOfRangeAreUsageErrorsThatNameTheText(text: String) throws {
        let error = try refusal(text, Self.clock)
        #expect(error.code == .usage)
        #expect(error.subject == text)
        // A value out of range is told as such, not as an unknown form.
        #expect(!error.advice.contains("latest~N"))
    }

    @Test func aClockBefore1970OrAfter9999IsRefusedNotTrapped() throws {
        for nanoseconds in [Int64.min, -1_000, .max] {
            let clock = FakeZoneClock(nanoseconds: nanoseconds, offset: -3600)
            for text in ["now", "today", "yesterday", "1w", "9223372036854s"] {
                do throws(SnapcatError) {
                    guard case .time(let time) = try SnapshotReference.parse(text, clock: clock) else {
                        Issue.record("\(text) is no time")
                        continue
                    }
                    #expect(SnapshotTime.nameable.contains(time))
                } catch { #expect(error.code == .usage) }
            }
        }
    }

    @Test func whatAReferenceIsSpelledAsReadsBack() throws {
        let times = ["2026-09-01T12:34:56.000007Z"]
        for text in ["latest", "latest~3", "oldest", "live", "2026-11", "x.jsonl.gz"] + times {
            let reference = try SnapshotReference.parse(text, clock: Self.clock)
            #expect(reference.text == text)
            #expect(try SnapshotReference.parse(reference.text, clock: Self.clock) == reference)
        }
    }

    /// Whatever of the bytes of times is taken for a time, Python takes too, and for the same time.
    @Test func timesAreReadAsPythonReadsThem() throws {
        var random = SeededRandom()
        var texts: [String] = []
        for _ in 0..<6000 {
            var text = Array(randomTime(&random).utf8)
            if random.next() % 2 == 0 {
                let alphabet = Array("0123456789-:.,+Z T".utf8)
                let byte = alphabet[.random(in: 0..<alphabet.count, using: &random)]
                let index = Int.random(in: 0..<text.count, using: &random)
                switch random.next() % 3 {
                case 0: text[index] = byte
                case 1: text.insert(byte, at: index)
                default: text.remove(at: index)
                }
            }
            texts.append(String(decoding: text, as: UTF8.self))
        }
        let script = """
            import sys
            from datetime import datetime, timedelta, timezone
            epoch = datetime(1970, 1, 1, tzinfo=timezone.utc)
            for line in sys.stdin.read().split("\\n"):
                try:
                    time = datetime.fromisoformat(line)
                    time = time if time.tzinfo else time.replace(tzinfo=timezone.utc)
                    print((time - epoch) // timedelta(microseconds=1))
                except ValueError:
                    print("none")
            """
        let judged = try Python.lines(script, input: Array(texts.joined(separator: "\n").utf8))
        try #require(judged.count == texts.count)
        var taken = 0
        for (text, judgement) in zip(texts, judged) {
            guard let civil = CivilText(text) else { continue }
            let own = civil.seconds * 1_000_000 + civil.microseconds - (civil.offsetMicroseconds ?? 0)
            // Python has no year 0.
            if text.hasPrefix("0000") { continue }
            #expect(String(own) == String(decoding: judgement, as: UTF8.self), "\(text), \(random.label)")
            taken += 1
        }
        #expect(taken > 3000, "valid texts were refused, \(random.label)")
    }

    private func randomTime(_ random: inout SeededRandom) -> String {
        func pad(_ range: ClosedRange<Int>, _ width: Int = 2) -> String {
            String(String(Int.random(in: range, using: &random) + 10_000_000).suffix(width))
        }
        func clock(_ hasColons: Bool, fields: Int) -> String {
            ([pad(0...23)] + (1..<fields).map { _ in pad(0...59) }).joined(separator: hasColons ? ":" : "")
        }
        let dash = Bool.random(using: &random) ? "-" : ""
        var text = pad(1970...9999, 4) + dash + pad(1...12) + dash + pad(1...28)
        guard random.next() % 8 != 0 else { return text }
        let fields = Int.random(in: 1...3, using: &random)
        text += (Bool.random(using: &random) ? "T" : " ") + clock(.random(using: &random), fields: fields)
        if fields == 3, Bool.random(using: &random) {
            text += Bool.random(using: &random) ? "." : ","
            text += pad(0...9_999_999, .random(in: 1...7, using: &random))
        }
        switch random.next() % 4 {
        case 0: return text + "Z"
        case 1: return text + "+" + clock(.random(using: &random), fields: .random(in: 1...3, using: &random))
        case 2: return text + "-" + clock(.random(using: &random), fields: .random(in: 1...3, using: &random))
        default: return text
        }
    }

    @Test(arguments: [
        ("latest", "latest", nil), ("latest:", "latest", ""), ("latest:src", "latest", "src"),
        ("latest:a:b", "latest", "a:b"), ("latest::b", "latest", ":b"), ("latest~2:x", "latest~2", "x"),
        ("2d:x/y", "2d", "x/y"), ("2026-11-20:x", "2026-11-20", "x"), ("2026:x", "2026", "x"),
        ("2026-11-20T12:30", "2026-11-20T12:30", nil), ("2026-11-20T12:30:x", "2026-11-20T12:30", "x"),
        ("2026-11-20T12:30:45Z:12:30", "2026-11-20T12:30:45Z", "12:30"),
        ("2026-11-20 12:30:45+01:00:30", "2026-11-20 12:30:45+01:00:30", nil),
        ("2026-11-20 12:30:45+01:00:x", "2026-11-20 12:30:45+01:00", "x"),
        ("/a:b/x.jsonl.gz", "/a:b/x.jsonl.gz", nil), ("/a:b/x.jsonl.gz:c:d", "/a:b/x.jsonl.gz", "c:d"),
        ("s3://b/x.jsonl.gz:c", "s3://b/x.jsonl.gz", "c"), ("latest:x.jsonl.gz", "latest", "x.jsonl.gz"),
        ("/a/x.jsonl.gz:y.jsonl.gz", "/a/x.jsonl.gz", "y.jsonl.gz"),
        ("2026-11-20T12:30:45Z:y.jsonl.gz", "2026-11-20T12:30:45Z", "y.jsonl.gz"),
        ("./latest:x.jsonl.gz", "./latest:x.jsonl.gz", nil), ("live:x", "live", "x"),
        ("1900-01-01:x", "1900-01-01", "x"), ("999999999999w:x", "999999999999w", "x"),
        ("2026-11-20_23-48-51_220298Z.jsonl.gz:x", "2026-11-20_23-48-51_220298Z.jsonl.gz", "x"),
    ] as [(String, String, String?)])
    func argumentsSplitAtTheLongestReference(argument: String, reference: String, rest: String?) throws {
        let split = SnapshotReference.split(Array(argument.utf8)) {
            SnapshotReference.parses($0, clock: Self.utc)
        }
        #expect(try #require(split).reference == reference)
        #expect(split?.rest == rest.map { Array($0.utf8) })
    }

    @Test func namesAfterTheColonAreBytes() throws {
        let argument = Array("latest:".utf8) + [0xff, 0x3a, 0xc3]
        let parsed = try SnapshotReference.parse(argument: argument, clock: Self.utc)
        #expect(parsed.reference == .latest(back: 0))
        #expect(parsed.rest == [0xff, 0x3a, 0xc3])
    }

    @Test func bytesThatAreNotUTF8AreNoReference() {
        let path = [0xff] + Array(".jsonl.gz".utf8)
        #expect(SnapshotReference.split(path, isReference: { _ in true }) == nil)
        #expect(SnapshotReference.split(path + Array(":x".utf8), isReference: { _ in true }) == nil)
    }

    @Test func theWholeArgumentIsTriedFirstThenEachPrefixFromTheLongest() {
        var tried: [String] = []
        let split = SnapshotReference.split(Array("a:b:c".utf8)) {
            tried.append($0)
            return false
        }
        #expect(split == nil)
        #expect(tried == ["a:b:c", "a:b", "a"])
    }

    @Test(arguments: ["", ":", ":x", "x:y", "x"])
    func anArgumentWithoutAReferenceIsAUsageError(argument: String) {
        do throws(SnapcatError) {
            let parsed = try SnapshotReference.parse(argument: Array(argument.utf8), clock: Self.utc)
            Issue.record("taken for \(parsed)")
        } catch {
            #expect(error.code == .usage)
            #expect(error.subject == argument)
        }
    }
}

/// Local times in zones that change their offset.
@Suite struct ReferenceZoneTests {
    /// Berlin in 2026: +02:00 from 29 March to 25 October, 01:00 UTC.
    private static let berlin = FakeZoneClock(
        microseconds: 1_774_753_200_000_000, offset: 3600,
        changes: [(1_774_746_000, 7200), (1_792_890_000, 3600)])

    @Test(arguments: [
        ("2026-03-29T01:59:59.999999", "2026-03-29T00:59:59.999999Z"),
        ("2026-03-29T03:00", "2026-03-29T01:00:00.000000Z"),
        ("2026-03-29", "2026-03-28T23:00:00.000000Z"),
        ("2026-03-30", "2026-03-29T22:00:00.000000Z"),
        ("2026-07-01T12:00", "2026-07-01T10:00:00.000000Z"),
        ("2026-10-25T01:59:59.999999", "2026-10-24T23:59:59.999999Z"),
        ("2026-10-25T03:00", "2026-10-25T02:00:00.000000Z"),
        ("2026-12-24", "2026-12-23T23:00:00.000000Z"),
        ("2026-03-29T02:30+01:00", "2026-03-29T01:30:00.000000Z"),
        ("2026-10-25T02:30+02:00", "2026-10-25T00:30:00.000000Z"),
        ("2026-10-25T02:30+01:00", "2026-10-25T01:30:00.000000Z"),
        ("today", "2026-03-28T23:00:00.000000Z"), ("yesterday", "2026-03-27T23:00:00.000000Z"),
    ])
    func timesThatTheZoneHasOnce(text: String, expected: String) throws {
        #expect(try time(text, Self.berlin) == expected)
    }

    @Test(arguments: [
        ("2026-03-29T02:00", "skips"), ("2026-03-29 02:59:59.999999", "skips"), ("20260329T0230", "skips"),
        ("2026-10-25T02:00", "twice"), ("2026-10-25T02:59:59.999999", "twice"),
    ])
    func skippedAndRepeatedTimesAreRefusedWithBothOffsets(text: String, word: String) throws {
        let error = try refusal(text, Self.berlin)
        #expect(error.code == .usage)
        #expect(error.subject == text)
        #expect(error.what.contains(word))
        #expect(error.reason.contains("+01:00") && error.reason.contains("+02:00"))
    }

    @Test func theAdviceOfARefusalIsTwoTimesThatAreTaken() throws {
        for (text, fraction) in [("2026-10-25T02:30", ""), ("2026-10-25T02:30:00.5", ".500000")] {
            let error = try refusal(text, Self.berlin)
            let advice = error.advice.replacing("add the offset that is meant: ", with: "")
            let spellings = advice.split(separator: " or ").map(String.init)
            let spelled = "2026-10-25T02:30:00" + fraction
            #expect(spellings == [spelled + "+02:00", spelled + "+01:00"])
            let tail = fraction.isEmpty ? ".000000Z" : fraction + "Z"
            let expected = ["2026-10-25T00:30:00" + tail, "2026-10-25T01:30:00" + tail]
            #expect(try spellings.map { try time($0, Self.berlin) } == expected)
        }
    }

    /// A shorter text before a colon may be a time that the zone has: the refusal must win all the same.
    @Test func aRefusedTimeIsNotSplitAtItsColons() throws {
        // Lord Howe, 4 April 2026, 15:00 UTC: from +11:00 to +10:30, so 01:30 to 02:00 comes twice.
        let clock = FakeZoneClock(
            microseconds: 1_775_000_000_000_000, offset: 39_600, changes: [(1_775_314_800, 37_800)])
        for argument in ["2026-04-05T01:45:00", "2026-04-05T01:45:00:src"] {
            do throws(SnapcatError) {
                let parsed = try SnapshotReference.parse(argument: Array(argument.utf8), clock: clock)
                Issue.record("taken for \(parsed)")
            } catch {
                #expect(error.subject == "2026-04-05T01:45:00")
                #expect(error.reason == "the offsets around it are +11:00 and +10:30")
            }
        }
        #expect(try time("2026-04-05T01:29:59", clock) == "2026-04-04T14:29:59.000000Z")
        #expect(try time("2026-04-05T02:00", clock) == "2026-04-04T15:30:00.000000Z")
    }

    @Test func aSkippedMidnightRefusesTheDateAndToday() throws {
        // Beirut, 29 March 2026: at midnight from +02:00 to +03:00.
        let clock = FakeZoneClock(
            microseconds: 1_774_778_400_000_000, offset: 7200, changes: [(1_774_735_200, 10_800)])
        #expect(try refusal("2026-03-29", clock).reason == "the offsets around it are +02:00 and +03:00")
        #expect(try refusal("today", clock).subject == "2026-03-29T00:00:00")
        #expect(try time("2026-03-29T01:00", clock) == "2026-03-28T22:00:00.000000Z")
        #expect(try time("yesterday", clock) == "2026-03-27T22:00:00.000000Z")
    }

    @Test func aDayThatTheDateLineSkipsIsRefusedWhole() throws {
        // Samoa had no 30 December 2011: from -10:00 to +14:00.
        let clock = FakeZoneClock(
            microseconds: 1_325_300_000_000_000, offset: -36_000, changes: [(1_325_239_200, 50_400)])
        #expect(try time("2011-12-29T23:59:59", clock) == "2011-12-30T09:59:59.000000Z")
        for text in ["2011-12-30", "2011-12-30T12:00", "2011-12-30T23:59:59"] {
            #expect(try refusal(text, clock).reason == "the offsets around it are -10:00 and +14:00")
        }
        #expect(try time("2011-12-31", clock) == "2011-12-30T10:00:00.000000Z")
    }

    @Test func offsetsWithSecondsAreNamedInFull() throws {
        // Monrovia, 7 January 1972: from -00:44:30 to UTC.
        let clock = FakeZoneClock(microseconds: 0, offset: -2670, changes: [(63_593_070, 0)])
        let error = try refusal("1972-01-07T00:10", clock)
        #expect(error.reason == "the offsets around it are -00:44:30 and +00:00")
        #expect(error.advice.hasSuffix("1972-01-07T00:10:00-00:44:30 or 1972-01-07T00:10:00+00:00"))
    }

    /// The judge knows the changes; the code under test asks the clock alone.
    @Test func theOffsetsOfRandomZonesAreAllFoundAndNoOthers() {
        var random = SeededRandom()
        for _ in 0..<400 {
            var changes: [(at: Int64, offset: Int)] = []
            var at: Int64 = 1_700_000_000
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                at += .random(in: 7200...200_000, using: &random)
                changes.append((at, 900 * .random(in: -48...56, using: &random)))
            }
            let offset = 900 * Int.random(in: -48...56, using: &random)
            let clock = FakeZoneClock(microseconds: 0, offset: offset, changes: changes)
            for _ in 0..<50 {
                let local = Int64.random(in: 1_699_900_000...at + 100_000, using: &random)
                let starts = [Int64.min] + changes.map(\.at)
                let ends = changes.map(\.at) + [Int64.max]
                let offsets = [clock.offset] + changes.map(\.offset)
                var expected: Set<Int> = []
                for (index, offset) in offsets.enumerated() {
                    let moment = local - Int64(offset)
                    if moment >= starts[index] && moment < ends[index] { expected.insert(offset) }
                }
                let found = LocalOffsets(of: local, clock)
                #expect(found.isSkipped == expected.isEmpty, "\(random.label)")
                #expect(found.only == (expected.count == 1 ? expected.first : nil), "\(random.label)")
                if !expected.isEmpty { #expect(found.choices == expected.sorted(by: >), "\(random.label)") }
            }
        }
    }
}

/// Which snapshot a reference chooses.
@Suite struct ReferenceResolutionTests {
    private static let stems = [
        "2026-11-18_10-00-00_000000Z", "2026-11-19_10-00-00_000000Z", "2026-11-20_10-00-00_000000Z",
        "2026-11-20_10-00-00_000001Z", "2026-11-20_11-00-00_000000Z",
    ]
    private static let clock = FakeZoneClock(microseconds: 1_795_218_531_220_298, offset: 0)

    private func candidates(damaged: Set<Int> = []) throws -> [SnapshotCandidate] {
        try Self.stems.enumerated().map { index, stem in
            let name = try #require(SnapshotName(stem: stem))
            return SnapshotCandidate(name: name, isDamaged: damaged.contains(index))
        }
    }

    private func resolve(_ text: String, _ candidates: [SnapshotCandidate]) throws(SnapcatError) -> String {
        try SnapshotReference.parse(text, clock: Self.clock).resolve(in: candidates).stem
    }

    private func failure(_ text: String, _ candidates: [SnapshotCandidate]) throws -> SnapcatError {
        try #require(throws: SnapcatError.self) { try resolve(text, candidates) }
    }

    @Test(arguments: [
        ("latest", 4), ("latest~0", 4), ("latest~1", 3), ("latest~4", 0), ("oldest", 0), ("now", 4),
        ("2026-11-20T10:00:00.000000Z", 2), ("2026-11-20T10:00:00.000001Z", 3), ("2026-11-20T10:59:59Z", 3),
        ("2026-11-20", 1), ("2026-11-19", 0), ("9999-12-31", 4), ("1d", 1), ("2026-11-20_11", 4),
        ("2026-11-18_", 0), ("2026-11-20_10-00-00_000000Z", 2), ("2026-11-20_10-00-00_000001Z.jsonl.gz", 3),
    ])
    func aReferenceChoosesTheNewestAtOrBefore(text: String, index: Int) throws {
        #expect(try resolve(text, try candidates()) == Self.stems[index])
    }

    @Test(arguments: [
        ("latest", 3), ("latest~1", 1), ("oldest", 1), ("2026-11-20T10:00:00.000000Z", 1), ("now", 3),
        ("2026-11-20_11", 4), ("2026-11-18", nil), ("2026-11-18_10-00-00_000000Z", 0),
        ("2026-11-20_10-00-00_000000Z.jsonl.gz", 2),
    ] as [(String, Int?)])
    func damagedSnapshotsAreChosenByNameOnly(text: String, index: Int?) throws {
        let candidates = try candidates(damaged: [0, 2, 4])
        if let index {
            #expect(try resolve(text, candidates) == Self.stems[index])
        } else {
            #expect(try failure(text, candidates).reason == "the oldest undamaged of 2 is \(Self.stems[1])")
        }
    }

    /// A damaged snapshot keeps its name: a prefix that fits it and another still names two.
    @Test func damagedSnapshotsCountForAPrefix() throws {
        let error = try failure("2026-11-20_10", try candidates(damaged: [2]))
        #expect(error.reason == "it fits 2 snapshots: \(Self.stems[2]), \(Self.stems[3])")
    }

    @Test(arguments: [
        ("latest~5", "the oldest of 5 is 2026-11-18_10-00-00_000000Z"),
        ("latest~9223372036854775807", "the oldest of 5 is 2026-11-18_10-00-00_000000Z"),
        ("2026-11-18T09:59:59.999999Z", "the oldest of 5 is 2026-11-18_10-00-00_000000Z"),
        ("2026-11-20_", "it fits 3 snapshots: \(stems[2]), \(stems[3]), \(stems[4])"),
        ("2026", "it fits 5 snapshots: \(stems[0]), \(stems[1]), \(stems[2]), ..."),
        ("2026-11-19_11", "the nearest: \(stems[1]), \(stems[2])"),
        ("2025", "the nearest: \(stems[0])"), ("2027", "the nearest: \(stems[4])"),
        ("2026-11-20_10-00-00_000002Z", "the nearest: \(stems[3]), \(stems[4])"),
    ])
    func whatIsNotFoundIsToldInOneLineWithTheNearest(text: String, reason: String) throws {
        let error = try failure(text, try candidates())
        #expect(error.code == .noSnapshot)
        #expect(error.reason == reason)
        let spelled = try SnapshotReference.parse(text, clock: Self.clock).text
        #expect(error.description == "No snapshot '\(spelled)': \(reason) (see 'snapcat list')")
    }

    @Test(arguments: ["latest", "latest~1", "oldest", "now", "2026", "2026-11-20_23-48-51_220298Z"])
    func withoutSnapshotsNothingIsFound(text: String) throws {
        let error = try failure(text, [])
        #expect(error.code == .noSnapshot)
        #expect(error.reason == "there are no snapshots")
    }

    @Test func thatAllAreDamagedIsTold() throws {
        let damaged = try candidates(damaged: [0, 1, 2, 3, 4])
        for text in ["latest", "oldest", "now"] {
            #expect(try failure(text, damaged).reason == "all snapshots are damaged (5)")
        }
    }

    @Test func referencesThatNoTextGivesDoNotTrap() throws {
        let candidates = try candidates()
        for reference in [SnapshotReference.latest(back: -1), .latest(back: .min), .namePrefix("\u{301}")] {
            let error = try #require(throws: SnapcatError.self) { try reference.resolve(in: candidates) }
            #expect(error.code == .noSnapshot)
        }
    }

    @Test func filesAndTheLiveFileRootAreNotAmongTheSnapshots() throws {
        for text in ["x.jsonl.gz", "live"] {
            let error = try failure(text, try candidates())
            #expect(error.code == .usage)
            #expect(error.subject == text)
        }
    }

    /// The judge goes through all snapshots one by one.
    @Test func randomTimesChooseTheNewestUndamagedAtOrBefore() throws {
        var random = SeededRandom()
        for _ in 0..<300 {
            let times = Set((0..<Int.random(in: 0...12, using: &random)).map { _ in
                Int64.random(in: 0...40, using: &random)
            }).sorted()
            let candidates = times.map { time in
                let name = SnapshotName(time: SnapshotTime(microseconds: time))
                return SnapshotCandidate(name: name, isDamaged: random.next() % 4 == 0)
            }
            for time in Int64(0)...41 {
                var expected: SnapshotName?
                for candidate in candidates where !candidate.isDamaged {
                    if candidate.name.time.microseconds <= time { expected = candidate.name }
                }
                let reference = SnapshotReference.time(SnapshotTime(microseconds: time))
                do throws(SnapcatError) {
                    #expect(try reference.resolve(in: candidates) == expected, "\(random.label)")
                } catch { #expect(expected == nil, "\(random.label)") }
            }
        }
    }
}

/// A clock that stands, in a zone whose changes are given: `offset` until the first of them.
private struct FakeZoneClock: WallClock {
    let nowNanoseconds: Int64
    let offset: Int
    let changes: [(at: Int64, offset: Int)]

    var fileClockNanoseconds: Int64 { nowNanoseconds }

    init(nanoseconds: Int64, offset: Int, changes: [(at: Int64, offset: Int)] = []) {
        nowNanoseconds = nanoseconds
        self.offset = offset
        self.changes = changes
    }

    init(microseconds: Int64, offset: Int, changes: [(at: Int64, offset: Int)] = []) {
        self.init(nanoseconds: microseconds * 1000, offset: offset, changes: changes)
    }

    func localOffsetSeconds(at seconds: Int64) -> Int { changes.last { $0.at <= seconds }?.offset ?? offset }
}

/// What `text` names, as ISO 8601 in UTC.
private func time(_ text: String, _ clock: FakeZoneClock) throws -> String {
    guard case .time(let time) = try SnapshotReference.parse(text, clock: clock) else {
        throw SnapcatError(.failed, "Not taken for a time", text)
    }
    return time.iso8601
}

/// The error that `text` is refused with.
private func refusal(_ text: String, _ clock: FakeZoneClock) throws -> SnapcatError {
    try #require(throws: SnapcatError.self) { try SnapshotReference.parse(text, clock: clock) }
}
