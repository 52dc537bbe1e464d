import SnapcatFormat
import SnapcatPlatform
import SnapcatTestSupport
import Testing

@testable import SnapcatHeap

/// Reading objects and their md5s, several at a time.
@Suite struct ObjectReaderTests {
    private let heap: HeapFolder

    init() throws { heap = try HeapFolder() }

    private func read(_ objects: [MD5Digest], _ reader: ObjectReader) throws -> [Int: Result<[UInt8], SnapcatError>] {
        var found: [Int: Result<[UInt8], SnapcatError>] = [:]
        try reader.read(objects) { index, content in
            #expect(found[index] == nil, "given out twice")
            do {
                switch try content.get() {
                case .whole(let bytes): found[index] = .success(Array(bytes))
                case .large:
                    var bytes: [UInt8] = []
                    let count = try reader.stream { bytes.append(contentsOf: $0) }
                    #expect(count == Int64(bytes.count))
                    found[index] = .success(bytes)
                }
            } catch let error as SnapcatError { found[index] = .failure(error) }
        }
        return found
    }

    @Test func everyContentIsGivenOutOnceWhateverItsSizeAndNeighbours() throws {
        var random = SeededRandom()
        let small = ObjectReader.smallBytes
        // Around the border, more small ones than fit at once, and some that are there twice.
        var contents = [[], [1], random.bytes(small - 1), random.bytes(small), random.bytes(small + 1), random.text(3 << 20)]
        contents += (0..<40).map { _ in random.bytes(Int(random.next() % UInt64(small))) }
        contents += contents.prefix(8)
        contents.shuffle(using: &random)
        let writer = try ObjectWriter(heap.session(), level: .standard)
        for content in contents { _ = try writer.add(content) }
        let reader = ObjectReader(heap.heap)
        for _ in 0..<2 {
            let found = try read(contents.map(digest), reader)
            #expect(found.count == contents.count)
            for (index, content) in contents.enumerated() {
                #expect(try found[index]?.get() == content, "\(content.count) bytes, \(random.label)")
            }
        }
    }

    @Test func aBadObjectCostsNoOther() throws {
        var random = SeededRandom()
        let contents = [100, 200_000, 300, 400_000, 500, 600].map { random.bytes($0) }
        let writer = try ObjectWriter(heap.session(), level: .standard)
        for content in contents { _ = try writer.add(content) }
        let names = contents.map { "heap/" + heap.name(digest($0)) }
        // Another content, small and large; cut off; missing.
        try heap.folder.write(names[0], Gzip.compress([1, 2, 3], level: .standard))
        try heap.folder.write(names[1], Gzip.compress(random.bytes(150_000), level: .standard))
        try heap.folder.write(names[3], Array(heap.folder.read(names[3]).dropLast(9)))
        try FolderOperations.removeFile(heap.folder.path(names[4]))
        let found = try read(contents.map(digest), ObjectReader(heap.heap))
        let codes = (0..<6).map { index -> SnapcatError.Code? in
            if case .failure(let error)? = found[index] { error.code } else { nil }
        }
        #expect(codes == [.damage, .damage, nil, .damage, .notFound, nil], "\(random.label)")
        for index in [2, 5] { #expect(try found[index]?.get() == contents[index], "\(random.label)") }
    }

    @Test func whatTheTakerThrowsEndsTheReading() throws {
        let writer = try ObjectWriter(heap.session(), level: .standard)
        for byte: UInt8 in 0..<5 { _ = try writer.add([byte]) }
        var taken = 0
        #expect(throws: SnapcatError.self) {
            try ObjectReader(heap.heap).read((UInt8(0)..<5).map { digest([$0]) }) { _, _ in
                taken += 1
                if taken == 2 { throw SnapcatError(.interrupted, "Interrupted") }
            }
        }
        #expect(taken == 2)
    }
}
