import SystemPackage

/// Bytes that are written once and then read: the first ones in memory, the others in a temporary file without a name,
/// which goes with this object, however the process ends.
package final class SpooledBytes: ByteSink {
    private let mostInMemory: Int
    private let overflowsIntoMemory: Bool
    private var file: Descriptor?
    private var inFile = 0
    /// What is not in the file.
    private var memory: [UInt8] = []
    /// The temporary folder takes no more: memory does.
    private var isFull = false

    /// `mostInMemory`: bytes; more where `overflowsIntoMemory` and the temporary folder takes nothing.
    package init(mostInMemory: Int, overflowsIntoMemory: Bool = false) {
        (self.mostInMemory, self.overflowsIntoMemory) = (mostInMemory, overflowsIntoMemory)
    }

    package var count: Int { inFile + memory.count }

    /// Throws `SnapcatError` where the temporary folder takes no more.
    package func write(_ bytes: UnsafeRawBufferPointer) throws {
        if memory.count + bytes.count > mostInMemory && !isFull {
            do throws(SnapcatError) { try writeMemory() } catch {
                guard overflowsIntoMemory else { throw error }
                isFull = true
            }
        }
        memory.append(contentsOf: bytes)
    }

    private func writeMemory() throws(SnapcatError) {
        let file: Descriptor
        if let open = self.file { file = open } else { file = try TemporaryPlace.makeNamelessFile() }
        self.file = file
        do throws(Errno) { try file.writeAll(memory) } catch { throw .system("Cannot write", Self.name, error) }
        inFile += memory.count
        memory.removeAll(keepingCapacity: true)
    }

    /// All that was written, from the start.
    package func source() -> any ByteSource {
        Source(file.map { DescriptorSource($0, size: Int64(inFile), name: Self.name) }, ArraySource(memory))
    }

    /// All that was written, from the start.
    package func copy(to sink: any ByteSink) throws {
        let source = source()
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let isDone = try buffer.withUnsafeMutableBytes { buffer in
                let count = try source.read(into: buffer)
                if count > 0 { try sink.write(UnsafeRawBufferPointer(rebasing: buffer[..<count])) }
                return count == 0
            }
            if isDone { return }
        }
    }

    private static let name = "a temporary file"

    private final class Source: ByteSource {
        private let file: DescriptorSource?
        private let memory: ArraySource

        init(_ file: DescriptorSource?, _ memory: ArraySource) {
            self.file = file
            self.memory = memory
        }

        func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
            let count = try file?.read(into: buffer) ?? 0
            return count > 0 ? count : memory.read(into: buffer)
        }
    }
}
