import Foundation
import SnapcatFormat
import SnapcatHeap
import SnapcatPlatform
import SnapcatStorage
import SnapcatTestSupport
import Synchronization
import Testing

@testable import Snapcat

/// Collecting by age, by clocks that lie, and beside programs that take no locks.
@Suite struct CollectTests {
    private let folder: TempFolder
    private let clock = TestClock()
    private let repository: Repository
    private var source: String { folder.path + "/source" }

    init() throws {
        folder = try TempFolder()
        repository = Repository(.folder(folder.path + "/repo"), clock: clock)
        try write("always", "always")
    }

    private func write(_ name: String, _ text: String) throws { try folder.write("source/" + name, Array(text.utf8)) }
    private func md5(_ text: String) -> MD5Digest { Array(text.utf8).withUnsafeBytes { MD5Hasher.digest($0) } }

    /// An object that no snapshot names.
    private func addUnused(_ text: String) throws -> MD5Digest {
        let digest = md5(text)
        try folder.write(Array("repo/heap/".utf8) + HeapLayout.path(digest), try Gzip.compress(Array(text.utf8), level: .standard))
        return digest
    }

    /// Until files are stamped with a later time than those of now.
    private func waitForTick() throws {
        func stamp() throws -> Int64 {
            try folder.write("tick", [])
            return try Descriptor.status(folder.path("tick")).mtimeNanoseconds
        }
        let first = try stamp()
        while try stamp() - first < 2000 {}
    }

    private func collect(_ set: (inout CollectOptions) -> Void = { _ in }) async throws -> (summary: CollectSummary, actions: [CollectAction]) {
        try waitForTick()
        var options = CollectOptions()
        set(&options)
        let actions = Mutex<[CollectAction]>([])
        let summary = try await repository.collectGarbage(options) { action in actions.withLock { $0.append(action) } }
        return (summary, actions.withLock { $0 })
    }

    private func holds(_ md5: MD5Digest) throws -> Bool { try repository.requireHeap().contains(md5) }
    private func trashed() throws -> [MD5Digest] { try HeapTrash(repository.requireHeap())?.items().map(\.md5) ?? [] }

    @Test func firstTheTrashThenTheEnd() async throws {
        _ = try await repository.make(source)
        let unused = try addUnused("unused")
        let first = try await collect { $0.graceMicroseconds = 1 }
        #expect(first.actions.map(\.kind) == [.trash] && first.summary.trashed == 1, "\(first)")
        #expect(try !holds(unused) && trashed() == [unused])
        // As long as the grace lasts it stays there.
        #expect(try await collect().actions.isEmpty)
        let last = try await collect { $0.graceMicroseconds = 1 }
        #expect(last.actions.map(\.kind) == [.remove])
        #expect(try trashed() == [] && holds(md5("always")))
    }

    @Test func aClockThatIsAheadMakesNothingOld() async throws {
        _ = try await repository.make(source)
        let unused = try addUnused("unused")
        clock.advance(hours: 24 * 365)
        let result = try await collect()
        #expect(result.actions.isEmpty && result.summary.young == 1)
        #expect(try holds(unused))
    }

    @Test func aClockBehindTheNewestSnapshotRefusesByAge() async throws {
        _ = try await repository.make(source)
        let unused = try addUnused("unused")
        clock.advance(hours: -1)
        await #expect(throws: SnapcatError.self) { try await collect { $0.graceMicroseconds = 1 } }
        #expect(try holds(unused))
        // Without a grace no age counts.
        #expect(try await collect { $0.graceMicroseconds = 0 }.actions.map(\.kind) == [.remove])
    }

