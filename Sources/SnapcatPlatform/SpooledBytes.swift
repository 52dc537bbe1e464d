import SystemPackage

/// Bytes that are written once and then read: the first ones in memory, the others in a temporary file without a name,
/// which goes with this object, however the process ends.
package final class SpooledBytes: ByteSink {
    private let mostInMemory: Int
    private var file: Descriptor?
    private var inFile = 0
    /// What is not in the file.
    private var memory: [UInt8] = []

    package init(mostInMemory: Int) { self.mostInMemory = mostInMemory }

    package var count: Int { inFile + memory.count }

    /// Throws `SnapcatError` where the temporary folder takes no more.
    package func write(_ bytes: UnsafeRawBufferPointer) throws {
        if memory.count + bytes.count > mostInMemory { try writeMemory() }
        memory.append(contentsOf: bytes)
    }

    private func writeMemory() throws(SnapcatError) {
        let file: Descriptor
        if let open = self.file { file = open } else { file = try TemporaryPlace.makeNamelessFile() }
        self.file = file
        do throws(Errno) { try file.writeAll(memory) } catch { throw .system("Cannot write", "a temporary file", error) }
        inFile += memory.count
        memory.removeAll(keepingCapacity: true)
    }

    /// All that was written, from the start.
    package func source() -> any ByteSource { Source(file, inFile, memory) }

    private final class Source: ByteSource {
        private let file: Descriptor?
        private var rest: Int
        private var offset: Int64 = 0
        private let memory: ArraySource

        init(_ file: Descriptor?, _ inFile: Int, _ memory: [UInt8]) {
            self.file = file
            rest = inFile
            self.memory = ArraySource(memory)
        }

        func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
            guard rest > 0, let file else { return memory.read(into: buffer) }
            let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(buffer.count, rest)])
            let count: Int
            do throws(Errno) { count = try file.read(into: part, at: offset) } catch {
                throw SnapcatError.system("Cannot read", "a temporary file", error)
            }
            guard count > 0 else { throw SnapcatError(.failed, "Cannot read", "a temporary file", reason: "it was cut") }
            rest -= count
            offset += Int64(count)
            return count
        }
    }
}
