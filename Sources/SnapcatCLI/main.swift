import SnapcatCommands

// Swift's own list repairs what is not UTF-8: then a command would act on another path than the one named.
var arguments: [String] = []
for index in 1..<max(1, Int(CommandLine.argc)) {
    guard let bytes = CommandLine.unsafeArgv[index] else { break }
    guard let text = String(validatingCString: bytes) else { await SnapcatCommand.refuseArgument(index) }
    arguments.append(text)
}
await SnapcatCommand.main(arguments: arguments)
