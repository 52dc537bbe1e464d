import SnapcatPlatform

/// Writes snapshot lines as Python's `json.dumps(sort_keys=True)` spells them (FORMAT.md).
package enum EntryLine {
    /// The values of a local file's line. With `mtimeNs` nil it is snapshooter's line, without the `_ns` keys.
    package struct Local {
        package var md5: MD5Digest
        package var size: Int64
        package var mode: Int64
        package var uid: Int64
        package var gid: Int64
        package var inode: Int64
        package var linkCount: Int64
        package var created: Double
        package var mtime: Double
        package var mtimeNs: Int64?
        package var ctimeNs: Int64?

        package init(
            md5: MD5Digest, size: Int64, mode: Int64, uid: Int64, gid: Int64, inode: Int64, linkCount: Int64,
            created: Double, mtime: Double, mtimeNs: Int64?, ctimeNs: Int64?
        ) {
            self.md5 = md5
            self.size = size
            self.mode = mode
            self.uid = uid
            self.gid = gid
            self.inode = inode
            self.linkCount = linkCount
            self.created = created
            self.mtime = mtime
            self.mtimeNs = mtimeNs
            self.ctimeNs = ctimeNs
        }

        /// The line of a file with this status. `size` is what was read, which counts where a file changed meanwhile.
        package init(_ status: FileStatus, md5: MD5Digest, size: Int64) {
            self.init(
                md5: md5, size: size, mode: Int64(status.mode), uid: Int64(status.uid), gid: Int64(status.gid),
                inode: Int64(truncatingIfNeeded: status.inode),
                linkCount: Int64(truncatingIfNeeded: status.linkCount),
                created: PythonNumber.double(nanoseconds: status.ctimeNanoseconds),
                mtime: PythonNumber.double(nanoseconds: status.mtimeNanoseconds),
                mtimeNs: status.mtimeNanoseconds, ctimeNs: status.ctimeNanoseconds)
        }
    }

    package static func append(_ entry: Local, name: UnsafeRawBufferPointer, to line: inout [UInt8]) {
        line.append(contentsOf: #"{"created": "#.utf8)
        PythonNumber.appendRepr(entry.created, to: &line)
        if let ctimeNs = entry.ctimeNs { appendInteger(#", "ctime_ns": "#, ctimeNs, to: &line) }
        appendInteger(#", "gid": "#, entry.gid, to: &line)
        appendInteger(#", "ino": "#, entry.inode, to: &line)
        line.append(contentsOf: #", "islink": false, "md5": ""#.utf8)
        entry.md5.appendHex(to: &line)
        appendInteger(#"", "mode": "#, entry.mode, to: &line)
        line.append(contentsOf: #", "mtime": "#.utf8)
        PythonNumber.appendRepr(entry.mtime, to: &line)
        if let mtimeNs = entry.mtimeNs { appendInteger(#", "mtime_ns": "#, mtimeNs, to: &line) }
        line.append(contentsOf: #", "name": "#.utf8)
        PythonString.appendQuoted(name, to: &line)
        appendInteger(#", "nlink": "#, entry.linkCount, to: &line)
        appendInteger(#", "size": "#, entry.size, to: &line)
        line.append(contentsOf: #", "type": "file", "uid": "#.utf8)
        PythonNumber.appendInteger(entry.uid, to: &line)
        line.append(UInt8(ascii: "}"))
    }

    @inline(__always)
    private static func appendInteger(_ key: StaticString, _ value: Int64, to line: inout [UInt8]) {
        line.append(contentsOf: UnsafeRawBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount))
        PythonNumber.appendInteger(value, to: &line)
    }
}
