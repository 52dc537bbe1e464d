import SnapcatPlatform

/// Whole gzip contents in memory.
package enum Gzip {
    package static func compress(_ bytes: [UInt8], level: GzipLevel) throws -> [UInt8] {
        let compressor = try GzipCompressor(level: level)
        return try bytes.withUnsafeBytes { Array(try compressor.compress($0)) }
    }

    /// The CRC-32 that a gzip ends with of these bytes, which follow those that have the CRC-32 `before`.
    package static func checksum(_ bytes: UnsafeRawBufferPointer, after before: UInt32 = 0) -> UInt32 {
        CRC32.update(before, bytes)
    }

    /// Throws `.damage` for anything but sound gzip, `.failed` where the content is larger than `limit`
    /// bytes. `name` is the file named in errors.
    package static func decompress(_ bytes: [UInt8], limit: Int, name: String = "gzip") throws -> [UInt8] {
        try GzipReader(ArraySource(bytes), name: name).readAll(limit: limit)
    }
}
