import ArgumentParser

/// Lets the options of the roots stand before the subcommand too, as snapshooter has them.
///
/// ArgumentParser takes options after their subcommand only: those before it are moved behind it.
package enum Arguments {
    /// Options with a value that may come before the subcommand.
    static let valued: Set<String> = [
        "--repo", "--file-root", "--heap-root", "--snap-root", "--catalog", "--file-storage-options",
        "--heap-storage-options", "--snap-storage-options", "--loglevel", "--progress", "--heap-cache-file",
        "--parallel-copy-to-heap", "--parallel-copy-to-file", "--parallel-delete-in-file", "--parallel-listing",
        "--parallel-heap-listing",
    ]
    static let flags: Set<String> = ["-q", "--quiet", "-v", "--verbose", "--no-sync"]

    package static func normalised(_ arguments: [String]) -> [String] {
        var moved: [String] = []
        var index = 0
        while index < arguments.count {
            let argument = arguments[index]
            let name = argument.prefix { $0 != "=" }
            if flags.contains(argument) || valued.contains(String(name)) && argument.contains("=") {
                moved.append(argument)
            } else if valued.contains(argument), index + 1 < arguments.count {
                moved += [argument, arguments[index + 1]]
                index += 1
            } else {
                break
            }
            index += 1
        }
        guard index < arguments.count, !arguments[index].hasPrefix("-") else { return arguments }
        let rest = moved + arguments[(index + 1)...]
        // Its subcommands have the options, and it has none.
        return [arguments[index]] + (arguments[index] == CatalogCommand.configuration.commandName ? normalised(rest) : rest)
    }
}
