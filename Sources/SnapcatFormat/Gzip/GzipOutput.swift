import SnapcatPlatform

/// Where compressed bytes are put: a buffer that is emptied into a sink in large chunks, or that grows.
final class GzipOutput {
    /// nil: the buffer grows, and holds all that was put since `clear`.
    var sink: (any ByteSink)?
    private var buffer: UnsafeMutablePointer<UInt8>
    private var capacity = 512 << 10
    private var count = 0
    /// What a sink gets at once, at most.
    private static let largestChunk = 256 << 10
    /// Less than this waits for more, or for the end.
    private static let smallestChunk = 64 << 10

    init(into sink: (any ByteSink)?) {
        self.sink = sink
        buffer = .allocate(capacity: capacity)
    }

    deinit { buffer.deallocate() }

    func clear() { count = 0 }

    /// All bytes since `clear`, where there is no sink. Valid until the next call of any method.
    var contents: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: buffer, count: count) }

    /// Room for `size` bytes. `commit` says how many of them were written.
    func reserve(_ size: Int) throws -> UnsafeMutablePointer<UInt8> {
        if sink != nil && count >= Self.smallestChunk { try flush() }
        if count + size > capacity {
            capacity = max(capacity * 2, count + size)
            let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
            larger.update(from: buffer, count: count)
            buffer.deallocate()
            buffer = larger
        }
        return buffer + count
    }

    func commit(_ size: Int) { count += size }

    /// Puts an integer, its lowest byte first.
    func append<Value: FixedWidthInteger>(_ value: Value) throws {
        let size = MemoryLayout<Value>.size
        UnsafeMutableRawPointer(try reserve(size)).storeBytes(of: value.littleEndian, as: Value.self)
        commit(size)
    }

    /// Hands what is left to the sink.
    func flush() throws {
        guard let sink else { return }
        var rest = contents
        while rest.count > 0 {
            let chunk = min(rest.count, Self.largestChunk)
            try sink.write(UnsafeRawBufferPointer(rebasing: rest[..<chunk]))
            rest = UnsafeRawBufferPointer(rebasing: rest[chunk...])
        }
        count = 0
    }
}
