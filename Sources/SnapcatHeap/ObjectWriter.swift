import SnapcatFormat
import SnapcatPlatform
import SnapcatStorage
import SystemPackage

/// What adding a content came to.
package struct StoredContent: Sendable, Equatable {
    package var md5: MD5Digest
    /// Of the content.
    package var size: Int64
    /// Of the object; 0 where it was there already, or nothing was to be stored.
    package var storedBytes: Int64
    package var isNew: Bool
}

/// Stores contents that a local heap lacks. One per thread: its buffers are reused.
///
/// md5 first, then a look into the heap, then gzip of what is new: a small file is one read and one write.
package final class ObjectWriter {
    private let session: HeapSession?
    private let compressor: GzipCompressor
    private let level: GzipLevel
    private let comparesContents: Bool
    /// For what is streamed.
    private let buffer: UnsafeMutableRawBufferPointer
    private var temporaryCounter = 0
    private let temporaryBase: [UInt8]

    /// Without a session it only hashes. `comparesContents`: what the heap has already is read and compared, byte for
    /// byte, with the content of that md5.
    package init(_ session: HeapSession?, level: GzipLevel, comparesContents: Bool = false) throws {
        self.session = session
        self.level = level
        self.comparesContents = comparesContents
        compressor = try GzipCompressor(level: level)
        buffer = .allocate(byteCount: 1 << 20, alignment: 64)
        temporaryBase = Array(LocalSink.temporaryName().dropFirst(LocalSink.temporaryPrefix.count))
    }

    deinit { buffer.deallocate() }

    /// Stores a content that is in memory where the heap lacks it. `md5` is its own.
    package func add(_ content: UnsafeRawBufferPointer, md5: MD5Digest) throws -> StoredContent {
        let size = Int64(content.count)
        let wanted = Wanted(md5: md5, size: size, checksum: { Gzip.checksum(content) }, bytes: { ArraySource(Array(content)) })
        guard let session, try !holds(wanted) else {
            return StoredContent(md5: md5, size: size, storedBytes: 0, isNew: false)
        }
        try session.markUnfinished()
        let compressed = try compressor.compress(content)
        let isNew = try writeObject(wanted, session) { file in
            try withSystemError("Cannot write to the heap", md5.hexBytes) { () throws(Errno) in try file.writeAll(compressed) }
        }
        return StoredContent(md5: md5, size: size, storedBytes: isNew ? Int64(compressed.count) : 0, isNew: isNew)
    }

    /// Reads `file` from where it stands to its end, stores the content where the heap lacks it, and returns what was read.
    package func add(streaming file: Descriptor, cancellation: CancellationFlag) throws -> StoredContent {
        guard let session else {
            let md5 = try hash(file, cancellation: cancellation)
            return StoredContent(md5: md5.digest, size: md5.size, storedBytes: 0, isNew: false)
        }
        try session.markUnfinished()
        let name = nextTemporaryName()
        let temporary = try createTemporary(name, in: session)
        do {
            let sink = DescriptorSink(temporary)
            let gzip = try GzipWriter(level: level, into: sink)
            var hasher = MD5Hasher()
            while true {
                try cancellation.check()
                let count = try file.read(into: buffer)
                if count == 0 { break }
                let chunk = UnsafeRawBufferPointer(rebasing: buffer[..<count])
                hasher.update(chunk)
                try gzip.write(chunk)
            }
            try gzip.finish()
            let md5 = hasher.finish()
            let wanted = Wanted(
                md5: md5, size: hasher.byteCount,
                checksum: {
                    try ContentInHand.errors {
                        try withSystemErrors("Cannot read", Array(ContentInHand.name.utf8)) { try Self.trailer(temporary)?.checksum }
                    }
                },
                bytes: {
                    let name = ContentInHand.name
                    return ContentInHand(try GzipReader(DescriptorSource(temporary, size: sink.byteCount, name: name), name: name))
                })
            let isNew = try !holds(wanted) && place(name, wanted, session)
            if !isNew { removeTemporary(name, session) }
            return StoredContent(
                md5: md5, size: hasher.byteCount, storedBytes: isNew ? sink.byteCount : 0, isNew: isNew)
        } catch {
            removeTemporary(name, session)
            throw error
        }
    }

    private func hash(_ file: Descriptor, cancellation: CancellationFlag) throws -> (digest: MD5Digest, size: Int64) {
        var hasher = MD5Hasher()
        while true {
            try cancellation.check()
            let count = try file.read(into: buffer)
            if count == 0 { return (hasher.finish(), hasher.byteCount) }
            hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
    }

    // MARK: What the heap holds

    /// A content in hand.
    private struct Wanted {
        var md5: MD5Digest
        var size: Int64
        /// The CRC-32, nil where it is not known.
        var checksum: () throws -> UInt32?
        var bytes: () throws -> any ByteSource
    }

    /// True where the heap has a good object of this content, which the run then relies on.
    ///
    /// One that the disk cannot read gives way to the content in hand, as one that is missing; `tells`: with a word.
    private func holds(_ wanted: Wanted, tells: Bool = false) throws -> Bool {
        guard let session else { return false }
        do { guard try hasObject(wanted, session) else { return false } } catch var error as SnapcatError where error.meansUnreadable {
            error.advice = "it is stored anew"
            if tells { session.report(error) }
            return false
        }
        session.relyOnOthers()
        return true
    }

    /// The gzip trailer (CRC-32 and length) is compared on each hit. Where it differs the object is read: damage is moved
    /// out of the way, so that the content in hand takes its place; a sound object of another content is a collision.
    private func hasObject(_ wanted: Wanted, _ session: HeapSession) throws -> Bool {
        let (md5, size) = (wanted.md5, wanted.size)
        let path = HeapLayout.path(md5)
        guard let object = try openObject(path, session) else {
            // Another look: what comes from the trash must hold this very content too.
            return try session.takeFromTrash(md5) && hasObject(wanted, session)
        }
        let trailer = try withSystemErrors("Cannot look into the heap", path) { try Self.trailer(object) }
        let checksum = try wanted.checksum()
        if comparesContents {
            if try isSame(wanted, session) { return true }
        } else if let trailer, trailer.length == UInt32(truncatingIfNeeded: size), trailer.checksum == checksum ?? trailer.checksum {
            return true
        }
        let judged = try session.fileStatus(of: md5)
        if let problem = try session.heap.problem(of: md5) {
            if problem.code == .damage { try session.quarantine(md5, problem, judged: judged) }
            return false
        }
        // The trailer of an object of several members tells of the last one only.
        let held = try contents(of: md5, session)
        if !comparesContents && held.size == size && held.checksum == checksum ?? held.checksum { return true }
        throw SnapcatError(
            .collision, "Two contents have the md5", md5.description,
            reason: held.size == size
                ? "the object in the heap has other bytes" : "one has \(size) bytes, the object in the heap \(held.size)",
            advice: "md5 is no defence against made-up files: exclude one of them")
    }

    /// Whether the object holds these very bytes. False too where it cannot be read to its end.
    private func isSame(_ wanted: Wanted, _ session: HeapSession) throws -> Bool {
        let new = try wanted.bytes()
        do {
            let old = try session.heap.open(wanted.md5)
            return try ContentComparison.isSame(old, new)
        } catch let error as SnapcatError where error.code == .damage || error.code == .notFound {
            return false
        }
    }

    private func contents(of md5: MD5Digest, _ session: HeapSession) throws -> (size: Int64, checksum: UInt32) {
        let source = try session.heap.open(md5)
        let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
        defer { scratch.deallocate() }
        var (size, checksum): (Int64, UInt32) = (0, 0)
        while true {
            let count = try source.read(into: scratch)
            if count == 0 { return (size, checksum) }
            checksum = Gzip.checksum(UnsafeRawBufferPointer(rebasing: scratch[..<count]), after: checksum)
            size += Int64(count)
        }
    }

    private func openObject(_ path: [UInt8], _ session: HeapSession) throws -> Descriptor? {
        do throws(Errno) { return try Descriptor.open(path, in: session.root.raw, [.read, .nonBlocking]) } catch {
            // A link that leads nowhere gives way to what is stored.
            if error == .noSuchFileOrDirectory || error == .tooManySymbolicLinkLevels { return nil }
            throw SnapcatError.system("Cannot look into the heap", path, error)
        }
    }

    /// The end of a gzip: CRC-32 and length of its content.
    private static func trailer(_ object: Descriptor) throws -> (checksum: UInt32, length: UInt32)? {
        let status = try object.status()
        guard status.kind == .regular, status.size >= 18 else { return nil }
        var bytes: UInt64 = 0
        let count = try withUnsafeMutableBytes(of: &bytes) { try object.read(into: $0, at: status.size - 8) }
        let value = UInt64(littleEndian: bytes)
        return count == 8 ? (UInt32(truncatingIfNeeded: value), UInt32(truncatingIfNeeded: value >> 32)) : nil
    }

    // MARK: Files

    /// False where another has stored it meanwhile.
    private func writeObject(_ wanted: Wanted, _ session: HeapSession, _ write: (Descriptor) throws -> Void) throws -> Bool {
        let name = nextTemporaryName()
        let file = try createTemporary(name, in: session)
        do {
            try write(file)
            let isNew = try place(name, wanted, session)
            if !isNew { removeTemporary(name, session) }
            return isNew
        } catch {
            removeTemporary(name, session)
            throw error
        }
    }

    private func createTemporary(_ name: [UInt8], in session: HeapSession) throws(SnapcatError) -> Descriptor {
        try withSystemError("Cannot write to the heap", name) { () throws(Errno) in
            try Descriptor.open(
                name, in: session.temporary.raw, [.readWrite, .createNew], mode: session.access & 0o666)
        }
    }

    private func nextTemporaryName() -> [UInt8] {
        temporaryCounter += 1
        return temporaryBase + Array("-\(temporaryCounter).gz".utf8)
    }

    /// Renames a finished temporary file to its place, unless a good object of this very content has come there since it
    /// was looked for: then false. Another content of the same md5 is a collision also where both come at one moment.
    private func place(_ name: [UInt8], _ wanted: Wanted, _ session: HeapSession) throws -> Bool {
        if try rename(name, wanted.md5, session, replaces: false) { return true }
        if try holds(wanted, tells: true) { return false }
        // What is there is no object (a link that leads nowhere), or none that can be read.
        return try rename(name, wanted.md5, session, replaces: true)
    }

    /// False where the place is taken.
    private func rename(_ name: [UInt8], _ md5: MD5Digest, _ session: HeapSession, replaces: Bool) throws(SnapcatError) -> Bool {
        let path = HeapLayout.path(md5)
        func rename(replaces: Bool) throws(Errno) {
            let (from, to) = (session.temporary.raw, session.root.raw)
            if replaces { return try FolderOperations.rename(name, in: from, to: path, in: to) }
            do throws(Errno) { try FolderOperations.renameExclusively(name, in: from, to: path, in: to) } catch {
                // A file system that has neither such a rename nor hard links.
                guard [.notPermitted, .notSupported, .noFunction].contains(error) else { throw error }
                try FolderOperations.rename(name, in: from, to: path, in: to)
            }
        }
        return try withSystemError("Cannot write to the heap", path) { () throws(Errno) in
            for makesBucket in [true, false] {
                do throws(Errno) {
                    try rename(replaces: replaces)
                    break
                } catch {
                    if error == .fileExists && !replaces { return false }
                    guard makesBucket && error == .noSuchFileOrDirectory else { throw error }
                }
                do throws(Errno) {
                    try FolderOperations.makeFolder(Array(path[..<2]), in: session.root.raw, mode: session.access)
                } catch {
                    if error != .fileExists { throw error }
                }
            }
            return true
        }
    }

    private func removeTemporary(_ name: [UInt8], _ session: HeapSession) {
        do throws(Errno) { try FolderOperations.removeFile(name, in: session.temporary.raw) } catch {
            // Nothing depends on it: `temp` is swept by later runs.
        }
    }
}

/// A content that was just written and is read again. Its errors lose their number: they say nothing of the object that
/// it is compared with, which must not give way to it then.
private final class ContentInHand: ByteSource {
    static let name = "what was just written"
    private let source: any ByteSource

    init(_ source: any ByteSource) { self.source = source }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        try Self.errors { try source.read(into: buffer) }
    }

    static func errors<R>(_ body: () throws -> R) throws -> R {
        do { return try body() } catch var error as SnapcatError {
            error.errorNumber = 0
            throw error
        }
    }
}

/// Writes to an open file.
package final class DescriptorSink: ByteSink {
    private let file: Descriptor
    package private(set) var byteCount: Int64 = 0

    package init(_ file: Descriptor) { self.file = file }

    package func write(_ bytes: UnsafeRawBufferPointer) throws {
        try withSystemError("Cannot write", [UInt8]()) { () throws(Errno) in try file.writeAll(bytes) }
        byteCount += Int64(bytes.count)
    }
}
