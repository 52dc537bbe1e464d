import SnapcatFormat

extension SeededRandom {
    /// Of numbers of every magnitude.
    private mutating func number() -> Int64 {
        let digits = Int64(bitPattern: next()) >> Int64(next() % 64)
        return Int64.random(in: 0...9, using: &self) == 0 ? digits : abs(digits / 8)
    }

    /// A line of a snapshot as snapcat or snapshooter writes it; every other pair of rounds with a few bytes changed,
    /// taken out or put in.
    package mutating func snapshotLine(_ round: Int) -> [UInt8] {
        let isSnapcats = next() % 3 > 0
        let (mtimeNs, ctimeNs) = (number(), number())
        let local = EntryLine.Local(
            md5: MD5Digest(high: next(), low: next()), size: number(), mode: number(), uid: number(), gid: number(),
            inode: number(), linkCount: number(), created: PythonNumber.double(nanoseconds: ctimeNs),
            mtime: PythonNumber.double(nanoseconds: mtimeNs), mtimeNs: isSnapcats ? mtimeNs : nil,
            ctimeNs: isSnapcats ? ctimeNs : nil)
        var line: [UInt8] = []
        let name = round % 2 == 0 ? Array("usr/share/doc/\(round).txt".utf8) : name()
        name.withUnsafeBytes { EntryLine.append(local, name: $0, to: &line) }
        if round % 4 >= 2 {
            for _ in 0...next() % 3 { change(&line) }
        }
        return line
    }

    private mutating func change(_ line: inout [UInt8]) {
        let at = Int.random(in: 0..<line.count, using: &self)
        let byte = Array("0123456789-.eE\"\\{}, a\u{e9}\0".utf8).randomElement(using: &self) ?? 0
        switch next() % 3 {
        case 0: line[at] = byte
        case 1: line.insert(byte, at: at)
        default: line.remove(at: at)
        }
    }
}
