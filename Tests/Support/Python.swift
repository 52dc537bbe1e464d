import Foundation

/// The real Python as a judge of what snapcat writes and reads.
package enum Python {
    /// What went wrong: the script's exit status and its stderr.
    package struct Failure: Error, CustomStringConvertible {
        package var description: String
    }

    /// Runs `python3 -c script` with `input` as its stdin and returns its stdout; throws `Failure` otherwise.
    ///
    /// The streams are files, not pipes: no size of input or output can block either side.
    package static func run(_ script: String, input: [UInt8] = [], arguments: [String] = []) throws -> [UInt8]
    {
        let folder = try TempFolder()
        try folder.write("in", input)
        try folder.write("out", [])
        try folder.write("err", [])
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-c", script] + arguments
        // os.fsdecode is UTF-8 with surrogateescape, whatever the locale.
        process.environment = ProcessInfo.processInfo.environment.merging(["PYTHONUTF8": "1"]) { $1 }
        process.standardInput = try FileHandle(forReadingFrom: URL(fileURLWithPath: folder.path + "/in"))
        process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: folder.path + "/out"))
        process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: folder.path + "/err"))
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            let message = String(decoding: try folder.read("err"), as: UTF8.self)
            throw Failure(description: "python3 ended with \(process.terminationStatus): \(message)")
        }
        return try folder.read("out")
    }

    /// The same, with stdout split into its lines.
    package static func lines(_ script: String, input: [UInt8] = []) throws -> [[UInt8]] {
        var output = try run(script, input: input)[...]
        if output.last == UInt8(ascii: "\n") { output = output.dropLast() }
        return output.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { Array($0) }
    }

    /// Byte strings for a script's stdin, each led by its length. `readBlobs` is the other side.
    package static func blobs(_ blobs: [[UInt8]]) -> [UInt8] {
        var result: [UInt8] = []
        for blob in blobs {
            withUnsafeBytes(of: UInt32(blob.count).littleEndian) { result.append(contentsOf: $0) }
            result += blob
        }
        return result
    }

    /// Splits what a script has written with `write_blob`.
    package static func splitBlobs(_ bytes: [UInt8]) throws -> [[UInt8]] {
        var result: [[UInt8]] = []
        var position = 0
        while position < bytes.count {
            guard position + 4 <= bytes.count else { throw Failure(description: "a length is cut off") }
            let count = bytes[position..<position + 4].reversed().reduce(0) { $0 << 8 | Int($1) }
            position += 4
            guard position + count <= bytes.count else {
                throw Failure(description: "a byte string is cut off")
            }
            result.append(Array(bytes[position..<position + count]))
            position += count
        }
        return result
    }

    /// Python: `blobs` is the list of byte strings on stdin; `write_blob(b)` writes one to stdout.
    package static let readBlobs = """
        import gzip, hashlib, json, os, struct, sys
        data = sys.stdin.buffer.read()
        blobs, at = [], 0
        while at < len(data):
            count = struct.unpack_from("<I", data, at)[0]
            blobs.append(data[at + 4:at + 4 + count])
            at += 4 + count
        def write_blob(blob):
            sys.stdout.buffer.write(struct.pack("<I", len(blob)) + blob)

        """
}
