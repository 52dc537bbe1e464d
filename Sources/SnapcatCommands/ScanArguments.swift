import ArgumentParser
import Foundation
import Snapcat

/// What of the file root is left out.
struct ScanArguments: ParsableArguments {
    @Option(help: ArgumentHelp("Leave out what fits a gitignore pattern; may be repeated.", valueName: "pattern"))
    var exclude: [String] = []
    @Option(help: ArgumentHelp("Leave out what fits the patterns in a file.", valueName: "file"))
    var excludeFrom: [String] = []
    @Flag(help: "Do not enter folders on other file systems.")
    var oneFileSystem = false
    @Flag(help: "Leave out the contents of folders with a CACHEDIR.TAG.")
    var excludeCaches = false
    @Option(help: ArgumentHelp("Leave out larger files (5000, 100K, 2M, 1G).", valueName: "size"))
    var maxSize: String?
    @Flag(help: "Do not obey .snapcatignore files.")
    var noIgnoreFiles = false

    func options() throws -> ScanOptions {
        var options = ScanOptions()
        for file in excludeFrom {
            let contents: Data
            do { contents = try Data(contentsOf: URL(fileURLWithPath: file)) } catch {
                throw SnapcatError(.usage, "Cannot read the exclude file", file)
            }
            options.excludePatterns += IgnoreRules.lines(of: Array(contents)).map(Array.init)
        }
        options.excludePatterns += exclude.map { Array($0.utf8) }
        options.staysOnOneFileSystem = oneFileSystem
        options.excludesCaches = excludeCaches
        options.obeysIgnoreFiles = !noIgnoreFiles
        if let maxSize {
            guard let bytes = SizeText.bytes(maxSize) else {
                throw SnapcatError(.usage, "Not a size", maxSize, advice: "write 5000, 100K, 2M or 1G")
            }
            options.largestFileBytes = bytes
        }
        return options
    }
}
