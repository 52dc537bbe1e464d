import SnapcatFormat
import SnapcatPlatform

/// How a snapshot is made.
public struct MakeOptions: Sendable {
    public var scan = ScanOptions()
    /// Of new objects and of the snapshot.
    public var compression = GzipLevel.standard
    public var tags: [String] = []
    public var note = ""
    /// Nothing is written: what would be read is counted.
    public var isDryRun = false
    /// No snapshot is written where it would equal the one before, line for line and node for node.
    public var skipsIfUnchanged = false
    /// Every file is read, whatever its times say.
    public var rehashesAll = false
    /// What is read and is in the heap already is compared with the object, byte for byte, not by length and CRC-32 alone.
    /// With `rehashesAll` that is every file. Cost: each such object is read.
    public var comparesContents = false
    /// A file whose status change time is new is taken as unchanged where all else is equal.
    public var ignoresCtime = false
    /// The same for another inode.
    public var ignoresInode = false
    /// A snapshot without files, or into a heap without objects, is made even where the one before had some.
    public var allowsEmpty = false
    /// snapshooter's `--save-snapshot`.
    public var savesSnapshot = true
    /// snapshooter's `--download-missing-files`: contents that the heap lacks are stored, also those of unchanged files.
    public var storesMissing = true
    /// Threads that read, hash and compress; 0: one per core.
    public var parallelism = 0
    /// Nothing is published where a file cannot be read: it would not be saved from what comes next.
    package var savesAllOrNothing = false

    public init() {}
}

/// What a make came to.
public struct MakeSummary: Sendable, Equatable {
    /// nil where none was written.
    public var snapshot: SnapshotName?
    /// The snapshot's file.
    public var path: String?
    public var files: Int64 = 0
    /// Sum of the files' sizes.
    public var bytes: Int64 = 0
    public var nodes: Int64 = 0
    /// Against the snapshot before.
    public var added: Int64 = 0
    public var changed: Int64 = 0
    public var removed: Int64 = 0
    /// Files that were read.
    public var readFiles: Int64 = 0
    public var readBytes: Int64 = 0
    public var newObjects: Int64 = 0
    /// In the heap, compressed.
    public var storedBytes: Int64 = 0
    public var excluded: Int64 = 0
    public var unreadable: Int64 = 0
    public var unstable: Int64 = 0
    public var isUnchanged = false
    public var seconds: Double = 0
    /// What a killed restore has left in the file root: not in the snapshot.
    package var leftovers: [[UInt8]] = []

    public init() {}

    package var leftoverNote: String? {
        leftovers.first.map { first in
            "\(leftovers.count) temporary files of a killed restore are left out, as '\(TerminalText.lossy(first))'; "
                + "the next restore removes them"
        }
    }

    public var hasProblems: Bool { unreadable > 0 || unstable > 0 }
}
