import Foundation
import SnapcatFormat
import SnapcatHeap
import SnapcatPlatform
import SnapcatTestSupport
import Synchronization
import Testing

@testable import Snapcat

/// A check that reads a part of the objects each time: it knows what it has read, and in doubt it reads again.
@Suite struct CheckLedgerTests {
    /// A heap of objects of different sizes, and a clock to turn.
    private struct Fixture {
        let folder: TempFolder
        let clock = TestClock()
        let repository: Repository
        static let count = 150

        init() async throws {
            var random = SeededRandom()
            folder = try TempFolder()
            for number in 0..<Self.count { try folder.write("source/\(number)", random.bytes(20 + number * 7)) }
            repository = Repository(.folder(folder.path + "/repo"), clock: clock)
            _ = try await repository.make(folder.path + "/source")
        }

        /// Another process, so to speak.
        func check(
            maxAgeDays: Int64? = nil, budget: Int64? = nil, seconds: Int64? = nil,
            _ tell: @escaping @Sendable (CheckFinding) throws -> Void = { _ in }
        ) async throws -> (read: Int64, bytes: Int64, left: Int64, summary: CheckSummary) {
            let bounds = ReadingBounds(
                maxAgeMicroseconds: maxAgeDays.map { $0 * 86_400_000_000 }, budgetBytes: budget,
                budgetNanoseconds: seconds.map { $0 * 1_000_000_000 })
            let other = Repository(.folder(folder.path + "/repo"), clock: clock)
            let summary = try await other.check(CheckOptions(readsData: true, bounds: bounds), tell)
            return (summary.readObjects, summary.readStoredBytes, try #require(summary.unread).objects, summary)
        }

        func object(_ md5: MD5Digest) -> String { "\(folder.path)/repo/heap/\(String(md5.description.prefix(2)))/\(md5).gz" }

        /// By md5, with their sizes.
        func objects() throws -> [(md5: MD5Digest, size: Int64)] {
            try (0..<256).flatMap { try repository.requireHeap().objectStatuses(inBucket: $0) }
                .map { ($0.md5, $0.status.size) }.sorted { $0.md5 < $1.md5 }
        }

        func column(_ sql: String) async throws -> [QueryValue] {
            let repository = Repository(.folder(folder.path + "/repo"), clock: clock)
            let rows = Mutex<[QueryValue]>([])
            _ = try await repository.query(sql, columns: { _ in }, row: { row in rows.withLock { $0.append(row[0]) } })
            return rows.withLock { $0 }
        }

        func replace(_ path: String, _ bytes: Data) throws { try bytes.write(to: URL(fileURLWithPath: path)) }
    }

    @Test func `A budget is used to the last byte, in the order of the last reading`() async throws {
        let fixture = try await Fixture()
        let objects = try fixture.objects()
        let budget = objects.prefix(40).reduce(0) { $0 + $1.size }
        let first = try await fixture.check(budget: budget)
        #expect(first.read == 40 && first.bytes == budget && first.left == Int64(Fixture.count - 40))
        let expected = objects.prefix(40).map { QueryValue.text(Array($0.md5.description.utf8)) }
        #expect(try await fixture.column("SELECT md5 FROM object WHERE verified_at IS NOT NULL ORDER BY md5") == expected)
        // A byte less: the last one gives way to a smaller one, if there is one.
        fixture.clock.advance(hours: 1)
        let rest = Array(objects.dropFirst(40))
        let less = rest.prefix(30).reduce(0) { $0 + $1.size } - 1
        var room = less
        let fitting = rest.filter { object in
            guard object.size <= room else { return false }
            room -= object.size
            return true
        }
        let second = try await fixture.check(budget: less)
        #expect(second.read == Int64(fitting.count) && second.bytes == less - room)
        // What was never read comes before what was, and that by its age.
        fixture.clock.advance(hours: 1)
        let third = try await fixture.check(budget: objects.reduce(0) { $0 + $1.size })
        #expect(third.read == Int64(Fixture.count) && third.left == 0)
        let none = try await fixture.check(maxAgeDays: 30, budget: 0)
        #expect(none.read == 0 && none.left == 0)
    }

