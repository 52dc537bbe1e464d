import Foundation
import SnapcatFormat
import SnapcatPlatform
import SnapcatTestSupport
import Synchronization
import Testing

@testable import Snapcat

/// When an md5 is taken over from the snapshot before, and when not (RELIABILITY.md 1).
@Suite struct ChangeDetectionTests {
    private static let md5 = "d41d8cd98f00b204e9800998ecf8427e"
    private var status: FileStatus

    init() throws {
        let folder = try TempFolder()
        try folder.write("file", [1, 2, 3])
        status = try Descriptor.status(folder.path("file"))
    }

    private func line(snapshooters: Bool) -> [UInt8] {
        let times = snapshooters ? "" : #""ctime_ns": \#(status.ctimeNanoseconds), "#
        let exact = snapshooters ? "" : #""mtime_ns": \#(status.mtimeNanoseconds), "#
        return Array(
            """
            {"created": \(PythonNumber.double(nanoseconds: status.ctimeNanoseconds)), \(times)"gid": 0, "ino": \(status.inode), \
            "islink": false, "md5": "\(Self.md5)", "mode": 33188, \
            "mtime": \(PythonNumber.double(nanoseconds: status.mtimeNanoseconds)), \(exact)"name": "file", "nlink": 1, \
            "size": \(status.size), "type": "file", "uid": 0}
            """.utf8)
    }

    private func isReused(
        _ status: FileStatus, options: MakeOptions = MakeOptions(), snapshooters: Bool = false, scanStart: Int64? = nil
    ) throws -> Bool {
        var facts = SnapshotFacts()
        facts.scanStartNanoseconds = scanStart ?? self.status.ctimeNanoseconds + 10_000_000_000
        let detection = ChangeDetection(
            before: SnapshotName(time: SnapshotTime(microseconds: 0)), facts: facts, options: options)
        return try line(snapshooters: snapshooters).withUnsafeBytes { line in
            try detection.reusableMD5(EntryFields(line), line: line, status) != nil
        }
    }

    private func changed(_ change: (inout FileStatus) -> Void) -> FileStatus {
        var other = status
        change(&other)
        return other
    }

    @Test(arguments: [false, true])
    func `Each of size, mtime, ctime and inode alone makes a file be read`(snapshooters: Bool) throws {
        #expect(try isReused(status, snapshooters: snapshooters))
        // A double does not hold nanoseconds: the next one is some hundred further.
        let step: Int64 = snapshooters ? 1000 : 1
        for other in [
            changed { $0.size += 1 }, changed { $0.size -= 1 }, changed { $0.mtimeNanoseconds += step }, changed { $0.mtimeNanoseconds -= step },
            changed { $0.ctimeNanoseconds += step }, changed { $0.ctimeNanoseconds -= step }, changed { $0.inode += 1 },
        ] { #expect(try !isReused(other, snapshooters: snapshooters), "\(other)") }
    }

    @Test func `A relaxation leaves out its own stamp and nothing else`() throws {
        let (ctime, inode) = (changed { $0.ctimeNanoseconds += 1 }, changed { $0.inode += 1 })
        let (size, mtime) = (changed { $0.size += 1 }, changed { $0.mtimeNanoseconds += 1 })
        var options = MakeOptions()
        options.ignoresCtime = true
        #expect(try isReused(ctime, options: options))
        for other in [inode, size, mtime] { #expect(try !isReused(other, options: options)) }
        options = MakeOptions()
        options.ignoresInode = true
        #expect(try isReused(inode, options: options))
        for other in [ctime, size, mtime] { #expect(try !isReused(other, options: options)) }
        options = MakeOptions()
        options.rehashesAll = true
        #expect(try !isReused(status, options: options))
    }

    @Test func `Equal stamps that are as young as the scan before prove nothing`() throws {
        let stamp = status.ctimeNanoseconds
        #expect(try !isReused(status, scanStart: stamp) && !isReused(status, scanStart: stamp - 1))
        #expect(try isReused(status, scanStart: stamp + 1))
        // Without the ctime the mtime must be older.
        var options = MakeOptions()
        options.ignoresCtime = true
        #expect(try !isReused(status, options: options, scanStart: status.mtimeNanoseconds))
        #expect(try isReused(status, options: options, scanStart: status.mtimeNanoseconds + 1))
        // Without a companion the time in the name counts, less a tick of the coarse clock.
        for (microseconds, expected) in [(stamp / 1000, false), (stamp / 1000 + 10_000, false), (stamp / 1000 + 30_000, true)] {
            let detection = ChangeDetection(
                before: SnapshotName(time: SnapshotTime(microseconds: microseconds)), facts: nil, options: MakeOptions())
            let found = try line(snapshooters: true).withUnsafeBytes { try detection.reusableMD5(EntryFields($0), line: $0, status) }
            #expect((found != nil) == expected, "\(microseconds)")
        }
    }

    @Test mutating func `A stamp of whole seconds may hide a change of the same step`() throws {
        // FAT counts even seconds, others whole ones.
        for (second, step) in [(100, 2), (101, 1)] as [(Int64, Int64)] {
            let stamp = second * 1_000_000_000
            status.ctimeNanoseconds = stamp
            #expect(try !isReused(status, scanStart: stamp + step * 1_000_000_000))
            #expect(try isReused(status, scanStart: stamp + step * 1_000_000_000 + 1))
        }
        // The last whole second there is has none behind it.
        status.ctimeNanoseconds = Int64.max / 2_000_000_000 * 2_000_000_000
        #expect(try !isReused(status, scanStart: .max))
    }

    @Test func `Two snapshots never get one name, and a clock that is behind is told`() async throws {
        let folder = try TempFolder()
        try folder.write("source/file", [1])
        let clock = TestClock(nanoseconds: 1_800_000_000_000_000_000)
        let notes = Mutex<[String]>([])
        let monitor = Monitor(note: { note in notes.withLock { $0.append(note) } })
        let repository = Repository(.folder(folder.path + "/repo"), clock: clock)
        var names: [SnapshotName] = []
        for hours in [0.0, 0.0, -1.0, 0.0] {
            clock.advance(hours: hours)
            names.append(try #require(try await repository.make(folder.path + "/source", monitor: monitor).snapshot))
        }
        #expect(Set(names).count == 4 && names == names.sorted())
        #expect(names.map { $0.time.microseconds - names[0].time.microseconds } == [0, 1, 2, 3])
        #expect(notes.withLock { $0.filter { $0.contains("the clock is behind") }.count } == 2)
    }
}
