import SnapcatFormat
import SnapcatHeap
import SnapcatPlatform
import SystemPackage

/// Reads pending files, stores their contents and spells their lines (RELIABILITY.md 2). One per worker thread.
///
/// Small files are held together until their md5s are taken side by side; larger ones are streamed.
final class FileReader {
    private let writer: ObjectWriter
    private let contents = ContentBatch()
    private let monitor: Monitor
    private static let mostTries = 3

    /// A file whose content is in `contents`.
    private struct Held {
        /// Of the file among those being read, and of its content in `contents`.
        var index: Int
        var content: Int
        var status: FileStatus
        var isUnstable: Bool
    }
    private var held: [Held] = []

    init(_ session: HeapSession?, options: MakeOptions, monitor: Monitor) throws {
        writer = try ObjectWriter(session, level: options.compression, comparesContents: options.comparesContents)
        self.monitor = monitor
    }

    /// One result per file, in their order. Throws what ends the whole run.
    func read(_ files: [PendingFile]) throws -> [FileResult] {
        contents.removeAll()
        held.removeAll(keepingCapacity: true)
        var results = [FileResult](repeating: .vanished, count: files.count)
        for (index, file) in files.enumerated() {
            try monitor.cancellation.check()
            do {
                try readStable(file, index, files, &results)
            } catch let error as Errno {
                switch error {
                case .noSuchFileOrDirectory, .tooManySymbolicLinkLevels: break
                default: results[index] = .unreadable(.system("Cannot read", file.name, error))
                }
            } catch let error as SnapcatError where error.code == .collision {
                results[index] = .unreadable(error)
            }
        }
        try storeHeld(files, &results)
        return results
    }

    /// What is stored is what was read: the file's facts before and after must agree, or it is read again.
    private func readStable(
        _ file: PendingFile, _ index: Int, _ files: [PendingFile], _ results: inout [FileResult]
    ) throws {
        // A pipe in the file's place must not block.
        let descriptor = try Descriptor.open(
            file.baseName, in: file.folder.raw, [.read, .noFollow, .nonBlocking])
        var before = try descriptor.status()
        guard before.kind == .regular else { return }
        for attempt in 1...Self.mostTries {
            try monitor.cancellation.check()
            if attempt > 1 { try descriptor.rewind() }
            let size: Int64
            var streamed: StoredContent?
            if let inMemory = try hold(descriptor, before.size, files, &results) {
                size = inMemory
            } else {
                let stored = try writer.add(streaming: descriptor, cancellation: monitor.cancellation)
                size = stored.size
                streamed = stored
            }
            let after = try descriptor.status()
            let isStable = after.size == before.size && after.mtimeNanoseconds == before.mtimeNanoseconds
                && after.ctimeNanoseconds == before.ctimeNanoseconds && size == after.size
            if isStable || attempt == Self.mostTries {
                if let streamed {
                    results[index] = entry(file, after, streamed, isUnstable: !isStable)
                } else {
                    held.append(Held(index: index, content: contents.count - 1, status: after, isUnstable: !isStable))
                }
                return
            }
            if streamed == nil { contents.removeLast() }
            before = after
        }
    }

    /// Takes the content into memory. nil where it is too large; the file then stands at its start.
    private func hold(
        _ file: Descriptor, _ size: Int64, _ files: [PendingFile], _ results: inout [FileResult]
    ) throws -> Int64? {
        if let read = try contents.read(file, expectedSize: size) { return read }
        try storeHeld(files, &results)
        try file.rewind()
        if let read = try contents.read(file, expectedSize: size) { return read }
        try file.rewind()
        return nil
    }

    /// Makes room.
    private func storeHeld(_ files: [PendingFile], _ results: inout [FileResult]) throws {
        let md5s = contents.digests()
        for file in held {
            try monitor.cancellation.check()
            do {
                let stored = try writer.add(contents[file.content], md5: md5s[file.content])
                results[file.index] = entry(files[file.index], file.status, stored, isUnstable: file.isUnstable)
            } catch let error as SnapcatError where error.code == .collision {
                results[file.index] = .unreadable(error)
            }
        }
        contents.removeAll()
        held.removeAll(keepingCapacity: true)
    }

    private func entry(
        _ file: PendingFile, _ status: FileStatus, _ stored: StoredContent, isUnstable: Bool
    ) -> FileResult {
        monitor.progress.add(bytes: stored.size)
        var line: [UInt8] = []
        line.reserveCapacity(320 + file.name.count)
        file.name.withUnsafeBytes {
            EntryLine.append(EntryLine.Local(status, md5: stored.md5, size: stored.size), name: $0, to: &line)
        }
        return .entry(line: line, size: stored.size, stored: stored, isUnstable: isUnstable)
    }
}
