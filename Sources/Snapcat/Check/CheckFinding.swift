import SnapcatFormat

/// Something that a check found.
public struct CheckFinding: Sendable, Equatable {
    public enum Kind: String, Sendable {
        /// A snapshot's file cannot be read, or is not what it must be.
        case snapshot
        case companion
        /// Lines that are not in order: read all the same.
        case order
        /// A name that comes twice with one content.
        case duplicate
        /// A name that a restore refuses.
        case name
        /// An object that snapshots name and the heap does not hold.
        case missing
        /// An object whose bytes are not the content that its name says.
        case object
        /// Objects that no snapshot names.
        case orphan
        /// Objects that no check with this budget reads.
        case unread
        case catalog
        /// A file in the snap root that is no snapshot.
        case ignored
    }

    /// Something is lost or wrong; else it is only worth knowing.
    public var isDamage: Bool
    public var kind: Kind
    /// The file or object.
    public var place: String
    /// The entry that it concerns.
    public var name: EntryName?
    public var message: String

    init(_ kind: Kind, isDamage: Bool = true, place: String, name: EntryName? = nil, _ message: String) {
        self.isDamage = isDamage
        self.kind = kind
        self.place = place
        self.name = name
        self.message = message
    }
}

/// What a check looked at, and what it found.
public struct CheckSummary: Sendable, Equatable {
    public var snapshots: Int64 = 0
    public var lines: Int64 = 0
    /// Objects in the heap.
    public var objects: Int64 = 0
    /// Those that were read.
    public var readObjects: Int64 = 0
    /// Contents that were read, in bytes; 0 where only their presence was looked at.
    public var readBytes: Int64 = 0
    /// The same as they are stored; of a bounded reading only.
    public var readStoredBytes: Int64 = 0
    /// What is left of a bounded reading.
    public var unread: UnreadObjects?
    public var damages: Int64 = 0
    public var notes: Int64 = 0

    mutating func count(_ finding: CheckFinding) {
        if finding.isDamage { damages += 1 } else { notes += 1 }
    }
}
