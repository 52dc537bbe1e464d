import SnapcatFormat
import SnapcatHeap
import SnapcatPlatform
import SystemPackage

/// Reads one pending file, stores its content and spells its line (RELIABILITY.md 2). One per worker thread.
final class FileReader {
    private let writer: ObjectWriter
    private let cancellation: CancellationFlag
    private static let mostTries = 3

    init(_ session: HeapSession?, options: MakeOptions, cancellation: CancellationFlag) throws {
        writer = try ObjectWriter(session, level: options.compression)
        self.cancellation = cancellation
    }

    func read(_ file: PendingFile) throws -> FileResult {
        do {
            return try readStable(file)
        } catch let error as Errno {
            switch error {
            case .noSuchFileOrDirectory, .tooManySymbolicLinkLevels: return .vanished
            default: return .unreadable(.system("Cannot read", file.name, error))
            }
        }
    }

    /// What is stored is what was read: the file's facts before and after must agree, or it is read again.
    private func readStable(_ file: PendingFile) throws -> FileResult {
        // A pipe in the file's place must not block.
        let descriptor = try Descriptor.open(
            file.baseName, in: file.folder.raw, [.read, .noFollow, .nonBlocking])
        var before = try descriptor.status()
        guard before.kind == .regular else { return .vanished }
        var attempt = 1
        while true {
            try cancellation.check()
            if attempt > 1 { try descriptor.rewind() }
            let stored = try writer.add(descriptor, expectedSize: before.size, cancellation: cancellation)
            let after = try descriptor.status()
            let isStable = after.size == before.size && after.mtimeNanoseconds == before.mtimeNanoseconds
                && after.ctimeNanoseconds == before.ctimeNanoseconds && stored.size == after.size
            if isStable || attempt == Self.mostTries {
                var line: [UInt8] = []
                line.reserveCapacity(320 + file.name.count)
                file.name.withUnsafeBytes {
                    EntryLine.append(EntryLine.Local(after, md5: stored.md5, size: stored.size), name: $0, to: &line)
                }
                return .entry(line: line, size: stored.size, stored: stored, isUnstable: !isStable)
            }
            before = after
            attempt += 1
        }
    }
}
