import SnapcatFormat
import SnapcatPlatform
import SnapcatTestSupport
import Testing

@testable import Snapcat

/// Which snapshots a policy keeps, and why: by tables, by brute force, and across both changes of the clock.
@Suite struct RetentionPolicyTests {
    private static func time(_ text: String) throws -> SnapshotTime {
        try #require(try TimeText.parse(text, clock: TestClock(nanoseconds: 0)))
    }

    private static func candidates(_ times: [String]) throws -> [RetentionPolicy.Candidate] {
        try times.map { RetentionPolicy.Candidate(name: SnapshotName(time: try time($0)), fileRoot: [1]) }
    }

    /// What is kept, as given, in the order of time.
    private static func kept(
        _ policy: RetentionPolicy, _ times: [String], now: String = "2026-12-31T00:00:00Z",
        offset: @escaping @Sendable (Int64) -> Int = { _ in 0 }
    ) throws -> [String] {
        let clock = TestClock(nanoseconds: try time(now).microseconds * 1000, offset: offset)
        let reasons = policy.reasons(try candidates(times), clock: clock)
        return try times.filter { !(reasons[SnapshotName(time: try time($0))] ?? []).isEmpty }
    }

    private static func policy(_ set: (inout RetentionPolicy) -> Void) -> RetentionPolicy {
        var policy = RetentionPolicy()
        set(&policy)
        return policy
    }

    private static let days = (1...9).flatMap { ["2026-11-0\($0)T08:00:00Z", "2026-11-0\($0)T20:00:00Z"] }

    @Test func theNewestOfEachPeriodStays() throws {
        #expect(try Self.kept(Self.policy { $0.last = 2 }, Self.days) == ["2026-11-09T08:00:00Z", "2026-11-09T20:00:00Z"])
        #expect(try Self.kept(Self.policy { $0.daily = 2 }, Self.days) == ["2026-11-08T20:00:00Z", "2026-11-09T20:00:00Z"])
        // The 2nd of November 2026 is a Monday.
        #expect(try Self.kept(Self.policy { $0.weekly = 9 }, Self.days) == ["2026-11-01T20:00:00Z", "2026-11-08T20:00:00Z", "2026-11-09T20:00:00Z"])
        #expect(try Self.kept(Self.policy { $0.monthly = 3 }, Self.days) == ["2026-11-09T20:00:00Z"])
        #expect(try Self.kept(Self.policy { $0.hourly = 3 }, Self.days) == Self.days.suffix(3))
        #expect(try Self.kept(Self.policy { $0.yearly = 1 }, ["2025-12-31T23:59:59Z", "2026-01-01T00:00:00Z"]) == ["2026-01-01T00:00:00Z"])
        #expect(try Self.kept(RetentionPolicy(), Self.days) == [])
    }

    @Test func withinCountsFromTheNewestSnapshotNotFromNow() throws {
        let policy = Self.policy { $0.withinMicroseconds = 86_400_000_000 }
        let kept = ["2026-11-08T20:00:00Z", "2026-11-09T08:00:00Z", "2026-11-09T20:00:00Z"]
        #expect(try Self.kept(policy, Self.days) == kept)
        #expect(try Self.kept(policy, Self.days, now: "2099-01-01T00:00:00Z") == kept)
    }

    @Test func aSnapshotOfTheFutureStaysAndCountsForNoOther() throws {
        let times = Self.days + ["2098-01-01T00:00:00Z"]
        for policy in [Self.policy { $0.last = 1 }, Self.policy { $0.withinMicroseconds = 1 }, Self.policy { $0.daily = 1 }] {
            #expect(try Self.kept(policy, times) == ["2026-11-09T20:00:00Z", "2098-01-01T00:00:00Z"])
        }
        // A clock that is behind makes all of them future: all stay.
        #expect(try Self.kept(Self.policy { $0.last = 1 }, Self.days, now: "2020-01-01T00:00:00Z") == Self.days)
    }

    /// Central Europe in 2026: +01:00, from 29 March 01:00 UTC +02:00, from 25 October 01:00 UTC +01:00 again.
    private static let berlin: @Sendable (Int64) -> Int = { (1_774_746_000..<1_792_890_000).contains($0) ? 7200 : 3600 }

    @Test func theDayOf23HoursIsOneDay() throws {
        // 00:30, 01:30, (02 is skipped) 03:30, 23:30 local, and 00:30 of the next day.
        let times = ["2026-03-28T23:30:00Z", "2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z", "2026-03-29T21:30:00Z", "2026-03-29T22:30:00Z"]
        #expect(try Self.kept(Self.policy { $0.daily = 9 }, times, offset: Self.berlin) == times.suffix(2))
        #expect(try Self.kept(Self.policy { $0.hourly = 9 }, times, offset: Self.berlin) == times)
        #expect(RetentionPeriod.hourly.label(try Self.time("2026-03-29T01:30:00Z"), TestClock(nanoseconds: 0, offset: Self.berlin)) == "2026-03-29 03h+02:00")
    }

