import SnapcatPlatform
import Synchronization
import SystemPackage

/// A local file being read.
package final class LocalSource: ByteSource, Sendable {
    private let descriptor: Descriptor
    private let path: [UInt8]
    /// Bytes when it was opened; 0 where that is not known, as of the files of /proc.
    private let size: Int64
    private let bytesRead = Atomic<Int64>(0)

    private init(_ descriptor: Descriptor, path: [UInt8], size: Int64) {
        self.descriptor = descriptor
        self.path = path
        self.size = size
    }

    /// Opens a regular file: a pipe in its place would block, a folder would read as nothing.
    package static func open(_ path: [UInt8]) throws(SnapcatError) -> LocalSource {
        let (descriptor, status): (Descriptor, FileStatus)
        do throws(Errno) {
            descriptor = try Descriptor.open(path, [.read, .nonBlocking])
            status = try descriptor.status()
        } catch {
            var known = SnapcatError.system("Cannot read", path, error)
            // A link in a circle.
            if error == .tooManySymbolicLinkLevels { known.code = .notAFile }
            throw known
        }
        guard status.kind == .regular else {
            throw SnapcatError(.notAFile, "Cannot read", TerminalText.lossy(path), reason: "it is no regular file")
        }
        return LocalSource(descriptor, path: path, size: status.size)
    }

    package func status() throws(SnapcatError) -> FileStatus {
        try withSystemError("Cannot look at", path) { () throws(Errno) in try descriptor.status() }
    }

    package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        // What is published never grows: its end needs no call to be confirmed.
        if size > 0 && bytesRead.load(ordering: .relaxed) >= size { return 0 }
        let count = try withSystemError("Cannot read", path) { () throws(Errno) in try descriptor.read(into: buffer) }
        bytesRead.add(Int64(count), ordering: .relaxed)
        return count
    }

    package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(SnapcatError) -> Int {
        try withSystemError("Cannot read", path) { () throws(Errno) in try descriptor.read(into: buffer, at: offset) }
    }
}

/// A local file being written beside its place: published whole, or gone.
package final class LocalSink: ByteSink {
    private let path: [UInt8]
    private let temporaryPath: [UInt8]
    private let mode: CreateMode
    private let descriptor: Descriptor
    private var isDone = false

    /// Names of temporary files are this and 16 lower-case hex digits: narrow enough that none is a user's own, and
    /// no name of a snapshot or object.
    package static let temporaryPrefix = Array(".snapcat-tmp-".utf8)

    package static func isTemporary(_ name: some Collection<UInt8>) -> Bool {
        name.count == temporaryPrefix.count + 16 && name.starts(with: temporaryPrefix)
            && name.dropFirst(temporaryPrefix.count).allSatisfy {
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
            }
    }

    /// A name that no other process has.
    package static func temporaryName() -> [UInt8] { temporaryName(.random(in: .min ... .max)) }

    /// The name with these digits: who makes many counts on from a random number.
    package static func temporaryName(_ number: UInt64) -> [UInt8] {
        var name = temporaryPrefix
        for shift in stride(from: 60, through: 0, by: -4) {
            let digit = UInt8(truncatingIfNeeded: number >> UInt64(shift)) & 15
            name.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
        return name
    }

    /// Missing folders are made; `root` decides who may read what is made below it.
    package init(path: [UInt8], mode: CreateMode, root: [UInt8]) throws(SnapcatError) {
        self.path = path
        self.mode = mode
        let folder = Self.folder(of: path)
        temporaryPath = folder + [UInt8(ascii: "/")] + Self.temporaryName()
        if mode == .exclusive {
            let existing = try withSystemError("Cannot look at", path) { () throws(Errno) in
                try Descriptor.statusIfPresent(path)
            }
            if existing != nil { throw SnapcatError(.alreadyExists, "File exists", TerminalText.lossy(path)) }
        }
        let access = try withSystemError("Cannot make the folder", folder) { () throws(Errno) in
            let access = try FolderOperations.makePrivateRoot(root)
            try FolderOperations.makeFolders(folder, mode: access)
            return access
        }
        let temporaryPath = temporaryPath
        descriptor = try withSystemError("Cannot write", temporaryPath) { () throws(Errno) in
            try Descriptor.open(temporaryPath, [.write, .createNew], mode: access & 0o666)
        }
    }

    deinit { abandon() }

    private static func folder(of path: [UInt8]) -> [UInt8] {
        guard let slash = path.lastIndex(of: UInt8(ascii: "/")) else { return [UInt8(ascii: ".")] }
        return slash == 0 ? [UInt8(ascii: "/")] : Array(path[..<slash])
    }

    package func write(_ bytes: UnsafeRawBufferPointer) throws {
        try withSystemError("Cannot write", path) { () throws(Errno) in try descriptor.writeAll(bytes) }
    }

    /// Makes the file durable, renames it to its place and makes that durable.
    package func publish() throws(SnapcatError) {
        try withSystemError("Cannot write", path) { () throws(Errno) in
            try descriptor.sync()
            switch mode {
            case .exclusive: try FolderOperations.renameExclusively(temporaryPath, to: path)
            case .replacing: try FolderOperations.rename(temporaryPath, to: path)
            }
        }
        isDone = true
        let folder = Self.folder(of: path)
        try withSystemError("Cannot make durable", folder) { () throws(Errno) in
            try Descriptor.open(folder, [.read, .folder]).sync()
        }
    }

    /// Removes the temporary file. Does nothing after `publish`.
    package func abandon() {
        guard !isDone else { return }
        isDone = true
        do throws(Errno) { try FolderOperations.removeFile(temporaryPath) } catch {
            // Nothing depends on it: names like this are swept by the next run.
        }
    }
}
