import SnapcatPlatform

/// The compressed bytes of a file: a window on them, and where it stands.
final class GzipInput {
    private var source: any ByteSource
    private var name: String
    private let buffer: UnsafeMutablePointer<UInt8>
    private static let bufferSize = 64 << 10

    /// The bytes that were read from the source and are not yet consumed.
    private(set) var next: UnsafeMutablePointer<UInt8>
    private(set) var count = 0
    private var bytesRead: Int64 = 0
    private var sourceEnded = false

    init(_ source: any ByteSource, name: String) {
        self.source = source
        self.name = name
        buffer = .allocate(capacity: Self.bufferSize)
        next = buffer
    }

    deinit { buffer.deallocate() }

    /// Begins another file with the same buffer.
    func reset(_ source: any ByteSource, name: String) {
        self.source = source
        self.name = name
        next = buffer
        count = 0
        bytesRead = 0
        sourceEnded = false
    }

    /// Bytes consumed so far.
    var offset: Int64 { bytesRead - Int64(count) }

    func consume(_ size: Int) {
        next += size
        count -= size
    }

    /// Reads on where the window is empty. False at the end of the source.
    func fill() throws -> Bool {
        if count > 0 { return true }
        if sourceEnded { return false }
        next = buffer
        count = try source.read(into: UnsafeMutableRawBufferPointer(start: buffer, count: Self.bufferSize))
        bytesRead += Int64(count)
        sourceEnded = count == 0
        return count > 0
    }

    /// Consumes one byte. nil at the end of the source.
    func byte() throws -> UInt8? {
        guard try fill() else { return nil }
        defer { consume(1) }
        return next.pointee
    }

    /// The error for a damaged file. `offset` is that of the bytes consumed, unless told.
    func damage(_ reason: String, at offset: Int64? = nil) -> SnapcatError {
        SnapcatError(.damage, "Damaged gzip", name, reason: "\(reason) (at byte \(offset ?? self.offset))")
    }
}
