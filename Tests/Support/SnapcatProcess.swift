import Foundation
import Subprocess

#if canImport(System)
    import System
#else
    import SystemPackage
#endif

/// Runs the snapcat binary as its users do: arguments, environment and streams, nothing shared.
package struct SnapcatProcess {
    /// What a process has left behind.
    package struct Result: Sendable {
        /// The exit code, or the negated number of the signal that ended it.
        package var status: Int32
        package var stdout: [UInt8]
        package var stderr: String

        /// stdout as text, with U+FFFD for what is not UTF-8.
        package var text: String { String(decoding: stdout, as: UTF8.self) }

        /// The lines of stdout, without the newline at its end.
        package var lines: [String] {
            text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init).dropLast(
                text.hasSuffix("\n") || text.isEmpty ? 1 : 0)
        }
    }

    /// What kept a process from being started, or from ending as it had to.
    package struct Failure: Error, CustomStringConvertible {
        package var description: String

        package init(description: String) { self.description = description }
    }

    /// Variables that snapcat or snapshooter read: a child gets only those that the test gives.
    private static let cleared: [Environment.Key: String?] = [
        "FILE_ROOT": nil, "HEAP_ROOT": nil, "SNAP_ROOT": nil,
        "FILE_STORAGE_OPTIONS": nil, "HEAP_STORAGE_OPTIONS": nil, "SNAP_STORAGE_OPTIONS": nil,
        "HEAP_CACHE_FILE": nil, "LOGLEVEL": nil, "SNAPCAT_REPO": nil, "SNAPCAT_CATALOG": nil,
    ]

    /// Most bytes that a stream may have; a test that needs more would be a slow one.
    private static let streamLimit = 256 << 20

    /// Runs snapcat and waits for its end; any exit code is a result, not an error.
    ///
    /// The environment is the caller's without the variables that snapcat reads, then `environment`.
    /// `folder` is the working folder (default: the caller's), `mostOpenFiles` a limit of the system (default: the
    /// caller's). Throws where the binary cannot be started.
    package static func run(
        _ arguments: [String], environment: [String: String] = [:], input: [UInt8] = [],
        folder: String? = nil, mostOpenFiles: Int? = nil
    ) async throws -> Result {
        guard let mostOpenFiles else {
            return try await start(
                binary(), arguments, environment: environment, input: input, folder: folder)
        }
        let limited = ["-c", "ulimit -n \(mostOpenFiles); exec \"$0\" \"$@\"", try binary()] + arguments
        return try await start("/bin/sh", limited, environment: environment, input: input, folder: folder)
    }

    /// The same under other programs, each of which runs the rest of its command line: `timeout 60`, `setpriv`, ...
    package static func run(
        _ arguments: [String], environment: [String: String], folder: String, through programs: [String]
    ) async throws -> Result {
        try await start(
            "/usr/bin/env", programs + [binary()] + arguments, environment: environment, input: [], folder: folder)
    }

    /// The same, where anything but exit code 0 is an error that carries stderr.
    package static func succeed(
        _ arguments: [String], environment: [String: String] = [:], folder: String? = nil
    ) async throws -> Result {
        let result = try await run(arguments, environment: environment, folder: folder)
        guard result.status == 0 else {
            throw Failure(
                description: "snapcat \(arguments.joined(separator: " ")) ended with \(result.status): "
                    + result.stderr)
        }
        return result
    }

    /// Runs any program by its path, in the same clean environment.
    package static func start(
        _ program: String, _ arguments: [String], environment: [String: String], input: [UInt8] = [],
        folder: String? = nil
    ) async throws -> Result {
        var changes = cleared
        for (name, value) in environment {
            guard let key = Environment.Key(rawValue: name) else {
                throw Failure(description: "\(name) cannot be the name of a variable")
            }
            changes[key] = .some(value)
        }
        let result = try await Subprocess.run(
            .path(FilePath(program)), arguments: Arguments(arguments),
            environment: .inherit.updating(changes), workingDirectory: folder.map { FilePath($0) },
            input: .array(input), output: .bytes(limit: streamLimit), error: .bytes(limit: streamLimit))
        let status: Int32 =
            switch result.terminationStatus {
            case .exited(let code): code
            case .signaled(let signal): -signal
            }
        return Result(
            status: status, stdout: result.standardOutput,
            stderr: String(decoding: result.standardError, as: UTF8.self))
    }

    /// The binary: `SNAPCAT_BINARY`, else `snapcat` beside the test bundle in the build folder.
    package static func binary() throws -> String {
        let process = ProcessInfo.processInfo
        if let given = process.environment["SNAPCAT_BINARY"], !given.isEmpty { return given }
        // Linux starts the bundle itself; macOS starts a helper that has the path within its arguments.
        for argument in process.arguments {
            var url = URL(fileURLWithPath: argument)
            while url.pathComponents.count > 1, url.pathExtension != "xctest" {
                url.deleteLastPathComponent()
            }
            guard url.pathExtension == "xctest" else { continue }
            let path = url.deletingLastPathComponent().appendingPathComponent("snapcat").path
            if FileManager.default.isExecutableFile(atPath: path) { return path }
        }
        throw Failure(
            description:
                "No snapcat binary beside the test bundle: build it, or set SNAPCAT_BINARY to its path")
    }
}
