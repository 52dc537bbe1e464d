/// A set of bytes, such as `[a-z]`, as bits.
struct ByteSet: Sendable {
    private var words = SIMD4<UInt64>()

    func contains(_ byte: UInt8) -> Bool { words[Int(byte >> 6)] >> UInt64(byte & 63) & 1 == 1 }

    var inverted: ByteSet {
        var result = self
        result.words = ~words
        return result
    }

    mutating func insert(_ range: ClosedRange<UInt8>) {
        for byte in range { words[Int(byte >> 6)] |= 1 << UInt64(byte & 63) }
    }

    mutating func remove(_ byte: UInt8) { words[Int(byte >> 6)] &= ~(1 << UInt64(byte & 63)) }

    /// Adds a class such as `digit`; false for a name that git does not know.
    ///
    /// The classes are git's own: ASCII, whatever the locale, and neither vertical tab nor form feed is a
    /// space.
    mutating func insert(classNamed name: ArraySlice<UInt8>) -> Bool {
        guard let known = Self.classes.first(where: { name.elementsEqual($0.name.utf8) }) else {
            return false
        }
        for range in known.ranges { insert(range) }
        return true
    }

    private static let classes: [(name: String, ranges: [ClosedRange<UInt8>])] = [
        ("alnum", [0x30...0x39, 0x41...0x5a, 0x61...0x7a]),
        ("alpha", [0x41...0x5a, 0x61...0x7a]),
        ("blank", [0x09...0x09, 0x20...0x20]),
        ("cntrl", [0x00...0x1f, 0x7f...0x7f]),
        ("digit", [0x30...0x39]),
        ("graph", [0x21...0x7e]),
        ("lower", [0x61...0x7a]),
        ("print", [0x20...0x7e]),
        ("punct", [0x21...0x2f, 0x3a...0x40, 0x5b...0x60, 0x7b...0x7e]),
        ("space", [0x09...0x0a, 0x0d...0x0d, 0x20...0x20]),
        ("upper", [0x41...0x5a]),
        ("xdigit", [0x30...0x39, 0x41...0x46, 0x61...0x66]),
    ]
}
