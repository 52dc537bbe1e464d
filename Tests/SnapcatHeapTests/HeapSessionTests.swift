import SnapcatFormat
import SnapcatPlatform
import SnapcatStorage
import SnapcatTestSupport
import SystemPackage
import Testing

@testable import SnapcatHeap

/// Runs that ended without making their objects durable.
@Suite struct HeapSessionTests {
    private let heap: HeapFolder
    private let contents: [[UInt8]]
    private let now = SystemClock().nowNanoseconds

    init() throws {
        heap = try HeapFolder()
        var random = SeededRandom()
        contents = (0..<5).map { _ in random.text(2000) }
    }

    /// A run that adds the contents and is dropped.
    private func crash(_ contents: [[UInt8]]) throws {
        let writer = try ObjectWriter(heap.session(), level: .standard)
        for content in contents { _ = try writer.add(content) }
    }

    private func truncate(_ content: [UInt8], by count: Int) throws {
        let bytes = try heap.object(digest(content))
        try heap.folder.write("heap/" + heap.name(digest(content)), Array(bytes.dropLast(count)))
    }

    @Test func aRunThatIsMadeDurableLeavesNoMark() throws {
        let session = try heap.session()
        let writer = try ObjectWriter(session, level: .standard)
        #expect(try heap.marks() == [], "before the first object")
        for content in contents { _ = try writer.add(content) }
        #expect(try heap.marks().count == 1)
        try session.makeDurable()
        #expect(try heap.marks() == [])
        try session.makeDurable()
        #expect(try heap.session().unfinishedRuns(now: now) == nil)
        // The session goes on: the next object is marked again.
        _ = try writer.add([1])
        #expect(try heap.marks().count == 1)
    }

    @Test func aRunThatStoresNothingNewLeavesNoMark() throws {
        let first = try heap.session()
        _ = try ObjectWriter(first, level: .standard).add(contents[0])
        try first.makeDurable()
        try crash([contents[0]])
        #expect(try heap.marks() == [])
    }

    @Test func theMarkOfALivingRunIsNotTaken() throws {
        let living = try heap.session()
        _ = try ObjectWriter(living, level: .standard).add(contents[0])
        let other = try heap.session()
        #expect(try other.unfinishedRuns(now: now) == nil)
        #expect(try other.verifyAfterCrash(now: now) { _ in }.isEmpty)
        #expect(try heap.marks().count == 1)
        try living.makeDurable()
    }

    @Test func aRunWhoseMarkAnotherHasRemovedIsMadeDurableAllTheSame() throws {
        let session = try heap.session()
        _ = try ObjectWriter(session, level: .standard).add(contents[0])
        let mark = try #require(try heap.marks().first)
        try FolderOperations.removeFile(heap.folder.path("heap/" + mark))
        try session.makeDurable()
        #expect(try heap.content(digest(contents[0])) == contents[0])
    }

    @Test func whatTwoFindBadIsMovedOnce_andAGoodOneThatCameMeanwhileStays() throws {
        try crash(Array(contents[..<2]))
        let session = try heap.session()
        let problem = SnapcatError(.damage, "Damaged", "an object")
        let judged = try session.fileStatus(of: digest(contents[0]))
        #expect(try session.quarantine(digest(contents[0]), problem, judged: judged))
        #expect(try !session.quarantine(digest(contents[0]), problem, judged: judged))
        // The one that was judged is gone: another file is in its place.
        #expect(try !session.quarantine(digest(contents[1]), problem, judged: judged))
        #expect(try heap.content(digest(contents[1])) == contents[1])
        #expect(try heap.files().filter { $0.hasPrefix("damaged/") }.count == 1)
    }

