import SnapcatCommands

await SnapcatCommand.main(arguments: Array(CommandLine.arguments.dropFirst()))
