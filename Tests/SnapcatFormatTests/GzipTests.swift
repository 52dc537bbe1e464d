import SnapcatPlatform
import SnapcatTestSupport
import Testing

@testable import SnapcatFormat

private let levels = (0...9).compactMap { GzipLevel($0) }

/// Around the sizes at which something changes: stored blocks, the reader's and the writer's buffers.
private let sizes = [0, 1, 2, 10, 65_535, 65_536, 65_537, 262_143, 262_144, 262_145, 1 << 20]

/// Inflates from a source that cuts at random, into buffers of random size.
private func inflate(
    _ gzip: [UInt8], _ random: SeededRandom, longest: Int = 5000, room: Int = 100_000
) throws -> [UInt8] {
    var random = random
    let reader = try GzipReader(ChunkedSource(gzip, longest: longest, random), name: "test")
    var result: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: room)
    while true {
        let wanted = Int.random(in: 1...buffer.count, using: &random)
        let count = try buffer.withUnsafeMutableBytes {
            try reader.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[..<wanted]))
        }
        if count == 0 { return result }
        result += buffer[..<count]
    }
}

/// The content, or nil where the gzip is damage. Any other error is thrown.
private func contentUnlessDamaged(_ gzip: [UInt8]) throws -> [UInt8]? {
    do { return try Gzip.decompress(gzip, limit: 1 << 24) } catch let error as SnapcatError
        where error.code == .damage
    {
        return nil
    }
}

private func python(_ body: String, _ blobs: [[UInt8]]) throws -> [[UInt8]] {
    try Python.splitBlobs(Python.run(Python.readBlobs + body, input: Python.blobs(blobs)))
}

/// What is written: by any level, readable by anyone, the same bytes each time.
@Suite struct GzipWriterTests {
    @Test(arguments: levels) func everySizeReadsBackHereAndInPython(_ level: GzipLevel) throws {
        var random = SeededRandom()
        let text = random.text(1 << 20)
        let noise = random.bytes(1 << 20)
        let contents =
            sizes.map { Array(text[..<$0]) } + sizes.map { Array(noise[..<$0]) }
            + [[UInt8](repeating: 0, count: 300_000)]
        let compressed = try contents.map { try Gzip.compress($0, level: level) }
        for (content, gzip) in zip(contents, compressed) {
            #expect(
                try Gzip.decompress(gzip, limit: 1 << 20) == content,
                "\(content.count) bytes, \(random.label)")
            #expect(try inflate(gzip, random) == content, "\(content.count) bytes, \(random.label)")
            #expect(Array(gzip[4..<8]) == [0, 0, 0, 0] && gzip[3] == 0, "no time and no name in the header")
        }
        let script = """
            import subprocess
            for blob in blobs:
                write_blob(gzip.decompress(blob))
                subprocess.run(["gzip", "-t"], input=blob, check=True)
            """
        let decompressed = try python(script, compressed)
        #expect(decompressed == contents, "\(random.label)")
    }

    @Test(arguments: levels) func theBytesDoNotDependOnHowTheContentIsHandedOver(_ level: GzipLevel) throws {
        var random = SeededRandom()
        let writer = try GzipWriter(level: level, into: ArraySink())
        func write(_ content: [UInt8], _ nextLength: (Int) -> Int) throws -> [UInt8] {
            let sink = ArraySink()
            try writer.reset(into: sink)
            var rest = content[...]
            while !rest.isEmpty {
                let part = rest.prefix(nextLength(rest.count))
                try writer.write(Array(part))
                rest = rest.dropFirst(part.count)
            }
            try writer.finish()
            return sink.bytes
        }
        for size in [700_001, 0, 262_144, 262_145, 1, 524_288, 300, 20] {
            for content in [random.text(size), random.bytes(size)] {
                let whole = try write(content) { $0 }
                for longest in [1000, 300_000] where size > 0 {
                    let inParts = try write(content) { _ in Int.random(in: 0...longest, using: &random) }
                    #expect(inParts == whole, "\(size) bytes, \(random.label)")
                }
            }
        }
    }

    /// At the levels 1 to 3 ISA-L's bytes may depend on where its stream lies (see `ISALDeflater`).
    @Test(arguments: levels) func everyWayOfCompressingGivesTheSameBytes(_ level: GzipLevel) throws {
        var random = SeededRandom()
        // One compressor for all: nothing of the last content may be left in it.
        let compressor = try GzipCompressor(level: level)
        for size in [700_001, 0, 262_144, 1, 300_000] + (0..<100).map({ 7 * $0 }) {
            let content = size == 300_000 ? random.bytes(size) : random.text(size)
            let once = try content.withUnsafeBytes { Array(try compressor.compress($0)) }
            let again = try content.withUnsafeBytes { Array(try compressor.compress($0)) }
            #expect(again == once, "\(size) bytes, \(random.label)")
            #expect(try Gzip.decompress(once, limit: 1 << 20) == content, "\(size) bytes, \(random.label)")
            if (1...3).contains(level.value) { continue }
            let sink = ArraySink()
            let writer = try GzipWriter(level: level, into: sink)
            try writer.write(content)
            try writer.finish()
            #expect(sink.bytes == once, "\(size) bytes, \(random.label)")
            #expect(try Gzip.compress(content, level: level) == once, "\(size) bytes, \(random.label)")
        }
    }

    @Test(arguments: levels) func theSinkGetsFewAndBoundedChunks(_ level: GzipLevel) throws {
        final class SizesSink: ByteSink {
            var sizes: [Int] = []
            func write(_ bytes: UnsafeRawBufferPointer) { sizes.append(bytes.count) }
        }
        var random = SeededRandom()
        for size in [0, 10, 50_000, 3_000_000] {
            let sink = SizesSink()
            let writer = try GzipWriter(level: level, into: sink)
            try writer.write(random.bytes(size))
            try writer.finish()
            #expect(sink.sizes.allSatisfy { (1...262_144).contains($0) }, "\(sink.sizes)")
            #expect(sink.sizes.count <= 1 + size / 32_768, "\(sink.sizes)")
        }
    }

    /// What lost bytes must not end as if it were whole.
    @Test func anErrorOfTheSinkIsThrownByEachLaterCallUntilReset() throws {
        final class FullOnceSink: ByteSink {
            var isFull = true
            func write(_ bytes: UnsafeRawBufferPointer) throws {
                guard isFull else { return }
                isFull = false
                throw SnapcatError(.failed, "full")
            }
        }
        var random = SeededRandom()
        let writer = try GzipWriter(level: .standard, into: FullOnceSink())
        let full = SnapcatError(.failed, "full")
        #expect(throws: full) { try writer.write(random.bytes(2_000_000)) }
        #expect(throws: full) { try writer.write([1]) }
        #expect(throws: full) { try writer.finish() }
        let sink = ArraySink()
        try writer.reset(into: sink)
        try writer.write([1, 2, 3])
        try writer.finish()
        #expect(try Gzip.decompress(sink.bytes, limit: 10) == [1, 2, 3])
    }

    @Test func onlyZeroToNineAreLevels() {
        #expect(levels.map(\.value) == Array(0...9))
        #expect(GzipLevel(-1) == nil && GzipLevel(10) == nil)
    }
}

