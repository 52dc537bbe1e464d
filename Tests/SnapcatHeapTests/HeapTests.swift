import Foundation
import SnapcatFormat
import SnapcatPlatform
import SnapcatStorage
import SnapcatTestSupport
import SystemPackage
import Testing

@testable import SnapcatHeap

/// A local heap in a temporary folder.
final class HeapFolder {
    let folder: TempFolder
    let local: LocalStorage
    let heap: Heap

    init() throws {
        folder = try TempFolder()
        local = LocalStorage(root: folder.path + "/heap")
        heap = Heap(storage: BlockingStorage(local))
    }

    func session() throws -> HeapSession { try HeapSession(heap, local) }

    /// All files of the heap but the marks of runs.
    func files() throws -> [String] {
        try folder.files().map { String(decoding: $0.dropFirst(5), as: UTF8.self) }
            .filter { !$0.hasPrefix(".unfinished-run-") }
    }

    func marks() throws -> [String] {
        try folder.files().map { String(decoding: $0.dropFirst(5), as: UTF8.self) }
            .filter { $0.hasPrefix(".unfinished-run-") }
    }

    func object(_ md5: MD5Digest) throws -> [UInt8] { try folder.read("heap/" + name(md5)) }

    func name(_ md5: MD5Digest) -> String { String(decoding: HeapLayout.path(md5), as: UTF8.self) }

    func content(_ md5: MD5Digest) throws -> [UInt8] { try heap.open(md5).readAll(limit: 64 << 20) }
}

extension ObjectWriter {
    func add(_ content: [UInt8]) throws -> StoredContent {
        try content.withUnsafeBytes { try add($0, md5: MD5Hasher.digest($0)) }
    }

    /// Adds the content as a file, in memory or `streamed`.
    func add(
        file content: [UInt8], streamed: Bool = false, cancellation: CancellationFlag = CancellationFlag()
    ) throws -> StoredContent {
        if !streamed && content.count <= ContentBatch.largestContent { return try add(content) }
        let folder = try TempFolder()
        try folder.write("file", content)
        return try add(streaming: try Descriptor.open(folder.path("file"), .read), cancellation: cancellation)
    }
}

func digest(_ content: [UInt8]) -> MD5Digest { content.withUnsafeBytes { MD5Hasher.digest($0) } }

/// Storing contents: once, under their md5, whole.
@Suite struct ObjectWriterTests {
    private let heap: HeapFolder

    init() throws { heap = try HeapFolder() }

    /// Four bytes that give the content so extended this CRC-32: it is linear in each of their bits.
    private func forged(_ content: [UInt8], checksum: UInt32) -> [UInt8] {
        func crc(_ tail: UInt32) -> UInt32 {
            let bytes = content + (0..<4).map { UInt8(truncatingIfNeeded: tail >> (8 * UInt32($0))) }
            return bytes.withUnsafeBytes { Gzip.checksum($0) }
        }
        let zero = crc(0)
        var rows = (0..<32).map { (effect: crc(1 << UInt32($0)) ^ zero, bits: UInt32(1) << UInt32($0)) }
        var (wanted, tail): (UInt32, UInt32) = (checksum ^ zero, 0)
        for bit in (0..<32).map({ UInt32(1) << UInt32($0) }) {
            guard let index = rows.firstIndex(where: { $0.effect & bit != 0 }) else { continue }
            let pivot = rows.remove(at: index)
            for other in rows.indices where rows[other].effect & bit != 0 {
                rows[other] = (rows[other].effect ^ pivot.effect, rows[other].bits ^ pivot.bits)
            }
            if wanted & bit != 0 { (wanted, tail) = (wanted ^ pivot.effect, tail ^ pivot.bits) }
        }
        return content + (0..<4).map { UInt8(truncatingIfNeeded: tail >> (8 * UInt32($0))) }
    }

