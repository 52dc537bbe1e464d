import SnapcatPlatform
import SystemPackage

/// What ends a restore: no further file could be written either, and thousands of problems would say no more.
struct RestoreStop {
    let root: Descriptor

    func isMeant(by error: Errno) -> Bool {
        // Some folder of the target may be mounted read-only: the others can be written.
        error.meansFull
            || error == .readOnlyFileSystem && FolderOperations.isReadOnly([UInt8(ascii: ".")], in: root.raw)
    }

    func isMeant(by error: SnapcatError) -> Bool {
        error.errorNumber != 0 && isMeant(by: Errno(rawValue: error.errorNumber))
    }
}
