import Foundation

/// Random numbers that can be had again: SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number
/// Generators", 2014).
///
/// The seed is fixed, so that test runs are alike; `SNAPCAT_SEED` in the environment overrides it.
/// Put `label` into the comment of each expectation.
package struct SeededRandom: RandomNumberGenerator {
    package let seed: UInt64
    private var state: UInt64

    package init(seed: UInt64 = 20_261_120) {
        let override = ProcessInfo.processInfo.environment["SNAPCAT_SEED"].flatMap { UInt64($0) }
        self.seed = override ?? seed
        state = self.seed
    }

    /// `SNAPCAT_SEED=<seed>`: what to set to see a failure again.
    package var label: String { "SNAPCAT_SEED=\(seed)" }

    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// Bytes that no compressor makes smaller.
    package mutating func bytes(_ count: Int) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(count + 8)
        while result.count < count {
            withUnsafeBytes(of: next().littleEndian) { result.append(contentsOf: $0) }
        }
        result.removeLast(result.count - count)
        return result
    }

    /// Bytes that compress: words of a small vocabulary, with some noise.
    package mutating func text(_ count: Int) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(count + 64)
        let words = (0..<64).map { _ in bytes(Int.random(in: 1...40, using: &self)) }
        while result.count < count {
            result += words[Int.random(in: 0..<words.count, using: &self)]
            if next() % 16 == 0 { result += bytes(3) }
        }
        result.removeLast(result.count - count)
        return result
    }

    /// A file name of up to `longest` bytes: ASCII, controls, valid UTF-8 and bytes that are none.
    package mutating func name(longest: Int = 24) -> [UInt8] {
        let pieces: [[UInt8]] = [
            [0x80], [0xbf], [0xc2], [0xe2, 0x82], [0xed, 0xa0, 0x80], [0xf0, 0x9f, 0x98],
            [0xf4, 0x90, 0x80, 0x80],
            [0xff], [0xc3, 0xa9], [0xe2, 0x82, 0xac], [0xef, 0xbf, 0xbd], [0xf0, 0x9f, 0x98, 0x80],
            Array("/".utf8),
            Array("-".utf8), Array("\"\\".utf8), [0x0a], [0x1f], [0x7f],
        ]
        var result: [UInt8] = []
        let length = Int.random(in: 1...longest, using: &self)
        while result.count < length {
            switch next() % 4 {
            case 0: result.append(UInt8.random(in: 1...255, using: &self))
            case 1: result += pieces[Int.random(in: 0..<pieces.count, using: &self)]
            default: result.append(UInt8.random(in: 0x61...0x7a, using: &self))
            }
        }
        result.removeLast(result.count - length)
        return result
    }
}
