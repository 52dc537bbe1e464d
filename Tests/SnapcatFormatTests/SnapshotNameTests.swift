import SnapcatTestSupport
import Testing

@testable import SnapcatFormat

/// Times, names of snapshots and the calendar behind both.
@Suite struct SnapshotNameTests {
    private static let example = SnapshotTime(microseconds: 1_795_218_531_220_298)

    @Test func aTimeIsSpelledInTheFormsOfTheFormat() {
        let name = SnapshotName(time: Self.example)
        #expect(name.time.iso8601 == "2026-11-20T23:48:51.220298Z")
        #expect(name.stem == "2026-11-20_23-48-51_220298Z")
        #expect(name.key == "2026/11/2026-11-20_23-48-51_220298Z.jsonl.gz")
        #expect(name.companionKey == "2026/11/2026-11-20_23-48-51_220298Z.meta.gz")
        #expect(SnapshotName(fileName: "2026-11-20_23-48-51_220298Z.jsonl.gz") == name)
        #expect(SnapshotName(fileName: Array("2026-11-20_23-48-51_220298Z.jsonl.gz".utf8)) == name)
        #expect(SnapshotName(stem: name.stem) == name)
    }

    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000000Z"),
        (1, "1970-01-01T00:00:00.000001Z"),
        (951_782_400_000_000, "2000-02-29T00:00:00.000000Z"),
        (4_107_542_399_000_000, "2100-02-28T23:59:59.000000Z"),
        (4_107_542_400_000_000, "2100-03-01T00:00:00.000000Z"),
        (253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z"),
    ] as [(Int64, String)])
    func edgesOfTheCalendarAreSpelledAndReadBack(microseconds: Int64, text: String) {
        let time = SnapshotTime(microseconds: microseconds)
        #expect(time.iso8601 == text)
        #expect(SnapshotName(stem: SnapshotName(time: time).stem)?.time == time)
    }

    @Test func timesThatNoNameCanSpellDoNotTrapAndDoNotReadBack() {
        for microseconds in [Int64.min, -1, 253_402_300_800_000_000, .max] {
            let name = SnapshotName(time: SnapshotTime(microseconds: microseconds))
            #expect(SnapshotName(stem: name.stem) == nil)
            #expect(!SnapshotTime.nameable.contains(name.time))
            #expect(name.time.iso8601.hasSuffix("Z"))
        }
    }

    @Test(arguments: [
        "", "x", ".jsonl.gz", "2026-11-20_23-48-51_220298Z", "2026-11-20_23-48-51_220298Z.jsonl",
        "2026-11-20_23-48-51_220298Z.jsonl.gz ", " 2026-11-20_23-48-51_220298Z.jsonl.gz",
        "2026-11-20_23-48-51_220298Z.jsonl.gz\n", "2026-11-20_23-48-51_220298Z.JSONL.GZ",
        "2026-11-20_23-48-51_220298Z.meta.gz", "2026-11-20_23-48-51_220298z.jsonl.gz",
        "2026-11-20T23-48-51_220298Z.jsonl.gz", "2026-11-20_23:48:51_220298Z.jsonl.gz",
        "2026-11-20_23-48-51.220298Z.jsonl.gz", "2026-11-20_23-48-51_22029Z.jsonl.gz",
        "2026-11-20_23-48-51_2202980Z.jsonl.gz", "12026-11-20_23-48-51_220298Z.jsonl.gz",
        "2026-13-20_23-48-51_220298Z.jsonl.gz", "2026-00-20_23-48-51_220298Z.jsonl.gz",
        "2026-02-29_23-48-51_220298Z.jsonl.gz", "2100-02-29_23-48-51_220298Z.jsonl.gz",
        "2026-11-31_23-48-51_220298Z.jsonl.gz", "2026-11-00_23-48-51_220298Z.jsonl.gz",
        "2026-11-20_24-00-00_000000Z.jsonl.gz", "2026-11-20_23-60-51_220298Z.jsonl.gz",
        "2026-11-20_23-48-60_220298Z.jsonl.gz", "1969-12-31_23-59-59_999999Z.jsonl.gz",
        "0000-01-01_00-00-00_000000Z.jsonl.gz", "-026-11-20_23-48-51_220298Z.jsonl.gz",
        "+026-11-20_23-48-51_220298Z.jsonl.gz", "2026-11-20_23-48-51_22029\u{0661}Z.jsonl.gz",
        "２０２６-11-20_23-48-51_220298Z.jsonl.gz", "2026/11/2026-11-20_23-48-51_220298Z.jsonl.gz",
    ])
    func anyOtherSpellingIsNoName(text: String) {
        #expect(SnapshotName(fileName: text) == nil)
        #expect(SnapshotName(fileName: Array(text.utf8)) == nil)
    }

    @Test func aNameWithOneByteChangedIsAnotherNameOrNone() throws {
        let name = SnapshotName(time: Self.example)
        let bytes = Array((name.stem + ".jsonl.gz").utf8)
        for index in bytes.indices {
            for byte in UInt8.min...UInt8.max where byte != bytes[index] {
                var changed = bytes
                changed[index] = byte
                guard let other = SnapshotName(fileName: changed) else { continue }
                #expect(other != name)
                #expect(Array((other.stem + ".jsonl.gz").utf8) == changed)
            }
        }
    }

    @Test func aKeyTellsWhetherItLiesInTheFolderOfItsTime() throws {
        let stem = "2026-11-20_23-48-51_220298Z.jsonl.gz"
        let name = SnapshotName(time: Self.example)
        func parse(_ key: String) -> (name: SnapshotName, isInItsFolder: Bool)? {
            SnapshotName.parse(key: Array(key.utf8))
        }
        let own = try #require(parse("2026/11/" + stem))
        #expect(own == (name, true))
        for folder in ["2026/12/", "2025/11/", "a/b/", "2026/1/", "2026/11 /"] {
            let other = try #require(parse(folder + stem))
            #expect(other == (name, false), "\(folder)")
        }
        for folder in ["", "11/", "x/2026/11/", "/11/", "2026//", "/2026/11/"] {
            #expect(parse(folder + stem) == nil, "\(folder)")
        }
        #expect(parse("2026/11/x.jsonl.gz") == nil)
    }

    /// The expected fields come from counting whole years and months, not from the formula under test.
    @Test func randomTimesRoundTripThroughTheirNames() throws {
        var random = SeededRandom()
        let calendar = CountedCalendar()
        for _ in 0..<20_000 {
            let time = SnapshotTime(microseconds: .random(in: 0...253_402_300_799_999_999, using: &random))
            let name = SnapshotName(time: time)
            #expect(name.stem == calendar.stem(time.microseconds), "\(random.label)")
            #expect(SnapshotName(fileName: name.stem + ".jsonl.gz")?.time == time, "\(random.label)")
            let folder = "\(name.stem.prefix(4))/\(name.stem.dropFirst(5).prefix(2))/"
            #expect(name.key == folder + name.stem + ".jsonl.gz", "\(random.label)")
        }
    }

    @Test func namesSortAsTheirTimes() {
        var random = SeededRandom()
        let times = (0..<2000).map { _ in
            SnapshotTime(microseconds: .random(in: 0...253_402_300_799_999_999, using: &random))
        }
        let names = times.map { SnapshotName(time: $0) }
        #expect(names.sorted().map(\.stem) == names.map(\.stem).sorted(), "\(random.label)")
    }

    @Test func namesAreThoseOfPythonsStrftime() throws {
        var random = SeededRandom()
        let times = (0..<2000).map { _ in Int64.random(in: 0...253_402_300_799_999_999, using: &random) }
        let script = """
            import sys
            from datetime import datetime, timedelta, timezone
            epoch = datetime(1970, 1, 1, tzinfo=timezone.utc)
            for line in sys.stdin:
                print((epoch + timedelta(microseconds=int(line))).strftime("%Y-%m-%d_%H-%M-%S_%fZ"))
            """
        let input = times.map(String.init).joined(separator: "\n")
        let expected = try Python.lines(script, input: Array(input.utf8))
        let own = times.map { Array(SnapshotName(time: SnapshotTime(microseconds: $0)).stem.utf8) }
        #expect(own == expected, "\(random.label)")
    }

    @Test func everyDayOfTheYearsIsValidOnceAndInOrder() {
        var day = 0
        for (year, month, length) in CountedCalendar().months {
            for date in 1...length {
                guard CivilTime.days(year: year, month: month, day: date) == day,
                    CivilTime.date(days: day) == (year, month, date)
                else {
                    Issue.record("\(year)-\(month)-\(date) is not day \(day)")
                    return
                }
                day += 1
            }
            #expect(!CivilTime.isValid(year: year, month: month, day: 0))
            #expect(CivilTime.isValid(year: year, month: month, day: length))
            #expect(!CivilTime.isValid(year: year, month: month, day: length + 1))
        }
        #expect(day == 2_932_897)
    }
}

