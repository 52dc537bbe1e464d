import SnapcatFormat

/// Snapshot lines as snapcat writes them, always the same.
enum Lines {
    static let count = 10_000

    static func local(_ number: Int, version: Int64 = 0) -> EntryLine.Local {
        let time = 1_700_000_000_000_000_000 + Int64(number) * 1_234_567_891 + version
        return EntryLine.Local(
            md5: MD5Digest(high: UInt64(number + 1) &* 0x9e37_79b9_7f4a_7c15, low: UInt64(truncatingIfNeeded: version)),
            size: Int64(number * 37 % 100_000), mode: 33188, uid: 1000, gid: 1000, inode: Int64(number + 1_000_000),
            linkCount: 1, created: PythonNumber.double(nanoseconds: time), mtime: PythonNumber.double(nanoseconds: time),
            mtimeNs: time, ctimeNs: time)
    }

    static func name(_ number: Int) -> [UInt8] {
        let folder = String(1_000 + number / 100)
        return Array("folder-\(folder)/sub/file-\(String(100_000 + number)).txt".utf8)
    }

    static func line(_ number: Int, version: Int64 = 0) -> [UInt8] {
        var line: [UInt8] = []
        name(number).withUnsafeBytes { EntryLine.append(local(number, version: version), name: $0, to: &line) }
        return line
    }

    /// The lines of a snapshot, in order; every `step`-th is another version than in step 0.
    static func snapshot(changing step: Int = 0) -> [UInt8] {
        Array((0..<count).map { line($0, version: step > 0 && $0 % step == 0 ? 7 : 0) }.joined(separator: [0x0a]))
    }
}
