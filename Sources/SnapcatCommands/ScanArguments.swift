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

/// Sizes as users write them: digits, and K, M, G or T for powers of 1024.
enum SizeText {
    static func bytes(_ text: String) -> Int64? {
        var digits = Substring(text.uppercased())
        if digits.hasSuffix("IB") { digits = digits.dropLast(2) } else if digits.hasSuffix("B") { digits = digits.dropLast() }
        var factor: Int64 = 1
        if let unit = digits.last, let index = "KMGT".firstIndex(of: unit) {
            factor = 1 << (10 * Int64("KMGT".distance(from: "KMGT".startIndex, to: index) + 1))
            digits = digits.dropLast()
        }
        guard let count = TimeText.digits(digits) else { return nil }
        let (product, overflow) = count.multipliedReportingOverflow(by: factor)
        return overflow ? nil : product
    }
}

/// Durations as users write them: `30s`, `5m`, `2h`, `1d`.
enum DurationText {
    static func nanoseconds(_ text: String) throws -> Int64 {
        guard let microseconds = try TimeText.duration(text) ?? TimeText.duration(text + "s"),
            microseconds <= Int64.max / 1000
        else { throw SnapcatError(.usage, "Not a duration", text, advice: "write 30s, 5m or 2h") }
        return microseconds * 1000
    }
}