/// What is read: all that Python's `gzip` reads, and nothing damaged.
@Suite struct GzipReaderTests {
    @Test func theGzipProgramsOutputIsRead() throws {
        var random = SeededRandom()
        let script = """
            import subprocess
            for blob in blobs:
                for level in "123456789":
                    done = subprocess.run(["gzip", "-" + level], input=blob, check=True, stdout=-1)
                    write_blob(done.stdout)
            """
        let contents = [[], random.text(1), random.text(200_000), random.bytes(100_000)]
        for (index, gzip) in try python(script, contents).enumerated() {
            #expect(
                try Gzip.decompress(gzip, limit: 1 << 20) == contents[index / 9],
                "level \(index % 9 + 1), \(random.label)")
        }
    }

    @Test func pythonsGzipIsRead() throws {
        var random = SeededRandom()
        let contents = [[], random.text(1), random.text(70_000), random.bytes(300_000)]
        let script = """
            import io, zlib
            for blob in blobs:
                for level in (0, 1, 6, 9): write_blob(gzip.compress(blob, level))
                out = io.BytesIO()
                with gzip.GzipFile("a name.txt", "wb", fileobj=out, mtime=1) as file: file.write(blob)
                write_blob(out.getvalue())
                body = out.getvalue()[10 + len("a name.txt") + 1:]
                head = b"\\x1f\\x8b\\x08\\x1e" + bytes(6) + b"\\x05\\x00extraname\\x00comment\\x00"
                write_blob(head + struct.pack("<H", zlib.crc32(head) & 0xffff) + body)
            """
        let compressed = try python(script, contents)
        try #require(compressed.count == 6 * contents.count)
        for (index, gzip) in compressed.enumerated() {
            let content = contents[index / 6]
            #expect(
                try Gzip.decompress(gzip, limit: 1 << 20) == content, "kind \(index % 6), \(random.label)")
            let inParts = Result { try inflate(gzip, random, longest: 1) }
            #expect(try inParts.get() == content, "kind \(index % 6), \(random.label)")
        }
    }

    /// The second member's name lies across the end of the reader's first 64 KB.
    @Test func aHeaderAcrossTheEndOfTheReadersBufferIsRead() throws {
        var random = SeededRandom()
        let script = """
            import io
            def member(content, name):
                out = io.BytesIO()
                with gzip.GzipFile(name, "wb", fileobj=out, mtime=1) as file: file.write(content)
                return out.getvalue()
            more = len(member(blobs[0][:60000], "first")) - 60000
            for cut in range(1, 30):
                first = member(blobs[0][:65536 - cut - more], "first")
                assert len(first) == 65536 - cut
                write_blob(first + member(b"second", "second name.txt"))
            """
        let content = random.bytes(65_536)
        for (index, gzip) in try python(script, [content]).enumerated() {
            let found = try Gzip.decompress(gzip, limit: 1 << 20)
            #expect(found.suffix(6).elementsEqual("second".utf8), "cut \(index + 1), \(random.label)")
        }
    }

    @Test func membersAreOneContentWithZeroPaddingAsInPython() throws {
        var random = SeededRandom()
        let parts = [random.text(100), [], random.bytes(70_000), random.text(200_000), [], random.text(1)]
        var joined: [UInt8] = []
        var padded: [UInt8] = []
        for (part, level) in zip(parts, levels.reversed()) {
            let member = try Gzip.compress(part, level: level)
            joined += member
            padded += member + [UInt8](repeating: 0, count: Int(random.next() % 70_000))
        }
        let content = Array(parts.joined())
        for gzip in [joined, padded, joined + [0], joined + [UInt8](repeating: 0, count: 200_000)] {
            #expect(try inflate(gzip, random) == content, "\(random.label)")
            #expect(
                try python("write_blob(gzip.decompress(blobs[0]))", [gzip]) == [content], "\(random.label)")
        }
        for (longest, room) in [(1, 100_000), (1, 1), (70_000, 1), (3, 7)] {
            #expect(
                try inflate(padded, random, longest: longest, room: room) == content,
                "parts of \(longest) into \(room), \(random.label)")
        }
    }

    @Test(
        arguments: [[0x41], [0x1f], [0x1f, 0x8b], [0, 0, 0x41], Array("more text after it".utf8)] as [[UInt8]]
    )
    func otherBytesAfterTheEndAreDamage(_ tail: [UInt8]) throws {
        let gzip = try Gzip.compress(Array("content".utf8), level: .standard)
        let error = #expect(throws: SnapcatError.self) {
            try Gzip.decompress(gzip + tail, limit: 100, name: "the file")
        }
        #expect(error?.code == .damage)
        #expect(error?.subject == "the file")
        // Where the tail begins, its padding aside; a header that is cut off ends at the end of the file.
        let offset = gzip.count + (tail.count <= 2 && tail[0] == 0x1f ? tail.count : tail[0] == 0 ? 2 : 0)
        #expect(error?.reason.hasSuffix("(at byte \(offset))") == true, "\(error?.reason ?? "")")
    }

    /// Flags that RFC 1952 reserves, and a header whose own checksum is wrong.
    @Test func aHeaderThatCannotBeTrustedIsDamage() throws {
        let gzip = try Gzip.compress(Array("content".utf8), level: .standard)
        for flag: UInt8 in [0x20, 0x40, 0x80] {
            #expect(try contentUnlessDamaged(gzip[..<3] + [flag] + gzip[4...]) == nil)
        }
        let header = Array(gzip[..<3] + [2] + gzip[4..<10])
        let checksum = header.withUnsafeBytes { Gzip.checksum($0) }
        let good = [UInt8(truncatingIfNeeded: checksum), UInt8(truncatingIfNeeded: checksum >> 8)]
        #expect(try contentUnlessDamaged(header + good + gzip[10...]) == Array("content".utf8))
        #expect(try contentUnlessDamaged(header + [good[0] ^ 1, good[1]] + gzip[10...]) == nil)
    }

    /// Whoever reads on after an error must not be told that the content has ended.
    @Test func damageIsThrownByEachLaterReadToo() throws {
        var random = SeededRandom()
        let gzip = try Gzip.compress(random.text(1000), level: .standard)
        var wrongLength = gzip
        wrongLength[gzip.count - 1] ^= 1
        var wrongBody = gzip
        wrongBody[40] ^= 0xff
        for damaged in [wrongLength, wrongBody, Array(gzip.dropLast()), gzip + [7], [], gzip + [0x1f, 0x8b]] {
            let reader = try GzipReader(ArraySource(damaged), name: "test")
            let first = #expect(throws: SnapcatError.self) { try reader.readAll(limit: 1 << 20) }
            #expect(first?.code == .damage)
            for _ in 0..<3 {
                let next = #expect(throws: SnapcatError.self) { try reader.readAll(limit: 1 << 20) }
                #expect(next == first, "\(random.label)")
            }
        }
    }

    @Test(
        arguments: [
            [], [0], [0, 0, 0], [0x1f], [0x1f, 0x8b], Array("{}\n".utf8),
            [0x1f, 0x8b, 7, 0, 0, 0, 0, 0, 0, 0, 3, 0],
        ] as [[UInt8]])
    func whatIsNoGzipIsDamageWithItsName(_ bytes: [UInt8]) throws {
        let error = #expect(throws: SnapcatError.self) {
            try Gzip.decompress(bytes, limit: 1 << 20, name: "the file")
        }
        #expect(error?.code == .damage)
        #expect(error?.description.contains("'the file'") == true)
    }

    @Test(arguments: levels) func aCutAtAnyByteIsDamage(_ level: GzipLevel) throws {
        var random = SeededRandom()
        let small = try Gzip.compress(random.text(400), level: level)
        for count in 0..<small.count {
            #expect(
                try contentUnlessDamaged(Array(small[..<count])) == nil,
                "cut to \(count) bytes, \(random.label)")
            #expect(throws: SnapcatError.self, "cut to \(count) bytes, \(random.label)") {
                try inflate(Array(small[..<count]), random, longest: 1, room: 3)
            }
        }
        let large = try Gzip.compress(random.text(600_000), level: level)
        for count in (0..<40).map({ large.count - 1 - $0 }) + (0..<40).map({ large.count * $0 / 40 }) {
            #expect(
                try contentUnlessDamaged(Array(large[..<count])) == nil,
                "cut to \(count) bytes, \(random.label)")
        }
    }

    /// A flipped bit is damage, or stands where it says nothing of the content (time, system, level, flags).
    @Test(arguments: levels) func aFlippedBitNeverGivesOtherContent(_ level: GzipLevel) throws {
        var random = SeededRandom()
        let content = random.text(300)
        let gzip = try Gzip.compress(content, level: level)
        for bit in 0..<gzip.count * 8 {
            var flipped = gzip
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            let found = try contentUnlessDamaged(flipped)
            #expect(found == nil || found == content, "bit \(bit), \(random.label)")
            // In the trailer every bit counts.
            if bit / 8 >= gzip.count - 8 { #expect(found == nil, "bit \(bit), \(random.label)") }
        }
        let large = random.text(400_000)
        let largeGzip = try Gzip.compress(large, level: level)
        for _ in 0..<60 {
            let bit = Int.random(in: 80..<largeGzip.count * 8, using: &random)
            var flipped = largeGzip
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            let found = try contentUnlessDamaged(flipped)
            #expect(found == nil || found == large, "bit \(bit), \(random.label)")
        }
    }

    @Test func aReaderThatMetDamageReadsTheNextFile() throws {
        var random = SeededRandom()
        let content = random.text(100_000)
        let gzip = try Gzip.compress(content, level: .standard)
        let reader = try GzipReader(ArraySource(Array(gzip[..<1000])), name: "cut")
        for _ in 0..<3 {
            #expect(throws: SnapcatError.self, "\(random.label)") { try reader.readAll(limit: 1 << 20) }
            reader.reset(ArraySource(gzip), name: "whole")
            #expect(try reader.readAll(limit: 1 << 20) == content, "\(random.label)")
            #expect(reader.compressedOffset == Int64(gzip.count))
            reader.reset(ArraySource(gzip + [1]), name: "garbage")
        }
    }

    @Test func aContentOverTheLimitIsRefused() throws {
        let gzip = try Gzip.compress([UInt8](repeating: 0, count: 10 << 20), level: .standard)
        let error = #expect(throws: SnapcatError.self) { try Gzip.decompress(gzip, limit: 1 << 20) }
        #expect(error?.code == .failed)
    }
}
