import SnapcatFormat
import SnapcatHeap
import SnapcatPlatform
import SnapcatStorage
import SystemPackage

/// Writes restored files: beside their place, the md5 checked before they get their name. One per thread.
final class FileRestorer {
    /// A file to be written.
    struct Work: Sendable {
        var name: [UInt8]
        var item: SideItem
        /// What it may replace.
        var occupant: Occupant
    }

    private let heap: Heap
    private let reader: ObjectReader
    private let tree: TargetTree
    private let user: RestoreUser
    private let replaces: Bool
    private let cancellation: CancellationFlag
    private var temporaryNumber = UInt64.random(in: .min ... .max)

    /// `replaces`: what stands in a folder's place gives way.
    init(
        _ heap: Heap, root: Descriptor, widening widened: WidenedFolders, replaces: Bool = false, options: RestoreOptions,
        cancellation: CancellationFlag
    ) {
        self.heap = heap
        reader = ObjectReader(heap)
        tree = TargetTree(root, widening: widened)
        user = RestoreUser(options)
        self.replaces = replaces
        self.cancellation = cancellation
    }

    /// Writes these files, in no order, and tells of each the bytes written, or why it is as it was: `.notFound` or
    /// `.damage` for the object, `.failed` for the target. What `tell` throws ends it.
    func write(_ works: [Work], _ tell: (Work, Result<Int64, any Error>) throws -> Void) throws {
        var objects: [MD5Digest] = []
        var known: [Work] = []
        for work in works {
            guard let md5 = work.item.md5 else {
                try tell(work, .failure(SnapcatError(
                    .damage, "Cannot restore", TerminalText.lossy(work.name), reason: "its line has no md5")))
                continue
            }
            objects.append(md5)
            known.append(work)
        }
        try reader.read(objects) { index, content in
            let work = known[index]
            try tell(work, Result {
                try cancellation.check()
                return try place(work, try content.get())
            })
        }
    }

    /// The same for one file.
    @discardableResult
    func write(_ name: [UInt8], _ item: SideItem, over occupant: Occupant = .anything) throws -> Int64 {
        var bytes: Int64 = 0
        try write([Work(name: name, item: item, occupant: occupant)]) { bytes = try $1.get() }
        return bytes
    }

    private func place(_ work: Work, _ content: ObjectReader.Content) throws -> Int64 {
        let name = work.name
        let place: TargetTree.Place
        do throws(Errno) { place = try tree.place(name, creates: true, replaces: replaces) } catch {
            var error = SnapcatError.system("Cannot make the folder of", name, error)
            // What the target lacks is no object that the heap lacks.
            if error.code == .notFound { error.code = .failed }
            throw error
        }
        let metadata = TargetMetadata(work.item)
        temporaryNumber &+= 1
        let temporary = LocalSink.temporaryName(temporaryNumber)
        let file = try withSystemError("Cannot write", name) { () throws(Errno) in
            try Descriptor.open(
                temporary, in: place.folder.raw, [.write, .createNew, .noFollow], mode: metadata.firstMode(by: user))
        }
        do {
            let bytes = try fill(file, name, content)
            try withSystemError("Cannot write", name) { () throws(Errno) in
                try metadata.apply(to: file, by: user)
            }
            do { try place.publish(temporary, as: name, over: work.occupant) } catch let error as Errno {
                throw SnapcatError.system("Cannot write", name, error)
            }
            return bytes
        } catch {
            do throws(Errno) { try FolderOperations.removeFile(temporary, in: place.folder.raw) } catch {
                // Its name tells what it is; the error that counts is the first.
            }
            throw error
        }
    }

    private func fill(_ file: Descriptor, _ name: [UInt8], _ content: ObjectReader.Content) throws -> Int64 {
        func write(_ part: UnsafeRawBufferPointer) throws {
            try withSystemError("Cannot write", name) { () throws(Errno) in try file.writeAll(part) }
        }
        switch content {
        case .whole(let bytes):
            try write(bytes)
            return Int64(bytes.count)
        case .large:
            return try reader.stream { part in
                try cancellation.check()
                try write(part)
            }
        }
    }
}

extension SnapcatError {
    /// The same, telling which file is not restored for it, unless it is about the file itself.
    func costing(_ name: [UInt8]) -> SnapcatError {
        let name = TerminalText.lossy(name)
        if subject == name { return self }
        var named = self
        named.advice = "'\(name)' is not restored" + (advice.isEmpty ? "" : "; \(advice)")
        return named
    }
}