    @Test func `Night by night everything is read once, and again when it is old`() async throws {
        let fixture = try await Fixture()
        let budget = try fixture.objects().reduce(0) { $0 + $1.size } / 6
        for _ in 0..<3 {
            var (read, nights): (Int64, Int64) = (0, 0)
            repeat {
                let night = try await fixture.check(maxAgeDays: 30, budget: budget)
                read += night.read
                nights += 1
                #expect(night.bytes <= budget && night.left == Int64(Fixture.count) - read)
                fixture.clock.advance(hours: 24)
            } while read < Fixture.count && nights < 20
            #expect(read == Fixture.count && nights <= 8, "\(read) \(nights)")
            #expect(try await fixture.check(maxAgeDays: 30).read == 0)
            fixture.clock.advance(hours: 24 * 40)
        }
    }

    @Test func `An object that the budget can never hold is told, and does not hold up the others`() async throws {
        let fixture = try await Fixture()
        var random = SeededRandom()
        try fixture.folder.write("source/large", random.bytes(400_000))
        _ = try await fixture.repository.make(fixture.folder.path + "/source")
        let largest = try #require(fixture.objects().map(\.size).max())
        let told = Mutex<[CheckFinding]>([])
        let some = try await fixture.check(maxAgeDays: 30, budget: largest - 1) { finding in told.withLock { $0.append(finding) } }
        #expect(some.read == Fixture.count && some.left == 1)
        #expect(told.withLock { $0.last?.kind == .unread && $0.allSatisfy { !$0.isDamage } })
        #expect(try await fixture.check(maxAgeDays: 30, budget: largest).read == 1)
    }

    @Test func `No time is no reading`() async throws {
        let fixture = try await Fixture()
        let result = try await fixture.check(seconds: 0)
        #expect(result.read == 0 && result.left == Fixture.count && result.summary.unread?.oldest == nil)
        #expect(try await fixture.check(seconds: .max / 1_000_000_000).left == 0)
    }

    @Test func `A clock that lies never makes it skip an object`() async throws {
        let fixture = try await Fixture()
        #expect(try await fixture.check(maxAgeDays: 30).read == Fixture.count)
        #expect(try await fixture.check(maxAgeDays: 30).read == 0)
        // Back: what was noted is of the future now.
        fixture.clock.advance(hours: -2)
        #expect(try await fixture.check(maxAgeDays: 30).read == Fixture.count)
        // Ahead, and right again.
        fixture.clock.advance(hours: 24 * 400)
        #expect(try await fixture.check(maxAgeDays: 30).read == Fixture.count)
        fixture.clock.advance(hours: -24 * 400)
        #expect(try await fixture.check(maxAgeDays: 30).read == Fixture.count)
        // By a check of everything too.
        fixture.clock.advance(hours: 5)
        _ = try await fixture.repository.check(CheckOptions(readsData: true)) { _ in }
        #expect(try await fixture.check(maxAgeDays: 30).read == 0)
        fixture.clock.advance(hours: -3)
        #expect(try await fixture.check(maxAgeDays: 30).read == Fixture.count)
    }

    @Test(arguments: ["deleted", "cut", "overwritten"])
    func `Without what was noted everything is read again`(fate: String) async throws {
        let fixture = try await Fixture()
        #expect(try await fixture.check(maxAgeDays: 30).read == Fixture.count)
        let path = fixture.folder.path + "/repo/catalog.sqlite"
        switch fate {
        case "deleted": try FileManager.default.removeItem(atPath: path)
        case "cut": try fixture.replace(path, Data(contentsOf: URL(fileURLWithPath: path)).prefix(10_000))
        default: try fixture.replace(path, Data(repeating: 0x5a, count: 100_000))
        }
        #expect(try await fixture.check(maxAgeDays: 30).read == Fixture.count)
        #expect(try await fixture.check(maxAgeDays: 30).read == 0)
    }

