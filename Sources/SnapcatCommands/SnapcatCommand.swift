import ArgumentParser
import Foundation
import Snapcat

/// The command tree.
package struct SnapcatCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "snapcat",
        abstract: "Snapshots of a folder, every version kept once, the history in SQL.",
        discussion: ExitStatus.help,
        version: "snapcat \(SnapcatVersion.text)",
        subcommands: [
            MakeCommand.self, RestoreCommand.self, CompareCommand.self, QueryCommand.self, ListCommand.self,
            LsCommand.self, FindCommand.self, HistoryCommand.self, GrowthCommand.self, DupesCommand.self,
            WhereisCommand.self, StatsCommand.self, CatCommand.self, CatalogCommand.self, CheckCommand.self, ForgetCommand.self, GCCommand.self, UndeleteCommand.self, RepairCommand.self, PurgeCommand.self,
            SchemaCommand.self,
            ListSnapshotsCommand.self,
        ])

    package init() {}

    /// Runs the command line, and ends the process with its exit code.
    package static func main(arguments: [String]) async -> Never {
        Interruption.install()
        let status = await run(LockOptions.completed(Arguments.normalised(arguments)))
        Repository.removeTemporaryCatalogs()
        Foundation.exit(status.rawValue)
    }

    /// For an argument that is no UTF-8 text: names of such bytes can be reached through the folder above them.
    package static func refuseArgument(_ index: Int) async -> Never {
        Terminal.talk("snapcat: error: Argument \(index) is not UTF-8 (name the folder above it)")
        Foundation.exit(ExitStatus.usage.rawValue)
    }

    private static func run(_ arguments: [String]) async -> ExitStatus {
        do {
            var command = try parseAsRoot(arguments)
            if !(command is QueryCommand) { Repository.forgoQueryMemoryLimit() }
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            return .done
        } catch let request as ExitRequest {
            return request.status
        } catch let error as SnapcatError {
            Terminal.talk("snapcat: error: \(error.description)")
            return ExitStatus(error.code)
        } catch is CancellationError {
            Terminal.talk("snapcat: error: Interrupted")
            return .interrupted
        } catch {
            return reportUsage(error)
        }
    }

    /// Help and version are data; a wrong command line is one line of talk.
    private static func reportUsage(_ error: any Error) -> ExitStatus {
        if exitCode(for: error) == .success {
            do { try Terminal.line(fullMessage(for: error)) } catch { return .failed }
            return .done
        }
        guard exitCode(for: error) == .validationFailure else {
            Terminal.talk("snapcat: error: \(TerminalText.oneLine("\(error)"))")
            return .failed
        }
        Terminal.talk("snapcat: error: \(TerminalText.oneLine(message(for: error))) (see 'snapcat --help')")
        return .usage
    }
}
