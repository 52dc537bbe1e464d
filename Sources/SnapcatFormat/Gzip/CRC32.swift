import CISAL

/// The checksum of gzip (RFC 1952, section 8).
enum CRC32 {
    /// The checksum of what `checksum` stands for, followed by `bytes`. That of nothing is 0.
    static func update(_ checksum: UInt32, _ bytes: UnsafeRawBufferPointer) -> UInt32 {
        crc32_gzip_refl(checksum, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt64(bytes.count))
    }
}