    @Test(arguments: [false, true])
    func `Another file in an object's place is read again`(afterWholeCheck: Bool) async throws {
        let fixture = try await Fixture()
        if afterWholeCheck {
            // What a check of everything has read must be seen to be older than that.
            fixture.clock.advance(hours: 1)
            _ = try await fixture.repository.check(CheckOptions(readsData: true)) { _ in }
        } else {
            #expect(try await fixture.check(maxAgeDays: 30).read == Fixture.count)
        }
        #expect(try await fixture.check(maxAgeDays: 30).read == 0)
        let md5s = try fixture.objects().map(\.md5)
        let manager = FileManager.default
        let bytes = try Data(contentsOf: URL(fileURLWithPath: fixture.object(md5s[0])))
        // In both ways of the stamps: a file whose times are older than the note proves nothing where it is known.
        let date = Date(timeIntervalSinceNow: afterWholeCheck ? 3 * 3600 : 0)
        try manager.setAttributes([.modificationDate: date], ofItemAtPath: fixture.object(md5s[1]))
        if !afterWholeCheck {
            try manager.removeItem(atPath: fixture.object(md5s[0]))
            try fixture.replace(fixture.object(md5s[0]), bytes)
            // Its times as they were: the inode and the ctime tell.
            let attributes = try manager.attributesOfItem(atPath: fixture.object(md5s[2]))
            let copy = try Data(contentsOf: URL(fileURLWithPath: fixture.object(md5s[2])))
            try manager.removeItem(atPath: fixture.object(md5s[2]))
            try fixture.replace(fixture.object(md5s[2]), copy)
            try manager.setAttributes([.modificationDate: attributes[.modificationDate] ?? Date()], ofItemAtPath: fixture.object(md5s[2]))
        }
        #expect(try await fixture.check(maxAgeDays: 30).read == (afterWholeCheck ? 1 : 3))
    }

    @Test func `What make has stored anew is not verified`() async throws {
        let fixture = try await Fixture()
        #expect(try await fixture.check(maxAgeDays: 30).read == Fixture.count)
        let md5 = try fixture.objects()[7].md5
        try FileManager.default.removeItem(atPath: fixture.object(md5))
        // The catalog does not see that it goes: make alone knows that it came.
        _ = try await fixture.repository.make(fixture.folder.path + "/source")
        #expect(FileManager.default.fileExists(atPath: fixture.object(md5)))
        #expect(try await fixture.column("SELECT md5 FROM object WHERE verified_at IS NULL") == [.text(Array(md5.description.utf8))])
        #expect(try await fixture.check(maxAgeDays: 30).read == 1)
    }

