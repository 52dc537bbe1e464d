import SnapcatFormat
import SnapcatHeap
import SnapcatPlatform
import SnapcatStorage
import SystemPackage

/// Writes restored files: beside their place, the md5 checked on the way, then renamed. One per thread.
final class FileRestorer {
    private let heap: Heap
    private let tree: TargetTree
    private let options: RestoreOptions
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
    private let cancellation: CancellationFlag

    init(_ heap: Heap, root: Descriptor, options: RestoreOptions, cancellation: CancellationFlag) {
        self.heap = heap
        tree = TargetTree(root)
        self.options = options
        self.cancellation = cancellation
    }

    deinit { buffer.deallocate() }

    /// Returns the bytes written. Throws `.notFound` or `.damage` for the object, `.failed` for the target; then the
    /// target is as it was.
    @discardableResult
    func write(_ name: [UInt8], _ item: SideItem) throws -> Int64 {
        guard let md5 = item.md5 else {
            throw SnapcatError(.damage, "Cannot restore", TerminalText.lossy(name), reason: "its line has no md5")
        }
        let source = HashingSource(try heap.open(md5))
        let place = try withSystemError("Cannot make the folder of", name) { () throws(Errno) in
            try tree.place(name, creates: true, replaces: options.deletes)
        }
        let temporary = LocalSink.temporaryName()
        let file = try withSystemError("Cannot write", name) { () throws(Errno) in
            try Descriptor.open(temporary, in: place.folder.raw, [.write, .createNew, .noFollow], mode: 0o600)
        }
        do {
            while true {
                try cancellation.check()
                let count = try source.read(into: buffer)
                if count == 0 { break }
                try withSystemError("Cannot write", name) { () throws(Errno) in
                    try file.writeAll(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                }
            }
            guard source.digest == md5 else {
                throw SnapcatError(
                    .damage, "Damaged object", heap.objectName(md5),
                    reason: "its content has the md5 \(source.digest)",
                    advice: "'\(TerminalText.lossy(name))' is not restored")
            }
            try withSystemError("Cannot write", name) { () throws(Errno) in
                try TargetMetadata(item).apply(to: file, setsOwner: options.setsOwner)
                try FolderOperations.rename(
                    temporary, in: place.folder.raw, to: place.name, in: place.folder.raw)
            }
            return source.byteCount
        } catch {
            do throws(Errno) { try FolderOperations.removeFile(temporary, in: place.folder.raw) } catch {
                // Its name tells what it is; the error that counts is the first.
            }
            throw error
        }
    }
}
