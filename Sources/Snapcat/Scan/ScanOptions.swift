import SnapcatFormat
import SnapcatPlatform

/// What of a file root is looked at.
public struct ScanOptions: Sendable {
    /// gitignore patterns, in the order of the command line; later ones win.
    public var excludePatterns: [[UInt8]] = []
    /// `.snapcatignore` files in folders are obeyed.
    public var obeysIgnoreFiles = true
    /// Folders on another device than the file root are recorded, and not entered.
    public var staysOnOneFileSystem = false
    /// The contents of folders with a valid CACHEDIR.TAG are left out.
    public var excludesCaches = false
    /// Larger files are left out, in bytes.
    public var largestFileBytes: Int64?

    public init() {}

    /// As a snapshot records it.
    var exclusions: Exclusions {
        var exclusions = Exclusions()
        exclusions.patterns = excludePatterns
        exclusions.obeysIgnoreFiles = obeysIgnoreFiles
        exclusions.excludesCaches = excludesCaches
        exclusions.staysOnOneFileSystem = staysOnOneFileSystem
        exclusions.largestFileBytes = largestFileBytes
        return exclusions
    }

    package static let ignoreFileName = Array(".snapcatignore".utf8)
}

/// A file or folder that is left out because it is part of the repository itself.
package struct FileIdentity: Hashable, Sendable {
    package var device: UInt64
    package var inode: UInt64

    package init(_ status: FileStatus) {
        device = status.device
        inode = status.inode
    }
}