    @Test func `Damage that came after the reading is found when it is due, and then every time`() async throws {
        let fixture = try await Fixture()
        // By a clock that is ahead of the file system's: the stamps of the damaged file do not betray it, as bits that
        // rot on a disk do not.
        fixture.clock.advance(hours: 24)
        _ = try await fixture.repository.check(CheckOptions(readsData: true)) { _ in }
        let md5 = try fixture.objects()[3].md5
        var bytes = try Data(contentsOf: URL(fileURLWithPath: fixture.object(md5)))
        bytes[bytes.count / 2] ^= 0x10
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: fixture.object(md5)))
        try file.write(contentsOf: bytes)
        try file.close()
        #expect(try await fixture.check(maxAgeDays: 30).read == 0)
        fixture.clock.advance(hours: 24 * 30)
        let told = Mutex<[CheckFinding]>([])
        let found = try await fixture.check(maxAgeDays: 30) { finding in told.withLock { $0.append(finding) } }
        #expect(found.read == Fixture.count && found.summary.damages == 1)
        #expect(told.withLock { $0.map(\.kind) } == [.object])
        // Never noted as good, and read first from now on, however small the budget.
        #expect(try await fixture.column("SELECT verified_at IS NULL AND verify_result <> 'ok' FROM object WHERE md5 = '\(md5)'") == [.integer(1)])
        let again = try await fixture.check(maxAgeDays: 30, budget: Int64(bytes.count))
        #expect(again.read == 1 && again.summary.damages == 1)
        let whole = try await fixture.repository.check(CheckOptions(readsData: true)) { _ in }
        #expect(whole.damages == 1)
        #expect(try await fixture.column("SELECT verified_at IS NULL FROM object WHERE md5 = '\(md5)'") == [.integer(1)])
    }

    @Test func `Known damage is told by each check and read first, whatever has come since and however small the budget`() async throws {
        let fixture = try await Fixture()
        let large = try #require(try fixture.objects().max(by: { $0.size < $1.size }))
        let good = try Data(contentsOf: URL(fileURLWithPath: fixture.object(large.md5)))
        var bytes = good
        bytes[bytes.count / 2] ^= 0x10
        try fixture.replace(fixture.object(large.md5), bytes)
        #expect(try await fixture.check().summary.damages == 1)
        var random = SeededRandom()
        for number in 0..<20 { try fixture.folder.write("source/new \(number)", random.bytes(300 + number)) }
        _ = try await fixture.repository.make(fixture.folder.path + "/source")
        // No room for it, and no time.
        let told = Mutex<[CheckFinding]>([])
        let small = try await fixture.check(maxAgeDays: 30, budget: large.size - 1) { finding in told.withLock { $0.append(finding) } }
        #expect(small.read > 0 && small.summary.damages == 1)
        #expect(told.withLock { $0.first { $0.isDamage }?.place.contains(large.md5.description) } == true)
        let none = try await fixture.check(seconds: 0)
        #expect(none.read == 0 && none.summary.damages == 1)
        // Room for it alone.
        let first = try await fixture.check(budget: large.size)
        #expect(first.read == 1 && first.summary.damages == 1)
        // Another file in its place is known to be good only when it was read.
        try fixture.replace(fixture.object(large.md5), good)
        #expect(try await fixture.check(seconds: 0).summary.damages == 1)
        let mended = try await fixture.check(budget: large.size)
        #expect(mended.read == 1 && mended.summary.damages == 0)
        #expect(try await fixture.check(seconds: 0).summary.damages == 0)
        // What is gone is no damage of an object.
        try fixture.replace(fixture.object(large.md5), bytes)
        #expect(try await fixture.check().summary.damages == 1)
        try FileManager.default.removeItem(atPath: fixture.object(large.md5))
        told.withLock { $0 = [] }
        _ = try await fixture.check(seconds: 0) { finding in told.withLock { $0.append(finding) } }
        #expect(told.withLock { $0.map(\.kind) } == [.missing])
    }

    @Test(arguments: ["folder", "link to nothing", "link in a circle"])
    func `Something else in an object's place is damage each time, however long ago it was verified`(thing: String) async throws {
        let fixture = try await Fixture()
        fixture.clock.advance(hours: 1)
        _ = try await fixture.check()
        let path = fixture.object(try fixture.objects()[3].md5)
        let manager = FileManager.default
        try manager.removeItem(atPath: path)
        if thing == "folder" {
            try manager.createDirectory(atPath: path, withIntermediateDirectories: false)
        } else {
            try manager.createSymbolicLink(atPath: path, withDestinationPath: thing == "link in a circle" ? path : "/nowhere/at/all")
        }
        for _ in 0..<2 {
            let found = try await fixture.check(maxAgeDays: 30, budget: 1)
            #expect(found.read == 1 && found.summary.damages == 1, "\(found)")
        }
    }

    @Test func `Where nothing can be noted it is told once, and everything is looked at all the same`() async throws {
        let fixture = try await Fixture()
        let places = Repository.Places(
            snapRoot: LocalStorage(root: fixture.folder.path + "/repo/snap"),
            heapRoot: LocalStorage(root: fixture.folder.path + "/repo/heap"), catalog: nil)
        let notes = Mutex<[String]>([])
        let monitor = Monitor(note: { note in notes.withLock { $0.append(note) } })
        let summary = try await Repository(places).check(
            CheckOptions(readsData: true, bounds: ReadingBounds(maxAgeMicroseconds: 1)), monitor: monitor) { _ in }
        #expect(summary.readObjects == Fixture.count && summary.unread?.objects == 0)
        #expect(notes.withLock { $0.filter { $0.contains("cannot be noted") }.count } == 1)
    }
}
