import SystemPackage

/// The bytes of an open file, up to a size, wherever its own position stands.
package final class DescriptorSource: ByteSource {
    private let file: Descriptor
    private let name: String
    private var rest: Int64
    private var offset: Int64 = 0

    /// `size`: so many bytes there are; less is an error. `name`: for messages.
    package init(_ file: Descriptor, size: Int64, name: String) {
        self.file = file
        self.name = name
        rest = size
    }

    package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        if rest == 0 { return 0 }
        let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<Int(min(Int64(buffer.count), rest))])
        let count: Int
        do throws(Errno) { count = try file.read(into: part, at: offset) } catch {
            throw SnapcatError.system("Cannot read", name, error)
        }
        guard count > 0 else { throw SnapcatError(.failed, "Cannot read", name, reason: "it was cut") }
        rest -= Int64(count)
        offset += Int64(count)
        return count
    }
}
