import SnapcatPlatform

/// Writes gzip with a fixed header (RFC 1952; mtime 0, no name, unknown system).
///
/// The bytes do not depend on how the content is handed over, and `GzipCompressor` and `Gzip` give the same:
/// the compressor always sees the same blocks. `ISALDeflater` tells how far equal content gives equal bytes
/// at the levels 0 to 3. The sink gets chunks of up to 256 KB.
package final class GzipWriter: ByteSink {
    private enum State { case open, finished, failed(any Error) }

    private let encoder: GzipEncoder
    private let block: UnsafeMutableRawBufferPointer
    private var filled = 0
    private var state = State.open

    package init(level: GzipLevel, into sink: any ByteSink) throws {
        encoder = try GzipEncoder(level: level, output: GzipOutput(into: sink))
        block = .allocate(byteCount: GzipEncoder.blockSize, alignment: 64)
    }

    deinit { block.deallocate() }

    /// Begins another stream with the same buffers. What an unfinished stream had still to write is dropped.
    package func reset(into sink: any ByteSink) throws {
        encoder.output.sink = sink
        filled = 0
        try encoder.reset()
        state = .open
    }

    /// Takes all of `bytes`. An error, of the sink or the compressor, is thrown again by each later call.
    package func write(_ bytes: UnsafeRawBufferPointer) throws {
        try whileOpen {
            var rest = bytes
            while rest.count > 0 {
                // A full block waits until it is known whether it is the last.
                if filled == block.count { try flush(isLast: false) }
                if filled == 0 && rest.count > block.count {
                    try encoder.encode(UnsafeRawBufferPointer(rebasing: rest[..<block.count]), isLast: false)
                    rest = UnsafeRawBufferPointer(rebasing: rest[block.count...])
                    continue
                }
                let count = min(rest.count, block.count - filled)
                UnsafeMutableRawBufferPointer(rebasing: block[filled..<filled + count])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: rest[..<count]))
                filled += count
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
        }
    }

    /// Ends the stream. Nothing may be written after it but through `reset`.
    package func finish() throws {
        try whileOpen { try flush(isLast: true) }
        state = .finished
    }

    private func flush(isLast: Bool) throws {
        try encoder.encode(UnsafeRawBufferPointer(rebasing: block[..<filled]), isLast: isLast)
        filled = 0
    }

    /// A stream that lost bytes must not be ended as if it were whole.
    private func whileOpen(_ work: () throws -> Void) throws {
        switch state {
        case .open: break
        case .finished: preconditionFailure("The gzip stream is finished")
        case .failed(let error): throw error
        }
        do { try work() } catch {
            state = .failed(error)
            throw error
        }
    }
}
