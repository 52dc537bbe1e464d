import SnapcatFormat
import SnapcatPlatform

/// Decides whether a file is what a line of the snapshot before says (RELIABILITY.md 1).
struct ChangeDetection {
    /// Stamps as young as this or younger may hide a later change.
    let trustedBeforeNanoseconds: Int64
    let options: MakeOptions

    /// Clock ticks are at most 10 ms on Linux; where the start of a scan comes from the precise clock, a stamp given
    /// after it may be older by a tick.
    private static let tickNanoseconds: Int64 = 20_000_000

    /// How much later the change may have been: FAT stamps in steps of two seconds, others in whole seconds.
    private static func coarseness(_ stamp: Int64) -> Int64 {
        if stamp % 1_000_000_000 != 0 { return 0 }
        return stamp % 2_000_000_000 == 0 ? 2_000_000_000 : 1_000_000_000
    }

    /// `facts`: of the snapshot before; without them the time in its name counts.
    init(before name: SnapshotName, facts: SnapshotFacts?, options: MakeOptions) {
        trustedBeforeNanoseconds = facts?.scanStartNanoseconds
            ?? name.time.microseconds * 1000 - Self.tickNanoseconds
        self.options = options
    }

    /// The md5 of the line, where the file has not changed since; nil where it must be read.
    func reusableMD5(_ fields: EntryFields, line: UnsafeRawBufferPointer, _ status: FileStatus) -> MD5Digest? {
        guard !options.rehashesAll, let md5 = fields.md5, fields.has(.size), fields.size == status.size else { return nil }
        // A change within the clock tick of the last scan would carry the same stamps.
        let stamp = options.ignoresCtime ? status.mtimeNanoseconds : status.ctimeNanoseconds
        // Anybody may set a time near the last that there is.
        let latest = stamp.addingReportingOverflow(Self.coarseness(stamp))
        guard !latest.overflow, latest.partialValue < trustedBeforeNanoseconds else { return nil }
        guard options.ignoresInode || fields.has(.inode) && fields.inode == Int64(truncatingIfNeeded: status.inode)
        else { return nil }
        if fields.has(.mtimeNs) {
            guard fields.mtimeNs == status.mtimeNanoseconds else { return nil }
            guard options.ignoresCtime || fields.has(.ctimeNs) && fields.ctimeNs == status.ctimeNanoseconds
            else { return nil }
            return md5
        }
        // A line of snapshooter: doubles as CPython computes them.
        guard EntryFields.double(line, fields.mtimeRange) == PythonNumber.double(nanoseconds: status.mtimeNanoseconds)
        else { return nil }
        guard options.ignoresCtime
            || EntryFields.double(line, fields.createdRange) == PythonNumber.double(nanoseconds: status.ctimeNanoseconds)
        else { return nil }
        return md5
    }

    /// True where the line of an unchanged file is what would be written now: it is taken over as bytes.
    static func lineStillHolds(_ fields: EntryFields, _ status: FileStatus) -> Bool {
        fields.has(.mtimeNs) && fields.has(.ctimeNs) && fields.ctimeNs == status.ctimeNanoseconds
            && fields.inode == Int64(truncatingIfNeeded: status.inode)
            && fields.mode == Int64(status.mode) && fields.uid == Int64(status.uid) && fields.gid == Int64(status.gid)
            && fields.linkCount == Int64(truncatingIfNeeded: status.linkCount) && !fields.hasOddValue
    }
}