    /// The trailer says the same of both; only their bytes tell.
    @Test(arguments: [3000, 5 << 20], [false, true])
    func `Length and CRC-32 alone are compared, or every byte`(size: Int, comparesContents: Bool) throws {
        var random = SeededRandom()
        let content = random.text(size)
        let other = forged(random.text(size - 4), checksum: content.withUnsafeBytes { Gzip.checksum($0) })
        #expect(other.count == size && other != content)
        try heap.folder.write("heap/" + heap.name(digest(content)), try Gzip.compress(other, level: .standard))
        let session = try heap.session()
        let stored = try ObjectWriter(session, level: .standard, comparesContents: comparesContents).add(file: content)
        #expect(stored.isNew == comparesContents)
        #expect(try heap.content(digest(content)) == (comparesContents ? content : other))
        // What was there is not of this md5: it is kept as damage, and no collision.
        #expect(try heap.files().contains { $0.hasPrefix("damaged/") } == comparesContents)
        // A good one is there already.
        guard comparesContents else { return }
        #expect(try !ObjectWriter(session, level: .standard, comparesContents: true).add(file: content).isNew)
    }

    @Test func twoContentsOfOneMD5ThatComeAtOneMomentAreACollisionToo() async throws {
        for round in 0..<200 {
            let contents = MD5Collision.pair.map { $0 + [UInt8(round)] }
            #expect(digest(contents[0]) == digest(contents[1]))
            let session = try heap.session()
            let outcomes = try await withThrowingTaskGroup(of: String.self) { group in
                for content in contents {
                    group.addTask {
                        do { return try ObjectWriter(session, level: .standard).add(content).isNew ? "new" : "old" } catch let error as SnapcatError {
                            return "\(error.code)"
                        }
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }.sorted()
            }
            #expect(outcomes == ["collision", "new"])
        }
    }

    @Test func aLinkThatLeadsNowhereGivesWayToAnObject() throws {
        let content: [UInt8] = [1, 2, 3]
        let path = String(decoding: heap.folder.path("heap/" + heap.name(digest(content))), as: UTF8.self)
        let session = try heap.session()
        try FileManager.default.createDirectory(atPath: String(path.dropLast(heap.name(digest(content)).count - 2)), withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "nothing")
        #expect(try ObjectWriter(session, level: .standard).add(content).isNew)
        #expect(try heap.content(digest(content)) == content)
    }

    @Test func aContentIsStoredOnceUnderItsMD5ForPythonToRead() throws {
        var random = SeededRandom()
        let contents = [
            [], [0], random.text(100), random.bytes(70_000), random.text(4 << 20), random.text(5 << 20),
        ]
        let writer = try ObjectWriter(heap.session(), level: .standard)
        var names: Set<String> = []
        for content in contents {
            for streamed in [false, true] {
                let stored = try writer.add(file: content, streamed: streamed)
                #expect(stored.size == Int64(content.count))
                #expect(stored.md5 == digest(content), "\(random.label)")
                #expect(stored.isNew == !streamed, "the second add of \(content.count) bytes")
                #expect(stored.storedBytes == (streamed ? 0 : Int64(try heap.object(stored.md5).count)))
                names.insert(heap.name(stored.md5))
            }
            #expect(try heap.content(digest(content)) == content, "\(random.label)")
            #expect(try heap.heap.problem(of: digest(content)) == nil)
        }
        #expect(try Set(heap.files()) == names)
        let script =
            Python.readBlobs + """
                for blob in blobs: print(hashlib.md5(gzip.decompress(blob)).hexdigest())
                """
        let objects = try contents.map { try heap.object(digest($0)) }
        #expect(
            try Python.lines(script, input: Python.blobs(objects)) == contents.map { digest($0).hexBytes })
    }

    @Test func theMD5OfNothingIsTheEmptyOne() throws {
        #expect(digest([]) == .empty)
        #expect(try ObjectWriter(heap.session(), level: .standard).add([]).md5 == .empty)
    }

    @Test func theSecondAddLeavesTheObjectAlone() throws {
        let stored = try ObjectWriter(heap.session(), level: .standard).add([1, 2, 3])
        let path = heap.folder.path("heap/" + heap.name(stored.md5))
        let before = try Descriptor.status(path)
        // Another run, with another level.
        let level = try #require(GzipLevel(9))
        #expect(try !ObjectWriter(heap.session(), level: level).add([1, 2, 3]).isNew)
        #expect(try Descriptor.status(path) == before)
    }

