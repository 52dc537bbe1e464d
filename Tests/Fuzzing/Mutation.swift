import SnapcatTestSupport

/// Inputs that come from seeds by seeded changes.
package struct Mutation {
    private var random: SeededRandom
    private var corpus: [[UInt8]]
    private let words: [[UInt8]]
    private let longest: Int

    /// What made it: to see an input again, with the number of it.
    package var label: String { random.label }

    package init(_ target: FuzzTarget, seed: UInt64 = 20_261_121) {
        random = SeededRandom(seed: seed)
        corpus = target.seeds
        words = target.words
        longest = target.longestInput
    }

    /// The seeds themselves, then changed ones.
    package mutating func inputs(_ count: Int) -> [[UInt8]] { corpus + (0..<count).map { _ in next() } }

    package mutating func next() -> [UInt8] {
        var bytes = pick(corpus)
        for _ in 0..<Int.random(in: 1...6, using: &random) { change(&bytes) }
        if bytes.count > longest { bytes.removeLast(bytes.count - longest) }
        // What was changed is changed further now and then.
        if random.next() % 64 == 0, corpus.count < 512 { corpus.append(bytes) }
        return bytes
    }

    private mutating func pick(_ choices: [[UInt8]]) -> [UInt8] { choices.randomElement(using: &random) ?? [] }

    private mutating func place(_ bytes: [UInt8]) -> Int { Int.random(in: 0...bytes.count, using: &random) }

    private mutating func range(_ bytes: [UInt8]) -> Range<Int> {
        let start = place(bytes)
        return start..<min(bytes.count, start + Int.random(in: 0...16, using: &random))
    }

    private mutating func change(_ bytes: inout [UInt8]) {
        switch random.next() % 9 {
        case 0 where !bytes.isEmpty: bytes[Int.random(in: bytes.indices, using: &random)] ^= 1 << UInt8(random.next() % 8)
        case 1 where !bytes.isEmpty: bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
        case 2: bytes.removeSubrange(range(bytes))
        case 3: bytes.insert(contentsOf: random.bytes(Int.random(in: 1...8, using: &random)), at: place(bytes))
        case 4: bytes.insert(contentsOf: Array(bytes[range(bytes)]), at: place(bytes))
        case 5: bytes.replaceSubrange(range(bytes), with: pick(words))
        case 6:
            let other = pick(corpus)
            bytes.replaceSubrange(place(bytes)..., with: other[place(other)...])
        case 7 where random.next() % 16 == 0:
            // Very often the same: what grows faster than its input shows.
            let part = Array(bytes[range(bytes)])
            guard !part.isEmpty else { return }
            let times = Int.random(in: 1...longest, using: &random) / part.count
            bytes.insert(contentsOf: repeatElement(part, count: times).joined(), at: place(bytes))
        default: bytes.insert(contentsOf: pick(words), at: place(bytes))
        }
    }
}
