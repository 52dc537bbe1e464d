import SnapcatFormat
import SnapcatPlatform
import SnapcatStorage
import SystemPackage

/// The store of objects: gzip files named by the md5 of their content.
///
/// What a heap holds is what its storage says now: nothing here is remembered from one run to the next.
package final class Heap: Sendable {
    package let storage: BlockingStorage
    package let level: GzipLevel

    package init(storage: BlockingStorage, level: GzipLevel = .standard) {
        self.storage = storage
        self.level = level
    }

    /// True where the object is there now. It says nothing of its content.
    package func contains(_ md5: MD5Digest) throws -> Bool {
        try storage.status(of: HeapLayout.key(md5)) != nil
    }

    /// The object's content, inflated. `.notFound` where it is missing, `.damage` on reading what is no good gzip.
    package func open(_ md5: MD5Digest) throws -> any ByteSource {
        try GzipReader(source(md5), name: objectName(md5))
    }

    /// The object's bytes as they are stored. `.notFound` where it is missing, `.damage` where something else has its name.
    func source(_ md5: MD5Digest) throws -> any ByteSource {
        let key = HeapLayout.key(md5)
        do { return try storage.source(key) } catch let error as SnapcatError {
            if error.code == .notAFile {
                throw SnapcatError(.damage, "Damaged object", objectName(md5), reason: error.reason)
            }
            guard error.code == .notFound else { throw error }
            // Its name is there: whoever lists the heap takes it for an object. One that came meanwhile is none such.
            if try storage.isOccupied(key), try storage.status(of: key) == nil {
                throw SnapcatError(.damage, "Damaged object", objectName(md5), reason: "it is a link to nothing")
            }
            throw SnapcatError(
                .notFound, "The heap has no object", md5.description,
                advice: "run 'snapcat check' to see what else is missing")
        }
    }

    /// How messages call an object.
    package func objectName(_ md5: MD5Digest) -> String { "\(storage.place)/\(HeapLayout.key(md5))" }

    /// Reads the object and compares its md5. nil where it is as it must be, else what is wrong.
    package func problem(of md5: MD5Digest) throws -> SnapcatError? {
        do {
            let source = HashingSource(try open(md5))
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
            defer { buffer.deallocate() }
            while try source.read(into: buffer) > 0 {}
            guard source.digest == md5 else {
                return SnapcatError(
                    .damage, "Damaged object", objectName(md5), reason: "its content has the md5 \(source.digest)")
            }
            return nil
        } catch let error as SnapcatError where error.code == .damage || error.code == .notFound {
            return error
        }
    }

    /// The buckets of a local heap and what the file system stamps them with; nil for other heaps.
    package func bucketStatuses() throws -> [FileStatus?]? {
        guard let local = storage.base.local else { return nil }
        let root: Descriptor
        do throws(Errno) { root = try Descriptor.open(local.root, [.read, .folder]) } catch {
            if error == .noSuchFileOrDirectory { return Array(repeating: nil, count: 256) }
            throw SnapcatError.system("Cannot open the heap", local.root, error)
        }
        return try (0..<256).map { bucket in
            let name = HeapLayout.bucketName(bucket)
            return try withSystemError("Cannot look at the heap's bucket", name) { () throws(Errno) in
                // Of the folder itself: a bucket may be a symlink, whose own stamps tell nothing of what is in it.
                try Descriptor.statusIfPresent(name, in: root.raw, following: true)
            }
        }
    }

    /// The objects of one bucket, in no order.
    package func objects(inBucket bucket: Int) throws -> [MD5Digest] {
        var result: [MD5Digest] = []
        try forEachObject(inBucket: bucket) { md5, _ in result.append(md5) }
        return result
    }

    /// The same, with what the storage says of each; of what is no regular file, leads nowhere, or the disk tells nothing
    /// of, nothing but a size of 0: its name is there, and reading it tells the damage. Cost: where the heap is local, a
    /// system call for each.
    package func objectStatuses(inBucket bucket: Int) throws -> [(md5: MD5Digest, status: StorageStatus)] {
        var result: [(md5: MD5Digest, status: StorageStatus)] = []
        try forEachObject(inBucket: bucket) { md5, status in result.append((md5, try status() ?? StorageStatus(size: 0))) }
        return result
    }

    /// `status`: nil where it is gone meanwhile, is no regular file, or the disk cannot tell.
    private func forEachObject(
        inBucket bucket: Int, _ body: (MD5Digest, _ status: () throws -> StorageStatus?) throws -> Void
    ) throws {
        let name = HeapLayout.bucketName(bucket)
        guard let local = storage.base.local else {
            for item in try storage.items(prefix: StorageKey(name + [UInt8(ascii: "/")])) {
                let md5 = item.key.bytes.dropFirst(3).withUnsafeBytes { HeapLayout.object(fileName: $0, bucket: bucket) }
                if let md5 { try body(md5) { item.status } }
            }
            return
        }
        let path = local.root + [UInt8(ascii: "/")] + name
        let folder: Descriptor
        do throws(Errno) { folder = try Descriptor.open(path, [.read, .folder]) } catch {
            if error == .noSuchFileOrDirectory { return }
            throw SnapcatError.system("Cannot list the heap's bucket", path, error)
        }
        try withListingError(path) {
            try FolderListing.forEach(in: folder) { name, _ in
                guard let md5 = HeapLayout.object(fileName: name, bucket: bucket) else { return }
                try body(md5) {
                    let status: FileStatus?
                    do throws(Errno) {
                        status = try Descriptor.statusIfPresent(Array(name), in: folder.raw, following: true)
                    } catch {
                        // A link in a circle leads nowhere, as a link to nothing does.
                        guard error == .tooManySymbolicLinkLevels || error.meansUnreadable else { throw error }
                        status = nil
                    }
                    return status.flatMap { $0.kind == .regular ? StorageStatus($0) : nil }
                }
            }
        }
    }
}
