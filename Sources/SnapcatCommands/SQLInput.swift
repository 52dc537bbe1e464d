import CPlatform
import Snapcat

/// SQL from a file or the standard input, as text of a bounded size.
enum SQLInput {
    static func read(file: String) throws -> String {
        let input = try withSystemErrors("Cannot read the SQL file", Array(file.utf8)) {
            Input(try Descriptor.open(Array(file.utf8), .read), name: file)
        }
        return try text(input)
    }

    static func readStandardInput() throws -> String {
        // A copy of the descriptor, so that it can be closed like any other.
        try text(Input(Descriptor(owning: cplatform_duplicate(0)), name: "standard input"))
    }

    private static func text(_ input: Input) throws -> String {
        let bytes: [UInt8]
        do { bytes = try input.readAll(limit: 1 << 20) } catch var error as SnapcatError {
            if error.subject.isEmpty { error.subject = input.name }
            throw error
        }
        guard let sql = String(validating: bytes, as: UTF8.self) else {
            throw SnapcatError(
                .usage, "The SQL is not UTF-8", input.name, advice: "write such bytes as CAST(x'ff' AS TEXT)")
        }
        return sql
    }

    private final class Input: ByteSource {
        let descriptor: Descriptor
        let name: String

        init(_ descriptor: Descriptor, name: String) {
            self.descriptor = descriptor
            self.name = name
        }

        func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
            // Whoever types it may think better of it.
            while cplatform_wait_readable(descriptor.raw, 50) == 0 { try Interruption.flag.check() }
            return try withSystemErrors("Cannot read the SQL", Array(name.utf8)) { try descriptor.read(into: buffer) }
        }
    }
}
