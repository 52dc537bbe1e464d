import Foundation
import SnapcatFormat
import SnapcatHeap
import SnapcatPlatform
import SnapcatStorage
import SnapcatTestSupport
import Synchronization
import Testing

@testable import Snapcat

/// What the trash keeps in odd places: links, other disks, roots that cannot be written, clocks that were wrong.
@Suite struct TrashTests {
    private let folder: TempFolder
    private let clock = TestClock()
    private let repository: Repository
    private let manager = FileManager.default
    private var source: String { folder.path + "/source" }
    private var snap: String { folder.path + "/repo/snap/" }

    init() throws {
        folder = try TempFolder()
        repository = Repository(.folder(folder.path + "/repo"), clock: clock)
        try write("always", "always")
    }

    private func write(_ name: String, _ text: String) throws { try folder.write("source/" + name, Array(text.utf8)) }
    private func md5(_ text: String) -> MD5Digest { Array(text.utf8).withUnsafeBytes { MD5Hasher.digest($0) } }
    private func compressed(_ text: String) throws -> [UInt8] { try Gzip.compress(Array(text.utf8), level: .standard) }
    private func inHeap(_ md5: MD5Digest) -> [UInt8] { Array("repo/heap/".utf8) + HeapLayout.path(md5) }

    /// An object that no snapshot names.
    private func addUnused(_ text: String) throws -> MD5Digest {
        let digest = md5(text)
        try folder.write(inHeap(digest), try compressed(text))
        return digest
    }

    /// Two snapshots: the second has a file more. Returns the first.
    private func makeTwo() async throws -> SnapshotName {
        let first = try #require(try await repository.make(source).snapshot)
        try write("more", "more")
        _ = try await repository.make(source)
        return first
    }

    private func forget(_ name: SnapshotName, isDryRun: Bool = false) async throws -> ForgetSummary {
        var options = ForgetOptions()
        options.references = [.namePrefix(name.stem)]
        options.isDryRun = isDryRun
        return try await repository.forget(options) { _ in }
    }

    private func collect(
        grace: Int64? = nil, monitor: Monitor = .silent, also other: (any Storage)? = nil
    ) async throws -> [CollectAction] {
        // Files are stamped by a clock that ticks some hundred times a second.
        try await Task.sleep(for: .milliseconds(20))
        var options = CollectOptions()
        if let grace { options.graceMicroseconds = grace }
        if let other { (options.snapRoots, options.allowsEmpty) = ([other], true) }
        let actions = Mutex<[CollectAction]>([])
        _ = try await repository.collectGarbage(options, monitor: monitor) { action in actions.withLock { $0.append(action) } }
        return actions.withLock { $0 }
    }

