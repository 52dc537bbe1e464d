/// Bytes that are pulled. Not safe for use by two threads at once.
public protocol ByteSource: AnyObject {
    /// Fills the start of `buffer` and returns the count, at least 1; 0 at the end, and ever after.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int
}

/// Bytes that are pushed. Not safe for use by two threads at once.
public protocol ByteSink: AnyObject {
    /// Takes all of `bytes`, or throws.
    func write(_ bytes: UnsafeRawBufferPointer) throws
}

extension ByteSink {
    public func write(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { try write($0) }
    }
}

/// Takes bytes and drops them.
package final class NullSink: ByteSink {
    package init() {}
    package func write(_ bytes: UnsafeRawBufferPointer) {}
}

extension ByteSource {
    /// Fills all of `buffer`; less only at the end of the source. Returns the count.
    package func fill(_ buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        var filled = 0
        while filled < buffer.count {
            let count = try read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]))
            if count == 0 { break }
            filled += count
        }
        return filled
    }

    /// Everything up to the end. Throws `.failed` past `limit` bytes: every buffer has a size.
    public func readAll(limit: Int) throws -> [UInt8] {
        var result: [UInt8] = []
        let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
        defer { chunk.deallocate() }
        while true {
            let count = try read(into: chunk)
            if count == 0 { return result }
            guard result.count + count <= limit else {
                throw SnapcatError(.failed, "Content is larger than \(limit) bytes")
            }
            result.append(contentsOf: UnsafeRawBufferPointer(rebasing: chunk[..<count]))
        }
    }
}

/// Bytes from an array in memory.
public final class ArraySource: ByteSource {
    private let bytes: [UInt8]
    private var position = 0

    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    public func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(buffer.count, bytes.count - position)
        bytes.withUnsafeBytes { buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[position..<position + count])) }
        position += count
        return count
    }
}

/// Bytes into an array in memory.
public final class ArraySink: ByteSink {
    public private(set) var bytes: [UInt8] = []

    public init() {}

    public func write(_ new: UnsafeRawBufferPointer) { bytes.append(contentsOf: new) }
}
