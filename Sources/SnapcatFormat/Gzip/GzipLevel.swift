/// How hard gzip tries: 0-3 are ISA-L's levels, 4-9 zlib's (PERFORMANCE.md, "Limits").
///
/// Level 0 compresses too: it is ISA-L's fastest, not zlib's "stored".
public struct GzipLevel: Sendable, Equatable {
    public let value: Int

    /// nil outside 0...9.
    public init?(_ value: Int) {
        guard (0...9).contains(value) else { return nil }
        self.value = value
    }

    private init(known value: Int) { self.value = value }

    /// 1: smaller than zlib's 1, and six times as fast.
    public static let standard = GzipLevel(known: 1)

    /// The header's XFL (RFC 1952): 2 for the slowest algorithm, 4 for the fastest.
    var extraFlags: UInt8 { value == 9 ? 2 : value <= 1 ? 4 : 0 }

    /// A compressor of this level. Throws `.failed` where zlib has no memory.
    func makeDeflater() throws -> any Deflater {
        value <= 3 ? ISALDeflater(level: value) : try ZlibDeflater(level: value)
    }
}
