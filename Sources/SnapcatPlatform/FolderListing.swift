import CPlatform
import SystemPackage

/// One name of a folder.
package struct FolderItem {
    package var name: [UInt8]
    /// What the folder says of the type; nil where the file system does not tell without a stat.
    package var kind: FileStatus.Kind?
}

/// Reads the names of a folder, `.` and `..` left out, in no order.
package enum FolderListing {
    /// Calls `body` with the bytes of each name, valid for the call only. It must not list the same descriptor.
    package static func forEach(
        in folder: Descriptor, _ body: (UnsafeRawBufferPointer, FileStatus.Kind?) throws -> Void
    ) throws {
        guard let directory = cplatform_directory_open(folder.raw) else { throw Errno(rawValue: cplatform_errno()) }
        defer { cplatform_directory_close(directory) }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 15, alignment: 8)
        defer { buffer.deallocate() }
        while true {
            let filled = cplatform_directory_read(
                directory, buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), buffer.count)
            if filled < 0 { throw Errno(rawValue: cplatform_errno()) }
            if filled == 0 { return }
            var position = 0
            while position < filled {
                let kind = kind(ofType: buffer[position])
                let length = Int(buffer.loadUnaligned(fromByteOffset: position + 1, as: UInt16.self))
                try body(UnsafeRawBufferPointer(rebasing: buffer[position + 3..<position + 3 + length]), kind)
                position += 3 + length
            }
        }
    }

    /// All names, for folders that are known to be small.
    package static func items(in folder: Descriptor) throws -> [FolderItem] {
        var result: [FolderItem] = []
        try forEach(in: folder) { name, kind in result.append(FolderItem(name: Array(name), kind: kind)) }
        return result
    }

    private static func kind(ofType type: UInt8) -> FileStatus.Kind? {
        switch Int32(type) {
        case 0: nil
        case CPLATFORM_TYPE_FILE: .regular
        case CPLATFORM_TYPE_FOLDER: .directory
        case CPLATFORM_TYPE_LINK: .link
        default: .other
        }
    }
}