    @Test func aDamagedCopyInTheTrashDoesNotStandForTheGoodOneBeforeIt() throws {
        let md5 = digest(contents[0])
        let trash = try #require(HeapTrash(heap.heap))
        var newest: HeapTrash.Item?
        for second: Int64 in 1...2 {
            // As snapshooter does, which does not look into the trash.
            try heap.folder.write("heap/" + heap.name(md5), Gzip.compress(contents[0], level: .standard))
            let seen = try #require(try heap.session().fileStatus(of: md5))
            newest = try trash.begin(SnapshotTime(microseconds: second * 1_000_000)).put(md5, seen)
        }
        let damaged = Array("heap/".utf8) + (try #require(newest)).path
        try heap.folder.write(damaged, Array(try heap.folder.read(damaged).dropLast(4)))
        #expect(try heap.session().takeFromTrash(md5))
        #expect(try heap.content(md5) == contents[0])
        #expect(try trash.items().count == 1)
    }

    @Test func theObjectsOfADeadRunAreVerifiedAndTheBadOnesMoved() throws {
        try crash(Array(contents[..<3]))
        try crash(Array(contents[3...]))
        #expect(try heap.marks().count == 2)
        try truncate(contents[1], by: 5)
        try truncate(contents[4], by: .max)
        let bad = try heap.object(digest(contents[1]))
        var verified: Set<MD5Digest> = []
        let problems = try heap.session().verifyAfterCrash(now: now) { verified.insert($0) }
        #expect(verified == Set(contents.map { digest($0) }))
        #expect(problems.map(\.code) == [.damage, .damage])
        #expect(try heap.marks() == [])
        for index in [0, 2, 3] { #expect(try heap.content(digest(contents[index])) == contents[index]) }
        for index in [1, 4] { #expect(try !heap.heap.contains(digest(contents[index]))) }
        let moved = try heap.files().filter { $0.hasPrefix("damaged/") }
        #expect(moved.count == 2)
        let name = try #require(moved.first { $0.hasPrefix("damaged/\(digest(contents[1]))") })
        #expect(try heap.folder.read("heap/" + name) == bad)
        #expect(try heap.session().verifyAfterCrash(now: now) { _ in Issue.record("verified twice") }.isEmpty)
    }

    @Test func withoutADeadRunNothingIsRead() throws {
        let session = try heap.session()
        _ = try ObjectWriter(session, level: .standard).add(contents[0])
        try session.makeDurable()
        try truncate(contents[0], by: 5)
        #expect(try heap.session().verifyAfterCrash(now: now) { _ in Issue.record("an object was read") }.isEmpty)
    }

    @Test func temporaryFilesOlderThanTheLimitAreSwept() throws {
        let day: Int64 = 86_400_000_000_000
        let session = try heap.session()
        // Beside `temp` only what a killed writer has named.
        let beside = ["heap/.snapcat-tmp-0123456789abcdef", "heap/.snapcat-tmp-mine"]
        for name in ["heap/temp/a.gz", "heap/temp/b", "heap/temp/sub/c"] + beside { try heap.folder.write(name, [1]) }
        let now = try Descriptor.status(heap.folder.path("heap/temp/a.gz")).ctimeNanoseconds
        // A time of modification can be set to anything: the younger of both stamps counts.
        try FolderOperations.setModificationTime(0, of: Descriptor.open(heap.folder.path("heap/temp/b"), .write))
        try session.sweepTemporaryFiles(now: now + day / 2)
        #expect(try heap.files().count == 5)
        try session.sweepTemporaryFiles(now: now + 2 * day)
        #expect(try heap.files() == [".snapcat-tmp-mine", "temp/sub/c"])
    }
}

/// What a heap holds is what its folders hold.
@Suite struct HeapListingTests {
    private let heap: HeapFolder

    init() throws { heap = try HeapFolder() }

    @Test func onlyObjectsOfTheBucketAreListed() throws {
        let hex = "ab" + String(repeating: "0", count: 30)
        for name in [
            "ab/\(hex).gz", "temp/\(hex).gz", "damaged/\(hex).gz", "ab/\(hex)", "ab/\(hex).gz.tmp",
            "ab/.\(hex).gz",
            "ab/AB\(hex.dropFirst(2)).gz", "ab/cd\(hex.dropFirst(2)).gz", "ab/\(hex.dropLast()).gz",
            "ab/\(hex)0.gz",
            "\(hex).gz", "ab/\(hex.dropLast())g.gz", "ab/.snapcat-tmp-0123456789abcdefghijk.gz",
        ] { try heap.folder.write("heap/" + name, [1, 2]) }
        let expected = try #require(MD5Digest(hex: hex))
        var found: [MD5Digest] = []
        for bucket in 0..<256 {
            for (md5, status) in try heap.heap.objectStatuses(inBucket: bucket) {
                #expect(bucket == 0xab && status.size == 2)
                found.append(md5)
            }
        }
        #expect(found == [expected])
        #expect(try heap.heap.objects(inBucket: 0xab) == [expected])
    }

    @Test func anotherStorageListsTheSameObjects() async throws {
        let hex = "ab" + String(repeating: "1", count: 30)
        let memory = MemoryStorage(pageSize: 2)
        for name in ["ab/\(hex).gz", "temp/\(hex).gz", "ab/x.gz", "abc/\(hex).gz"] {
            try await memory.put([1, 2, 3], at: StorageKey(name), .exclusive)
        }
        let promise = WorkerThread.start("listing") {
            try Heap(storage: BlockingStorage(memory)).objectStatuses(inBucket: 0xab).map(\.status.size)
        }
        #expect(try promise.wait().get() == [3])
    }

    @Test func aMissingHeapIsEmpty() throws {
        #expect(try heap.heap.objects(inBucket: 0).isEmpty)
        #expect(try heap.heap.bucketStatuses()?.compactMap(\.self).isEmpty == true)
        #expect(try !heap.heap.contains(.empty))
        #expect(try heap.heap.problem(of: .empty)?.code == .notFound)
        #expect(throws: SnapcatError.self) { try heap.heap.open(.empty) }
    }

    @Test func anObjectWithAnotherContentIsDamage() throws {
        try heap.folder.write("heap/" + heap.name(.empty), Gzip.compress([1], level: .standard))
        #expect(try heap.heap.contains(.empty))
        #expect(try heap.heap.problem(of: .empty)?.code == .damage)
    }
}
