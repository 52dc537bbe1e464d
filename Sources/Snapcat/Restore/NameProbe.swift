import SnapcatPlatform
import SnapcatStorage
import SystemPackage

/// Asks a file system which names it takes for one.
package enum NameProbe {
    /// The pairs that are one file in `folder`, which exists. Leaves nothing behind.
    ///
    /// Each pair is tried as it is: file systems fold by tables of their own. Where neither case nor normalisation
    /// is folded at all, which is usual, nothing more is tried.
    @Sendable package static func pairsOfOneFile(
        _ pairs: [NameTwins.Pair], in folder: [UInt8]
    ) throws -> [NameTwins.Pair] {
        try withSystemErrors("Cannot try how names are kept in", folder) {
            let place = try Descriptor.open(folder, [.read, .folder])
            // A folder of its own: it takes over how the one above folds, and no name of the user's is met.
            let name = LocalSink.temporaryName()
            let time = try place.status().mtimeNanoseconds
            try FolderOperations.makeFolder(name, in: place.raw, mode: 0o700)
            defer {
                // Else the safety snapshot would have a time that nobody but this has made. Who does not own the folder
                // may not: that is no reason to refuse the restore.
                do throws(Errno) { try FolderOperations.setModificationTime(time, of: place) } catch {}
            }
            do {
                let found = try folded(pairs, in: try Descriptor.open(name, in: place.raw, [.read, .folder, .noFollow]))
                try FolderOperations.removeFolder(name, in: place.raw)
                return found
            } catch {
                do throws(Errno) { try FolderOperations.removeFolder(name, in: place.raw) } catch {
                    // The error that counts is the first.
                }
                throw error
            }
        }
    }

    private static func folded(_ pairs: [NameTwins.Pair], in folder: Descriptor) throws(Errno) -> [NameTwins.Pair] {
        let composed = Array("\u{e9}".utf8)
        let decomposed = Array("e\u{301}".utf8)
        let foldsCase = try areOne(Array("probe".utf8), Array("PROBE".utf8), in: folder)
        let foldsForm = try areOne(composed, decomposed, in: folder)
        guard foldsCase || foldsForm else { return [] }
        var result: [NameTwins.Pair] = []
        for pair in pairs where try areOne(pair.left, pair.right, in: folder) { result.append(pair) }
        return result
    }

    private static func areOne(_ left: [UInt8], _ right: [UInt8], in folder: Descriptor) throws(Errno) -> Bool {
        do throws(Errno) {
            _ = try Descriptor.open(left, in: folder.raw, [.write, .createNew, .noFollow], mode: 0o600)
        } catch {
            // A name that this file system does not take at all: writing it will tell.
            if [.invalidArgument, .illegalByteSequence, .fileNameTooLong].contains(error) { return false }
            throw error
        }
        let found = try Descriptor.statusIfPresent(right, in: folder.raw)
        try FolderOperations.removeFile(left, in: folder.raw)
        return found != nil
    }
}
