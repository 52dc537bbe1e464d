import Benchmark
import CMD5
import SnapcatFormat
import SnapcatHeap

/// md5 and gzip: of text as source files have it, in one piece and in small ones.
func contentBenchmarks() {
    Benchmark("md5: 4 MiB") { benchmark, input in
        input.withUnsafeBytes { blackHole(MD5Hasher.digest($0)) }
    } setup: {
        Text.bytes(4 << 20)
    }

    Benchmark("md5: 1,000 contents of 4 KiB, one by one") { benchmark, input in
        input.withUnsafeBytes { bytes in
            for _ in 0..<1_000 { blackHole(MD5Hasher.digest(bytes)) }
        }
    } setup: {
        Text.bytes(4 << 10)
    }

    Benchmark("md5: 1,000 contents of 4 KiB, side by side") { benchmark, input in
        input.withUnsafeBytes { bytes in
            let content = cmd5_content(
                bytes: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), count: bytes.count,
                digest: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
            var contents = [cmd5_content](repeating: content, count: 1_000)
            contents.withUnsafeMutableBufferPointer { cmd5_digest($0.baseAddress, $0.count) }
            blackHole(contents)
        }
    } setup: {
        Text.bytes(4 << 10)
    }

    Benchmark("gzip: deflate 4 MiB at level 1") { benchmark, input in
        blackHole(try Gzip.compress(input, level: .standard).count)
    } setup: {
        Text.bytes(4 << 20)
    }

    Benchmark("gzip: deflate 1,000 contents of 4 KiB at level 1") { benchmark, input in
        let compressor = try GzipCompressor(level: .standard)
        try input.withUnsafeBytes { bytes in
            for _ in 0..<1_000 { blackHole(try compressor.compress(bytes).count) }
        }
    } setup: {
        Text.bytes(4 << 10)
    }

    Benchmark("gzip: inflate 4 MiB") { benchmark, input in
        blackHole(try Gzip.decompress(input, limit: 8 << 20).count)
    } setup: {
        try Gzip.compress(Text.bytes(4 << 20), level: .standard)
    }
}

/// Words in an order that repeats nowhere: deflate makes about a third of it.
private enum Text {
    static func bytes(_ count: Int) -> [UInt8] {
        let words = "static void return struct const unsigned long include define if else for while size_t".split(separator: " ")
        var state: UInt64 = 20_261_120
        var result: [UInt8] = []
        result.reserveCapacity(count + 16)
        while result.count < count {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            result += words[Int(state >> 40) % words.count].utf8
            result.append(state >> 60 == 0 ? 0x0a : 0x20)
        }
        result.removeLast(result.count - count)
        return result
    }
}
