import SnapcatFormat
import SnapcatHeap
import SnapcatPlatform

/// Files of this machine, by content.
public enum LocalContent {
    /// The md5 of a regular file, read as a stream.
    public static func md5(_ path: String, monitor: Monitor = .silent) async throws -> MD5Digest {
        let name = Array(path.utf8)
        return try await WorkerThread.run("snapcat-md5", cancellation: monitor.cancellation) {
            try withSystemErrors("Cannot read the file", name) {
                let file = try Descriptor.open(name, .read)
                guard try file.status().kind == .regular else {
                    throw SnapcatError(.usage, "Not a regular file", path)
                }
                let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
                defer { buffer.deallocate() }
                var hasher = MD5Hasher()
                while true {
                    try monitor.cancellation.check()
                    let count = try file.read(into: buffer)
                    if count == 0 { return hasher.finish() }
                    hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                }
            }
        }
    }
}