    @Test func whatAClockOfTheFutureHasPutIntoTheTrashWaitsFromNowOn() async throws {
        _ = try await repository.make(source)
        try write("more", "more")
        let first = try await repository.make(source)
        clock.advance(hours: 24 * 365)
        var options = ForgetOptions()
        options.references = [.namePrefix(try #require(first.snapshot).stem)]
        _ = try await repository.forget(options) { _ in }
        let unused = try addUnused("unused")
        let trash = try #require(HeapTrash(repository.requireHeap()))
        let status = try Descriptor.status(folder.path(Array("repo/heap/".utf8) + HeapLayout.path(unused)))
        _ = try trash.begin(SnapshotTime(microseconds: clock.nowNanoseconds / 1000)).put(unused, status)
        clock.advance(hours: -24 * 365)
        #expect(try await collect().actions.isEmpty)
        let now = SnapshotTime(microseconds: clock.nowNanoseconds / 1000 + 60_000_000)
        #expect(try trash.items().map(\.since).allSatisfy { $0 < now })
        #expect(try SnapshotTrash(store: repository.snapshots).items().map(\.since).allSatisfy { $0 < now })
        let last = try await collect { $0.graceMicroseconds = 1 }
        #expect(last.actions.contains { $0.kind == .remove && $0.subject == .object } && last.actions.contains { $0.kind == .remove && $0.subject == .snapshot })
    }

    @Test func whateverEndsItASnapshotThatGetsANewTimeInTheTrashKeepsItsCompanion() async throws {
        let name = SnapshotName(time: SnapshotTime(microseconds: 0))
        @Sendable func time(_ seconds: Int64) -> SnapshotTime { SnapshotTime(microseconds: seconds * 1_000_000) }
        try await WorkerThread.run("test", cancellation: CancellationFlag()) {
            var ended = 0
            for call in FaultyStorage.Call.allCases {
                for number in 1... {
                    let faulty = FaultyStorage(MemoryStorage())
                    let storage = BlockingStorage(faulty)
                    let store = SnapshotStore(storage)
                    let trash = SnapshotTrash(store: store)
                    for key in [StorageKey(name.key), StorageKey(name.companionKey)] { try storage.write(key, .exclusive) { try $0.write([1, 2, 3]) } }
                    try trash.put(name, StorageKey(name.key), at: time(1))
                    let item = try #require(try trash.items().first)
                    faulty.arm(FaultyStorage.Fault(call, number: number, forever: true))
                    let failed: Bool
                    do {
                        try trash.restamp(item, at: time(2))
                        failed = false
                    } catch is SnapcatError { failed = true }
                    faulty.arm(nil)
                    #expect(try trash.items().contains { $0.companionKey != nil }, "\(call) \(number)")
                    #expect(try !failed == (trash.items().map(\.since) == [time(2)] && trash.strays().isEmpty), "\(call) \(number)")
                    if !failed { break }
                    ended += 1
                }
            }
            #expect(ended > 5)
        }
    }

    @Test func whatASnapshotNamesComesBackFromTheTrash() async throws {
        let first = try await repository.make(source)
        let object = md5("always")
        let trash = try #require(HeapTrash(repository.requireHeap()))
        let status = try Descriptor.status(folder.path(Array("repo/heap/".utf8) + HeapLayout.path(object)))
        _ = try trash.begin(SnapshotTime(microseconds: 0)).put(object, status)
        #expect(try await collect { $0.graceMicroseconds = 0 }.actions.map(\.kind) == [.restore])
        #expect(try holds(object) && first.files == 1)
    }

    @Test func aMakeThatNeedsAnObjectOfTheTrashTakesItAsItIs() async throws {
        _ = try await repository.make(source)
        let path = Array("repo/heap/".utf8) + HeapLayout.path(md5("always"))
        let inode = try Descriptor.status(folder.path(path)).inode
        let trash = try #require(HeapTrash(repository.requireHeap()))
        _ = try trash.begin(SnapshotTime(microseconds: 0)).put(md5("always"), Descriptor.status(folder.path(path)))
        // Unchanged, and not to be read: without the trash its content would be missing.
        let summary = try await repository.make(source)
        #expect(try Descriptor.status(folder.path(path)).inode == inode)
        #expect(summary.newObjects == 0)
        // A new file with that content.
        _ = try trash.begin(SnapshotTime(microseconds: 0)).put(md5("always"), Descriptor.status(folder.path(path)))
        try write("copy", "always")
        _ = try await repository.make(source)
        #expect(try Descriptor.status(folder.path(path)).inode == inode)
    }

    @Test func aDamagedObjectOfTheTrashIsNotTaken() async throws {
        _ = try await repository.make(source)
        let path = Array("repo/heap/".utf8) + HeapLayout.path(md5("always"))
        let trash = try #require(HeapTrash(repository.requireHeap()))
        _ = try trash.begin(SnapshotTime(microseconds: 0)).put(md5("always"), Descriptor.status(folder.path(path)))
        try folder.write(try #require(trash.items().first).path.withRepo, [1, 2, 3])
        _ = try await repository.make(source)
        #expect(try repository.requireHeap().problem(of: md5("always")) == nil)
    }

    @Test func aSnapshotPublishedMeanwhileKeepsWhatItNames() async throws {
        _ = try await repository.make(source)
        let unused = try addUnused("unused")
        // A program without locks, which found the object in the heap, publishes while the object is moved.
        let line = #"{"md5": "\#(unused)", "name": "x", "size": 6}"#
        let folder = folder
        var options = CollectOptions()
        options.graceMicroseconds = 0
        let actions = Mutex<[CollectAction]>([])
        _ = try addUnused("other")
        let progress = WorkProgress()
        let heap = try repository.requireHeap()
        let monitor = Monitor(progress: progress)
        let name = "repo/snap/2020/01/2020-01-01_00-00-00_000000Z.jsonl.gz"
        let job = try CollectJob(
            heap: heap, trash: #require(HeapTrash(heap)), roots: roots(heap), clock: clock,
            options: options, monitor: monitor, takeLock: { nil }
        ) { action in actions.withLock { $0.append(action) } }
        let published = Mutex(false)
        job.afterMoving = {
            #expect(try !heap.contains(unused))
            try folder.write(name, try Gzip.compress(Array(line.utf8), level: .standard))
            published.withLock { $0 = true }
        }
        let shared = Unsent(job)
        try await WorkerThread.run("test", cancellation: CancellationFlag()) { _ = try shared.value.run() }
        #expect(published.withLock { $0 })
        #expect(try heap.contains(unused) && !heap.contains(md5("other")))
    }

    private func roots(_ heap: Heap) throws -> CollectRoots {
        CollectRoots(known: try #require(KnownSnapRoots(heap)), given: [repository.snapshots.storage], dropped: [])
    }

    @Test func aSnapRootThatIsNotedWhileTheLockIsWaitedForCounts() async throws {
        _ = try await repository.make(source)
        let (used, unused) = (try addUnused("used"), try addUnused("unused"))
        let (heap, folder) = (try repository.requireHeap(), folder)
        let roots = try roots(heap)
        var options = CollectOptions()
        options.graceMicroseconds = 0
        // The first make with another snap root ends just before.
        let takeLock = {
            let line = #"{"md5": "\#(used)", "name": "x", "size": 4}"#
            try folder.write("new/2020/01/2020-01-01_00-00-00_000000Z.jsonl.gz", try Gzip.compress(Array(line.utf8), level: .standard))
            try roots.known.note(BlockingStorage(LocalStorage(root: folder.path + "/new")))
            return RepositoryLock?.none
        }
        let job = try CollectJob(
            heap: heap, trash: #require(HeapTrash(heap)), roots: roots, clock: clock, options: options, monitor: .silent,
            takeLock: takeLock
        ) { _ in }
        let shared = Unsent(job)
        try await WorkerThread.run("test", cancellation: CancellationFlag()) { _ = try shared.value.run() }
        #expect(try holds(used) && !holds(unused))
    }

    @Test func besideTheFirstMakeOfARootTheLockIsTold_notThatTheRootIsEmpty() async throws {
        _ = try await repository.make(source)
        let new = Repository(
            Repository.Places(
                snapRoot: LocalStorage(root: folder.path + "/new"), heapRoot: LocalStorage(root: folder.path + "/repo/heap"),
                catalog: nil), clock: clock)
        let lock = try new.lockHeap("make", exclusive: false, .silent)
        try FileManager.default.createDirectory(atPath: folder.path + "/new", withIntermediateDirectories: false)
        try KnownSnapRoots(repository.requireHeap())?.note(new.snapshots.storage)
        let error = try await #require(throws: SnapcatError.self) { try await collect() }
        #expect(error.code == .locked)
        withExtendedLifetime(lock) {}
    }

    @Test func twoAtOnce_theSecondIsTurnedAway() async throws {
        _ = try await repository.make(source)
        let lock = try repository.lockHeap("make", exclusive: false, .silent)
        let error = try await #require(throws: SnapcatError.self) { try await collect() }
        #expect(error.code == .locked)
        withExtendedLifetime(lock) {}
    }

    @Test func forgottenSnapshotsKeepTheirContentsAsLongAsTheyCanComeBack() async throws {
        try write("old", "old")
        let first = try await repository.make(source)
        try FileManager.default.removeItem(atPath: source + "/old")
        _ = try await repository.make(source)
        var options = ForgetOptions()
        options.references = [.namePrefix(try #require(first.snapshot).stem)]
        _ = try await repository.forget(options) { _ in }
        // Long in the trash already, by its folder's name.
        let path = Array("repo/heap/".utf8) + HeapLayout.path(md5("old"))
        let trash = try #require(HeapTrash(repository.requireHeap()))
        _ = try trash.begin(SnapshotTime(microseconds: 0)).put(md5("old"), Descriptor.status(folder.path(path)))
        #expect(try await collect().actions.isEmpty)
        let back = try await repository.undelete { _ in }
        #expect(back.restored == 2 && back.missing == 0)
        #expect(try holds(md5("old")) && repository.snapshots.list().snapshots.count == 2)
    }

    @Test func randomHistoriesFreeExactlyWhatForgetSays() async throws {
        var random = SeededRandom()
        for _ in 0..<6 {
            let folder = try TempFolder()
            let repository = Repository(folder: folder.path + "/repo")
            var names: [SnapshotName] = []
            for _ in 0..<6 {
                for index in 0..<6 {
                    let text = "\(Int.random(in: 0..<9, using: &random))"
                    try folder.write("source/\(index)", Array(text.utf8))
                }
                names.append(try #require(try await repository.make(folder.path + "/source").snapshot))
            }
            var options = ForgetOptions()
            options.references = names.shuffled(using: &random).prefix(Int.random(in: 1...5, using: &random)).map { .namePrefix($0.stem) }
            let freed = try #require(try await repository.forget(options) { _ in }.freed)
            var collect = CollectOptions()
            collect.graceMicroseconds = 0
            let removed = Mutex<(Int64, Int64)>((0, 0))
            _ = try await repository.collectGarbage(collect) { action in
                if action.subject == .object { removed.withLock { $0 = ($0.0 + 1, $0.1 + (action.storedBytes ?? 0)) } }
            }
            #expect(removed.withLock { $0 } == (freed.objects, freed.storedBytes), "\(random.label)")
            let check = try await repository.check(CheckOptions(readsData: true)) { _ in }
            #expect(check.damages == 0 && check.notes == 0, "\(random.label)")
        }
    }
}

/// Hands a job to the one thread that runs it.
private struct Unsent<Value>: @unchecked Sendable {
    // Unchecked: the test does not touch the value until that thread has ended.
    let value: Value
    init(_ value: Value) { self.value = value }
}

extension [UInt8] {
    fileprivate var withRepo: [UInt8] { Array("repo/heap/".utf8) + self }
}