    private func forgotten() throws -> [SnapshotTrash.Item] { try SnapshotTrash(store: repository.snapshots).items() }
    private func heapTrash() throws -> HeapTrash { try #require(HeapTrash(repository.requireHeap())) }

    /// Moves a snapshot and its companion to `arch`, and puts relative links to them in their places.
    private func replaceByLinks(_ name: SnapshotName) throws -> [String] {
        try manager.createDirectory(atPath: folder.path + "/arch", withIntermediateDirectories: true)
        return try [name.key, name.companionKey].map { key in
            let file = try #require(key.split(separator: "/").last)
            try manager.moveItem(atPath: snap + key, toPath: folder.path + "/arch/\(file)")
            try manager.createSymbolicLink(atPath: snap + key, withDestinationPath: "../../../../arch/\(file)")
            return folder.path + "/arch/\(file)"
        }
    }

    // MARK: Links

    @Test func aForgottenSnapshotThatIsARelativeLinkComesBackWhole() async throws {
        let first = try await makeTwo()
        let targets = try replaceByLinks(first)
        _ = try await forget(first)
        let item = try #require(try forgotten().first)
        #expect(try item.companionKey != nil && forgotten().count == 1)
        #expect(try !repository.snapshots.storage.isOccupied(StorageKey(first.key)))
        // What the links lead to stays; and it is not needed any more.
        for target in targets {
            #expect(manager.fileExists(atPath: target))
            try manager.removeItem(atPath: target)
        }
        #expect(try await repository.undelete { _ in }.restored == 1)
        let listed = try #require(try repository.snapshots.list().snapshots.first)
        #expect(listed.name == first && listed.companionStatus != nil && listed.status.size == item.size)
        #expect(try await repository.check(CheckOptions(readsData: true)) { _ in }.damages == 0)
    }

    @Test func whatAPurgeKeepsOfARelativeLinkIsItsContent() async throws {
        let first = try await makeTwo()
        _ = try replaceByLinks(first)
        let item = try #require(try repository.snapshots.list().snapshots.first)
        let trash = SnapshotTrash(store: repository.snapshots)
        try trash.keepCopy(item, interrupted: nil, at: SnapshotTime(microseconds: 1_000_000))
        let kept = try #require(try trash.items().first)
        #expect(kept.name == first && kept.size == item.status.size && kept.companionKey != nil)
        #expect(try Descriptor.status(Array((snap + "\(kept.key)").utf8)).kind == .regular)
    }

    @Test func aLinkToNothingGoesAsItIs() async throws {
        let first = try await makeTwo()
        for target in try replaceByLinks(first) { try manager.removeItem(atPath: target) }
        let trash = SnapshotTrash(store: repository.snapshots)
        #expect(try trash.put(first, StorageKey(first.key), at: SnapshotTime(microseconds: 1_000_000)))
        #expect(try !repository.snapshots.storage.isOccupied(StorageKey(first.key)))
        #expect(try manager.contentsOfDirectory(atPath: snap + "trash").count == 2)
    }

    // MARK: Another disk

    @Test func aYearOnAnotherDiskIsForgottenPurgedAndBroughtBack() async throws {
        let shared = Array("/dev/shm".utf8)
        let other = try Descriptor.statusIfPresent(shared, following: true)
        guard let other, try other.device != Descriptor.status(folder.bytes).device, manager.isWritableFile(atPath: "/dev/shm") else {
            print("skipped: /dev/shm is no second file system here that can be written")
            return
        }
        let disk = "/dev/shm/" + String(try #require(folder.path.split(separator: "/").last))
        try manager.createDirectory(atPath: disk, withIntermediateDirectories: false)
        // Nothing depends on it: the name is this test's own.
        defer { try? manager.removeItem(atPath: disk) }
        let first = try await makeTwo()
        let year = snap + String(first.key.prefix(4))
        try manager.copyItem(atPath: year, toPath: disk + "/year")
        try manager.removeItem(atPath: year)
        try manager.createSymbolicLink(atPath: year, withDestinationPath: disk + "/year")
        _ = try await forget(first)
        #expect(try forgotten().map(\.name) == [first] && repository.snapshots.list().snapshots.count == 1)
        #expect(try await repository.undelete { _ in }.restored == 1)
        #expect(try forgotten().isEmpty)
        let back = try #require(try repository.snapshots.list().snapshots.first)
        #expect(back.name == first && back.companionStatus != nil)
        var options = PurgeOptions()
        options.names = [Array("more".utf8)]
        _ = try await repository.purge(options) { _ in }
        #expect(try forgotten().count == 1)
        #expect(try await repository.check(CheckOptions(readsData: true)) { _ in }.damages == 0)
    }

    // MARK: A snap root that cannot be written

    @Test func aTrashThatCannotBeWrittenIsToldOnce_andTheRestIsCollected() async throws {
        _ = try await repository.make(source)
        let (kept, unused) = (try addUnused("kept"), try addUnused("unused"))
        let memory = MemoryStorage()
        let faulty = FaultyStorage(memory)
        for second in 0..<2 {
            let key = "trash/2020-01-01_00-00-00_000000Z--2020-01-01_00-00-0\(second)_000000Z.jsonl.gz"
            try await memory.put(try compressed(#"{"md5": "\#(kept)", "name": "x", "size": 4}"#), at: StorageKey(key), .exclusive)
        }
        faulty.arm(FaultyStorage.Fault(.delete, number: 1, forever: true))
        let problems = Mutex<[SnapcatError]>([])
        let monitor = Monitor(problem: { error in problems.withLock { $0.append(error) } })
        let actions = try await collect(grace: 0, monitor: monitor, also: faulty)
        #expect(problems.withLock { $0.count } == 1)
        // What cannot be removed can come back: so can what it needs.
        let told = actions.map { "\($0.kind) \($0.name)" }.sorted()
        #expect(told == ["remove \(unused)", "trash \(kept)"], "\(actions)")
        #expect(try heapTrash().items().map(\.md5) == [kept])
        faulty.arm(nil)
        let rest = try await collect(grace: 0, monitor: monitor, also: faulty)
        #expect(rest.map(\.kind) == [.remove, .remove, .remove], "\(rest)")
        #expect(try heapTrash().items().isEmpty)
        #expect(problems.withLock { $0.count } == 1)
    }

    // MARK: Ages

    /// As a clock that is three days behind puts it there.
    private func trashThreeDaysBehind(_ first: SnapshotName) throws {
        let unused = try addUnused("unused")
        let behind = SnapshotTime(microseconds: clock.nowNanoseconds / 1000 - 3 * 86_400_000_000)
        try SnapshotTrash(store: repository.snapshots).put(first, StorageKey(first.key), at: behind)
        let status = try Descriptor.status(folder.path(inHeap(unused)))
        _ = try heapTrash().begin(behind).put(unused, status)
    }

    @Test func aClockThatWasBehindTakesNoGraceAway() async throws {
        try trashThreeDaysBehind(try await makeTwo())
        #expect(try await collect().isEmpty)
        let actions = try await collect(grace: 1)
        #expect(actions.map(\.subject) == [.snapshot, .object] && actions.allSatisfy { $0.kind == .remove }, "\(actions)")
    }

    @Test func aStampOfTheFutureKeepsNothingInTheTrash() async throws {
        // Files are stamped by the machine's clock.
        clock.advance(hours: -48)
        try trashThreeDaysBehind(try await makeTwo())
        let actions = try await collect()
        #expect(actions.map(\.subject) == [.snapshot, .object] && actions.allSatisfy { $0.kind == .remove }, "\(actions)")
    }

    @Test func anOldCopyGoesWithItsOwnCompanion_notWithThatOfAnother() async throws {
        // Behind the stamps of the files, so that the names alone tell the ages.
        clock.advance(hours: -48)
        let first = try await makeTwo()
        let store = repository.snapshots
        let place = StorageKey(first.companionKey)
        _ = try await forget(first)
        let copy = try #require(try forgotten().first)
        // A forget that was killed behind its first step, and a copy that is long in the trash.
        try store.storage.move(try #require(copy.companionKey), to: place)
        let old = StorageKey("trash/2020-01-01_00-00-00_000000Z--\(first.stem).jsonl.gz")
        try store.storage.copy(copy.key, to: old)
        try store.storage.copy(place, to: store.companionKey(of: old))
        let actions = try await collect(grace: 3_600_000_000)
        #expect(actions.map(\.kind) == [.remove], "\(actions)")
        #expect(try forgotten().map(\.key) == [copy.key])
        #expect(try await repository.undelete { _ in }.restored == 1)
        #expect(try store.list().snapshots.first?.companionStatus != nil)
    }

    // MARK: What is known

    @Test func whatIsFreedIsNotKnownWhereAnotherSnapRootHasThePlaceOfOne() async throws {
        let newID = Array(String(repeating: "a", count: 32).utf8)
        try write("old", "old")
        let first = try #require(try await repository.make(source).snapshot)
        try manager.removeItem(atPath: source + "/old")
        _ = try await repository.make(source)
        let second = Repository(
            .init(
                snapRoot: LocalStorage(root: folder.path + "/second"), heapRoot: LocalStorage(root: folder.path + "/repo/heap"),
                catalog: nil))
        _ = try await second.make(source)
        #expect(try await forget(first, isDryRun: true).freed != nil)
        let id = try folder.read("second/.snapcat-root")
        try folder.write("second/.snapcat-root", newID)
        #expect(try await forget(first, isDryRun: true).freed == nil)
        try folder.write("second/.snapcat-root", id)
        #expect(try await forget(first, isDryRun: true).freed != nil)
        // In this one's own place.
        try folder.write("repo/snap/.snapcat-root", newID)
        #expect(try await forget(first).freed == nil)
        #expect(try forgotten().count == 1)
    }

    @Test func anObjectOfTheTrashThatTheHeapHasGoesWhereTheHeapsIsGood() async throws {
        _ = try await repository.make(source)
        let object = md5("always")
        let copy = "repo/heap/trash/2020-01-01_00-00-00_000000Z/unused-\(object).gz"
        try folder.write(copy, try compressed("always"))
        // As long as the heap's is damaged, it is needed.
        let good = try folder.read(inHeap(object))
        try folder.write(inHeap(object), [1, 2, 3])
        #expect(try await collect(grace: 0).isEmpty)
        #expect(try heapTrash().items().count == 1)
        try folder.write(inHeap(object), good)
        let actions = try await collect(grace: 0)
        #expect(actions.map(\.kind) == [.remove] && actions.map(\.name) == ["\(object)"], "\(actions)")
        #expect(try heapTrash().items().isEmpty && repository.requireHeap().problem(of: object) == nil)
    }
}