/// The calendar by counting: each month of the years 1970 to 9999 with its days and its first day.
private struct CountedCalendar {
    let months: [(year: Int, month: Int, length: Int)]
    private let firstDays: [Int]

    init() {
        let lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        var months: [(year: Int, month: Int, length: Int)] = []
        for year in 1970...9999 {
            let isLeap = year % 400 == 0 || (year % 4 == 0 && year % 100 != 0)
            for month in 1...12 {
                months.append((year, month, isLeap && month == 2 ? 29 : lengths[month - 1]))
            }
        }
        var firstDays: [Int] = []
        var day = 0
        for month in months {
            firstDays.append(day)
            day += month.length
        }
        self.months = months
        self.firstDays = firstDays
    }

    func stem(_ microseconds: Int64) -> String {
        let seconds = Int(microseconds / 1_000_000)
        let day = seconds / 86_400
        let index = firstDays.partitioningIndex { $0 > day } - 1
        func pad(_ value: Int, _ width: Int = 2) -> String {
            String(String(value + 10_000_000).suffix(width))
        }
        let date = "\(months[index].year)-\(pad(months[index].month))-\(pad(day - firstDays[index] + 1))"
        let clock = "\(pad(seconds / 3600 % 24))-\(pad(seconds / 60 % 60))-\(pad(seconds % 60))"
        return "\(date)_\(clock)_\(pad(Int(microseconds % 1_000_000), 6))Z"
    }
}

extension [Int] {
    /// The first index whose element the predicate holds for, of elements where it holds from some point on.
    fileprivate func partitioningIndex(_ belongs: (Int) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if belongs(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
