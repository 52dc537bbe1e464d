import SnapcatFormat
import SnapcatPlatform

/// How a restore treats what is in the target.
public struct RestoreOptions: Sendable {
    public enum Overwrite: String, Sendable, CaseIterable {
        /// Every file becomes what the snapshot says.
        case always
        /// Files of the same size and modification time are taken as equal, whatever they hold.
        case ifChanged = "if-changed"
        /// Only files that are older than the snapshot's are overwritten.
        case ifNewer = "if-newer"
        /// What exists stays.
        case never
    }

    public var overwrite = Overwrite.always
    /// Reads every file of the target: one whose bytes have changed behind its stamps is found.
    public var rehashesAll = false
    /// Remove what the snapshot does not have.
    public var deletes = true
    /// Remove also what the snapshot was told to leave out, or could not read.
    public var deletesExcluded = false
    /// nil: where the target is not empty.
    public var savesSnapshotBefore: Bool?
    /// nil: where a snapshot was taken before, and the target is the file root of the snapshot before that.
    public var savesSnapshotAfter: Bool?
    /// Only names in this folder (or the name itself); empty: all.
    public var folder: [UInt8] = []
    /// Globs over names.
    public var include: [[UInt8]] = []
    public var exclude: [[UInt8]] = []
    /// Only the plan is made, and given out; nothing is written.
    public var isDryRun = false
    /// Restore even an empty snapshot, or onto `/` or the home folder.
    public var isForced = false
    /// Set owner and group, which only root can.
    public var setsOwner = true
    /// For the snapshots before and after.
    public var compression = GzipLevel.standard
    /// Threads that inflate and write; 0: one per core.
    public var parallelism = 0
    /// Which pairs of names are one file in a folder: asks its file system.
    package var probesNames: @Sendable ([NameTwins.Pair], _ folder: [UInt8]) throws -> [NameTwins.Pair] =
        NameProbe.pairsOfOneFile

    public init() {}

    /// Where a folder is to be, a file or link gives way: not where what exists is to stay.
    var replacesObstacles: Bool { deletes && (overwrite == .always || overwrite == .ifChanged) }

    /// What could not be read is replaced too. Whether it is newer cannot be told.
    var replacesUnread: Bool { overwrite == .always || overwrite == .ifChanged }

    /// The names to be restored.
    var nameFilter: NameFilter { NameFilter(prefix: folder, include: include, exclude: exclude) }
}

/// One thing that a restore does, or would do.
public struct RestoreAction: Sendable, Equatable {
    public enum Kind: String, Sendable {
        case write, delete, link
        case hardLink = "hard_link"
        case makeFolder = "make_folder"
        case setMetadata = "set_metadata"
        /// Refused: the name cannot be restored.
        case skip
    }
    public var kind: Kind
    public var name: EntryName
    /// "file" or the kind of the node.
    public var type: String
    /// Bytes to be written.
    public var size: Int64?
    public var reason: String
}

/// What a restore came to.
public struct RestoreSummary: Sendable, Equatable {
    public var writtenFiles: Int64 = 0
    public var writtenBytes: Int64 = 0
    public var links: Int64 = 0
    public var hardLinks: Int64 = 0
    public var folders: Int64 = 0
    public var deleted: Int64 = 0
    public var metadata: Int64 = 0
    public var unchanged: Int64 = 0
    /// Names that were refused, objects that are missing or damaged.
    public var damaged: Int64 = 0
    /// What the file system would not do.
    public var failed: Int64 = 0
    /// What stays though the snapshot does not have it, as it or an ignore file above it could not be read.
    public var unread: Int64 = 0
    public var snapshotBefore: String?
    public var snapshotAfter: String?
    public var seconds: Double = 0

    public init() {}

    /// The target is as it was.
    public var hasDoneNothing: Bool {
        writtenFiles == 0 && links == 0 && hardLinks == 0 && folders == 0 && deleted == 0 && metadata == 0
    }
}
