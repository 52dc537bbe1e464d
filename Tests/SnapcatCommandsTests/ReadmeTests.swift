import Foundation
import SnapcatTestSupport
import Testing

/// Every command of README's console blocks, run in order: what it prints is what README says, but for times.
@Suite struct ReadmeTests {
    private struct Step {
        var command: String
        var output: String
    }

    /// The folder of the package.
    private static var package: URL {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    }

    private static func steps(_ text: String) -> [Step] {
        var steps: [Step] = []
        var isInside = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("```") {
                isInside = line == "```console"
            } else if isInside && line.hasPrefix("$ ") {
                steps.append(Step(command: String(line.dropFirst(2)), output: ""))
            } else if isInside {
                steps[steps.count - 1].output += line + "\n"
            }
        }
        return steps
    }

    /// Times and the place differ from run to run.
    private static func normalised(_ text: String, folder: String) -> String {
        text.replacing(folder, with: "/home/ada")
            .replacing(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z/, with: "<time>")
            .replacing(/\d{4}\/\d\d\/\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d_\d{6}Z/, with: "<name>")
            .replacing(/\d{10}\.\d+/, with: "<mtime>")
    }

    @Test func everyCommandOfTheReadmePrintsWhatItSays() async throws {
        let readme = try String(contentsOf: Self.package.appendingPathComponent("README.md"), encoding: .utf8)
        let steps = Self.steps(readme)
        #expect(steps.count > 15)
        let folder = try TempFolder()
        let real = URL(fileURLWithPath: folder.path).resolvingSymlinksInPath().path
        var environment: [String] = []
        for step in steps {
            if step.command.hasPrefix("export ") {
                environment.append(step.command)
                continue
            }
            // The binary under test is `snapcat` for the shell.
            let script = (["umask 022", "snapcat() { \"$SNAPCAT_UNDER_TEST\" \"$@\"; }"] + environment + [step.command])
                .joined(separator: "\n")
            let (status, output) = try Self.shell(script, in: folder.path)
            #expect(status == 0, "\(step.command)")
            #expect(
                Self.normalised(output, folder: real) == Self.normalised(step.output, folder: real), "\(step.command)")
        }
    }

    private static func shell(_ script: String, in folder: String) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", script]
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        var environment = ProcessInfo.processInfo.environment
        environment["SNAPCAT_UNDER_TEST"] = try SnapcatProcess.binary()
        process.environment = environment
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: bytes, as: UTF8.self))
    }

    @Test func everyCommandIsInItsHelpAndEveryHelpNamesTheExitCodes() async throws {
        let help = try await SnapcatProcess.succeed(["--help"]).text
        for command in ["make", "restore", "compare", "query", "list", "ls", "cat", "catalog", "check", "schema", "forget", "gc", "undelete", "repair", "purge"] {
            #expect(help.contains("  \(command)"), "\(command)")
            let own = try await SnapcatProcess.succeed([command, "--help"]).text
            #expect(own.contains("Exit codes:"), "\(command)")
        }
    }
}
