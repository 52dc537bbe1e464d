import CMD5
import SnapcatFormat
import SnapcatPlatform
import SnapcatTestSupport
import SystemPackage
import Testing

@testable import SnapcatHeap

/// Several md5s at once, against swift-crypto's one.
@Suite struct ContentBatchTests {
    /// Every length around the ends of blocks, and lanes of uneven lengths. False where this processor has no such
    /// vectors.
    @Test(arguments: [1, 4, 8, 16]) func md5sSideBySideAreThoseTakenAlone(_ lanes: Int32) {
        var random = SeededRandom()
        let bytes = random.bytes(400_000)
        var lengths = Array(0...300) + [4095, 4096, 65_536, 400_000]
        lengths += (0..<300).map { _ in Int.random(in: 0...(Bool.random(using: &random) ? 200 : 9000), using: &random) }
        lengths += [1, 399_999]
        lengths.shuffle(using: &random)
        for count in [0, 1, 2, 3, 17, 63, 64, 65, lengths.count] {
            let some = Array(lengths.prefix(count))
            let starts = some.map { Int.random(in: 0...(bytes.count - $0), using: &random) }
            guard let digests = Self.digests(bytes, zip(starts, some).map { ($0, $1) }, lanes) else {
                #expect(lanes > 4, "every processor has vectors of four")
                return
            }
            for (index, length) in some.enumerated() {
                let content = Array(bytes[starts[index]..<starts[index] + length])
                #expect(digests[index] == digest(content), "\(length) bytes, \(random.label)")
            }
        }
    }

    private static func digests(_ bytes: [UInt8], _ parts: [(start: Int, count: Int)], _ lanes: Int32) -> [MD5Digest]? {
        bytes.withUnsafeBufferPointer { bytes in
            var contents = parts.map { part in
                var content = cmd5_content()
                content.bytes = bytes.baseAddress.map { $0 + part.start }
                content.count = part.count
                return content
            }
            let isThere = contents.withUnsafeMutableBufferPointer { cmd5_digest_with($0.baseAddress, $0.count, lanes) }
            guard isThere != 0 else { return nil }
            return contents.map { content in withUnsafeBytes(of: content.digest) { MD5Digest(raw: $0) } }
        }
    }

    @Test func filesAreHeldUntilThereIsNoRoom() throws {
        var random = SeededRandom()
        let folder = try TempFolder()
        let contents = [random.bytes(1000), [], random.bytes((4 << 20) - 1000), [7]]
        for (index, content) in contents.enumerated() { try folder.write("\(index)", content) }
        func open(_ index: Int) throws -> Descriptor { try Descriptor.open(folder.path("\(index)"), .read) }
        let batch = ContentBatch()
        for index in 0...2 {
            #expect(try batch.read(open(index), expectedSize: Int64(contents[index].count)) == Int64(contents[index].count))
        }
        #expect(try batch.read(open(3), expectedSize: 1) == nil)
        #expect(batch.digests() == contents.prefix(3).map { digest($0) }, "\(random.label)")
        #expect(Array(batch[2]) == contents[2], "\(random.label)")
        batch.removeLast()
        #expect(try batch.read(open(3), expectedSize: 1) == 1)
        #expect(batch.digests().last == digest([7]))
        batch.removeAll()
        #expect(batch.digests() == [])
    }

    /// A file that has grown since it was looked at is read as far as it was said to go; one that has shrunk, or that
    /// was said to be empty, to its end.
    @Test func whatIsReadCountsNotTheExpectedSize() throws {
        let folder = try TempFolder()
        try folder.write("file", [1, 2, 3])
        let batch = ContentBatch()
        for (expected, count) in [(2, 2), (9, 3), (0, 3)] as [(Int64, Int64)] {
            #expect(try batch.read(Descriptor.open(folder.path("file"), .read), expectedSize: expected) == count)
        }
        #expect(batch.digests() == [[1, 2], [1, 2, 3], [1, 2, 3]].map { digest($0) })
    }
}
