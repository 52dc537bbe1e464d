import SnapcatFormat
import SnapcatPlatform
import SnapcatStorage
import SystemPackage

/// Whether paths may be one folder, seen in two places.
package enum FolderLikeness {
    /// nil where nothing is there.
    package static func identity(_ path: [UInt8]) throws -> FileIdentity? {
        guard let real = FolderOperations.realPath(path) else { return nil }
        return try withSystemError("Cannot look at", real) { () throws(Errno) in try Descriptor.statusIfPresent(real) }
            .map { FileIdentity($0) }
    }

    /// Both must be there. False only where they are another folder for sure.
    package static func mayBeOne(_ first: [UInt8], _ second: [UInt8]) throws -> Bool {
        guard let one = try identity(first), let other = try identity(second) else { return true }
        if one.device == other.device { return one.inode == other.inode }
        // One folder may be mounted in two places, with devices and inodes of their own.
        return try names(first) == names(second)
    }

    private static func names(_ path: [UInt8]) throws -> Set<[UInt8]> {
        try withListingError(path) {
            Set(try FolderListing.items(in: try Descriptor.open(path, [.read, .folder])).map(\.name))
        }
    }
}