    @Test func theDayOf25HoursIsOneDayAndItsDoubleHourIsTwoHours() throws {
        // 00:30, 02:15 and 02:45 summer time, 02:15 and 02:45 winter time, 23:30, and the next day.
        let times = [
            "2026-10-24T22:30:00Z", "2026-10-25T00:15:00Z", "2026-10-25T00:45:00Z", "2026-10-25T01:15:00Z", "2026-10-25T01:45:00Z",
            "2026-10-25T22:30:00Z", "2026-10-25T23:30:00Z",
        ]
        #expect(try Self.kept(Self.policy { $0.daily = 9 }, times, offset: Self.berlin) == times.suffix(2))
        let hours = try Self.kept(Self.policy { $0.hourly = 99 }, times, offset: Self.berlin)
        #expect(hours == [times[0], times[2], times[4], times[5], times[6]])
        // A day of its own for UTC only.
        #expect(try Self.kept(Self.policy { $0.daily = 9 }, times) == [times[0], times[6]])
    }

    @Test func aZoneOfHalfAnHourAndOneAcrossTheDateLineCount() throws {
        let times = ["2026-11-09T18:29:59Z", "2026-11-09T18:30:00Z"]
        #expect(try Self.kept(Self.policy { $0.daily = 9 }, times, offset: { _ in 19_800 }) == times)
        #expect(try Self.kept(Self.policy { $0.daily = 9 }, times) == times.suffix(1))
        #expect(try Self.kept(Self.policy { $0.hourly = 9 }, times, offset: { _ in 19_800 }) == times)
        #expect(try Self.kept(Self.policy { $0.yearly = 9 }, ["2026-01-01T09:00:00Z", "2026-01-01T10:00:00Z"], offset: { _ in -36_000 }).count == 2)
    }

    @Test func tagsAndDamageKeep_andEachRootIsJudgedApart() throws {
        var candidates = try Self.candidates(["2026-11-01", "2026-11-02", "2026-11-03", "2026-11-04", "2026-11-05", "2026-11-06"])
        candidates[0].tags = ["release", "x"]
        candidates[1].isDamaged = true
        candidates[3].fileRoot = [2]
        // Without a companion: it takes the place of none that tells its root.
        candidates[4].fileRoot = nil
        // With one that cannot be read: of which root it is, is not guessed.
        candidates[5].fileRoot = nil
        candidates[5].hasDamagedCompanion = true
        let reasons = Self.policy { $0.last = 1; $0.tags = ["release"] }
            .reasons(candidates, clock: TestClock(nanoseconds: try Self.time("2026-12-01").microseconds * 1000))
        let texts = candidates.map { reasons[$0.name] ?? ["?"] }
        let (last, byName) = (["last 1"], "damaged: only its name forgets it")
        #expect(texts == [["tag release"], [byName], last, last, last, ["companion " + byName]])
    }

    @Test func eachHostIsJudgedApart_unlessItIsNotToCount() throws {
        var candidates = try Self.candidates(["2026-11-01", "2026-11-02", "2026-11-03", "2026-11-04", "2026-11-05"])
        for (index, host) in ["a", "b", "", "a", ""].enumerated() { candidates[index].host = host }
        candidates[4].fileRoot = nil
        let clock = TestClock(nanoseconds: try Self.time("2026-12-01").microseconds * 1000)
        func kept(_ policy: RetentionPolicy) -> [Int] {
            let reasons = policy.reasons(candidates, clock: clock)
            return candidates.indices.filter { reasons[candidates[$0].name]?.isEmpty == false }
        }
        // An unknown host is one of its own, and so is an unknown root.
        #expect(kept(Self.policy { $0.last = 1 }) == [1, 2, 3, 4])
        #expect(kept(Self.policy { $0.last = 1; $0.groupsByHost = false }) == [3, 4])
        candidates[1].fileRoot = [2]
        #expect(kept(Self.policy { $0.last = 1; $0.groupsByHost = false }) == [1, 3, 4])
        #expect(kept(Self.policy { $0.last = 1; $0.groupsByHost = false; $0.groupsByFolder = false }) == [4])
    }

    @Test func randomHistoriesAgreeWithBruteForce() throws {
        var random = SeededRandom()
        for _ in 0..<300 {
            let offset = Int.random(in: -50_000...50_000, using: &random)
            let times = Set((0..<Int.random(in: 1...40, using: &random)).map { _ in
                Int64.random(in: 1_700_000_000...1_720_000_000, using: &random) * 1_000_000
            }).sorted()
            let clock = TestClock(nanoseconds: 2_000_000_000_000_000_000, offset: { _ in offset })
            let counts = (0..<6).map { _ in Int.random(in: 0...5, using: &random) }
            let policy = Self.policy {
                ($0.last, $0.hourly, $0.daily, $0.weekly, $0.monthly, $0.yearly) = (counts[0], counts[1], counts[2], counts[3], counts[4], counts[5])
            }
            let names = times.map { SnapshotName(time: SnapshotTime(microseconds: $0)) }
            let kept = policy.reasons(names.map { RetentionPolicy.Candidate(name: $0) }, clock: clock).filter { !$0.value.isEmpty }
            var expected = Set(names.suffix(counts[0]))
            for (period, count) in zip(RetentionPeriod.allCases, counts[1...]) {
                let groups = Dictionary(grouping: names) { period.label($0.time, clock) }
                expected.formUnion(groups.values.compactMap { $0.max() }.sorted().suffix(count))
            }
            #expect(Set(kept.keys) == expected, "\(random.label)")
        }
    }
}
