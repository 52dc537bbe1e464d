/// Compresses blocks to raw deflate (RFC 1951).
///
/// The same blocks give the same bytes: a deflater asks its output for the same room at each call, because
/// what the libraries write may depend on the room they are given.
protocol Deflater: AnyObject {
    /// Begins another stream.
    func reset() throws
    /// Compresses a block of less than 4 GB; `isLast` ends the stream. Nothing points to it afterwards.
    func deflate(_ block: UnsafeRawBufferPointer, isLast: Bool, into output: GzipOutput) throws
}
