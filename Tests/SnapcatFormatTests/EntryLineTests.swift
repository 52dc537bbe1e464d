import SnapcatPlatform
import SnapcatTestSupport
import Testing

@testable import SnapcatFormat

/// Lines byte for byte as Python's `json.dumps(sort_keys=True)` writes the same values.
@Suite struct EntryLineTests {
    private struct Case {
        var entry: EntryLine.Local
        var name: [UInt8]
        /// What Python gets: the name, then the numbers.
        var blob: [UInt8]

        var line: [UInt8] {
            var line: [UInt8] = []
            name.withUnsafeBytes { EntryLine.append(entry, name: $0, to: &line) }
            return line
        }
    }

    private func randomCase(_ random: inout SeededRandom, withNanoseconds: Bool) throws -> Case {
        func integer() -> Int64 { Int64(truncatingIfNeeded: random.next()) >> Int64(random.next() % 63) }
        let numbers = (0..<6).map { _ in integer() }
        let (ctime, mtime) = (integer(), integer())
        let md5 = try #require(MD5Digest(bytes: random.bytes(16)))
        let entry = EntryLine.Local(
            md5: md5, size: numbers[0], mode: numbers[1], uid: numbers[2], gid: numbers[3], inode: numbers[4],
            linkCount: numbers[5], created: PythonNumber.double(nanoseconds: ctime),
            mtime: PythonNumber.double(nanoseconds: mtime), mtimeNs: withNanoseconds ? mtime : nil,
            ctimeNs: withNanoseconds ? ctime : nil)
        let name = random.name()
        let words = (numbers + [ctime, mtime, withNanoseconds ? 1 : 0]).flatMap { value in
            withUnsafeBytes(of: value.littleEndian) { Array($0) }
        }
        return Case(entry: entry, name: name, blob: words + md5.bytes + name)
    }

    @Test func randomEntriesAreSpelledAsPythonSpellsThem() throws {
        var random = SeededRandom()
        let cases = try (0..<2000).map { try randomCase(&random, withNanoseconds: $0 % 2 == 0) }
        let script =
            Python.readBlobs + """
                for blob in blobs:
                    size, mode, uid, gid, ino, nlink, ctime, mtime, ns = struct.unpack_from("<9q", blob)
                    time = lambda t: t // 10**9 + 1e-9 * (t % 10**9)
                    entry = dict(name=os.fsdecode(blob[88:]), size=size, type="file", created=time(ctime),
                        islink=False, mode=mode, uid=uid, gid=gid, mtime=time(mtime), ino=ino, nlink=nlink,
                        md5=blob[72:88].hex())
                    if ns: entry.update(mtime_ns=mtime, ctime_ns=ctime)
                    print(json.dumps(entry, sort_keys=True))
                """
        let expected = try Python.lines(script, input: Python.blobs(cases.map(\.blob)))
        try #require(expected.count == cases.count)
        // DEL has a test of its own (PythonStringTests).
        for (item, line) in zip(cases, expected) {
            let own = item.line
            #expect(own == line, "\(String(decoding: own, as: UTF8.self)), \(random.label)")
        }
    }

    @Test func aWrittenLineReadsBackAsItsValues() throws {
        var random = SeededRandom()
        for index in 0..<500 {
            let item = try randomCase(&random, withNanoseconds: index % 2 == 0)
            let entry = try Entry(line: item.line)
            #expect(entry.name.bytes == item.name, "\(random.label)")
            #expect(entry.md5 == item.entry.md5, "\(random.label)")
            #expect(entry.mtime == item.entry.mtime, "\(random.label)")
            #expect(entry.mtimeNanoseconds == item.entry.mtimeNs, "\(random.label)")
            #expect(entry.ctimeNanoseconds == item.entry.ctimeNs, "\(random.label)")
            #expect(
                [entry.size, entry.mode, entry.uid, entry.gid, entry.inode, entry.linkCount]
                    == [
                        item.entry.size, item.entry.mode, item.entry.uid, item.entry.gid, item.entry.inode,
                        item.entry.linkCount,
                    ], "\(random.label)")
        }
    }

    /// The values of a real file, with times before 1970 among them, as Python's `os.lstat` tells them.
    @Test(
        arguments: [0, 1, -1, 1_600_000_000_123_456_789, 978_307_200_000_000_000, -5_000_000_000_000_000_001]
            as [Int64])
    func theLineOfAFileHasThePythonValues(_ mtime: Int64) throws {
        let folder = try TempFolder()
        try folder.write("file é", Array("content".utf8))
        let path = folder.path("file é")
        try FolderOperations.setModificationTime(mtime, ofName: path, in: Descriptor.currentFolder)
        let status = try Descriptor.status(path)
        var line: [UInt8] = []
        Array("file é".utf8).withUnsafeBytes {
            EntryLine.append(EntryLine.Local(status, md5: .empty, size: status.size), name: $0, to: &line)
        }
        let script =
            Python.readBlobs + """
                s = os.lstat(blobs[0])
                print(json.dumps(dict(name=os.path.basename(os.fsdecode(blobs[0])), type="file", size=s.st_size,
                    created=s.st_ctime, islink=False, mode=s.st_mode, uid=s.st_uid, gid=s.st_gid,
                    mtime=s.st_mtime, ino=s.st_ino, nlink=s.st_nlink, md5=hashlib.md5(b"").hexdigest(),
                    mtime_ns=s.st_mtime_ns, ctime_ns=s.st_ctime_ns), sort_keys=True))
                """
        #expect(try Python.lines(script, input: Python.blobs([path])) == [line])
    }
}