    @Test func equalContentsGiveEqualBytesInAnyHeapAndAnyWay() throws {
        var random = SeededRandom()
        let contents = [[], random.text(10), random.text(3 << 20), random.bytes(262_144)]
        for value in [0, 1, 3, 6] {
            let level = try #require(GzipLevel(value))
            let (first, second, third) = (try HeapFolder(), try HeapFolder(), try HeapFolder())
            let writers = try [first, second, third].map { try ObjectWriter($0.session(), level: level) }
            for content in contents {
                _ = try writers[0].add(content)
                _ = try writers[1].add(file: content, streamed: true)
            }
            for content in contents.reversed() { _ = try writers[2].add(file: content) }
            for content in contents {
                let object = try first.object(digest(content))
                #expect(try second.object(digest(content)) == object, "level \(value), \(random.label)")
                #expect(try third.object(digest(content)) == object, "level \(value), \(random.label)")
            }
        }
    }

    @Test func withoutASessionContentsAreOnlyHashed() throws {
        var random = SeededRandom()
        let writer = try ObjectWriter(nil, level: .standard)
        for content in [[], random.bytes(1000), random.bytes(5 << 20)] {
            let expected = StoredContent(
                md5: digest(content), size: Int64(content.count), storedBytes: 0, isNew: false)
            #expect(try writer.add(file: content) == expected, "\(random.label)")
        }
        #expect(try heap.folder.files() == [])
    }

    /// A file or a dangling symlink in the bucket's place: the first is met by the look into the heap, the second
    /// only when the object is renamed to its place.
    @Test(arguments: [true, false], [true, false])
    func aWriteThatFailsLeavesNoTemporaryFile(_ isFile: Bool, _ streamed: Bool) throws {
        let content = Array("content".utf8)
        let bucket = digest(content).hexBytes[..<2]
        let session = try heap.session()
        if isFile {
            try heap.folder.write(Array("heap/".utf8) + bucket, [1])
        } else {
            try FolderOperations.makeSymbolicLink(
                Array(bucket), in: session.root.raw, destination: Array("nowhere/at/all".utf8))
        }
        let writer = try ObjectWriter(session, level: .standard)
        let error = #expect(throws: SnapcatError.self) { try writer.add(file: content, streamed: streamed) }
        #expect(error?.description.contains("heap") == true)
        #expect(try heap.files() == [String(decoding: bucket, as: UTF8.self)])
        // The writer is good for the next content.
        let other = try writer.add(file: Array("other".utf8), streamed: streamed)
        #expect(other.isNew)
        #expect(try heap.content(other.md5) == Array("other".utf8))
    }

    @Test func aCancelledAddOfALargeFileLeavesNoTemporaryFile() throws {
        let cancellation = CancellationFlag()
        cancellation.cancel()
        for session in [try heap.session(), nil] {
            let writer = try ObjectWriter(session, level: .standard)
            let error = #expect(throws: SnapcatError.self) {
                try writer.add(file: [UInt8](repeating: 1, count: 5 << 20), cancellation: cancellation)
            }
            #expect(error?.code == .interrupted)
        }
        #expect(try heap.files() == [])
    }

    /// Cut, cut to less than any gzip, empty, and no gzip at all.
    @Test(arguments: [0, 1, 2, 3], [true, false])
    func aDamagedObjectIsMovedAwayAndStoredAnew(_ damage: Int, _ streamed: Bool) throws {
        var random = SeededRandom()
        let content = random.text(10_000)
        let md5 = digest(content)
        let good = try Gzip.compress(content, level: .standard)
        let bad = [Array(good.dropLast(3)), Array(good.prefix(12)), [], random.bytes(500)][damage]
        try heap.folder.write("heap/" + heap.name(md5), bad)
        let stored = try ObjectWriter(heap.session(), level: .standard).add(file: content, streamed: streamed)
        #expect(stored.isNew, "\(random.label)")
        #expect(try heap.content(md5) == content, "\(random.label)")
        let files = try heap.files()
        #expect(files.count == 2)
        let moved = try #require(files.first { $0.hasPrefix("damaged/\(md5)") })
        #expect(try heap.folder.read("heap/" + moved) == bad, "nothing is lost")
    }
}
