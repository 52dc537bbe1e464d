import SnapcatFormat

/// How far a check looks.
public struct CheckOptions: Sendable {
    /// Every object is read and its md5 compared, or those that `bounds` chooses.
    public var readsData = false
    /// nil: all objects are read, whenever that was done last.
    public var bounds: ReadingBounds?

    public init(readsData: Bool = false, bounds: ReadingBounds? = nil) {
        self.readsData = readsData
        self.bounds = bounds
    }
}

/// Which objects a check reads, so that each night can do its part: those that were verified the longest ago first.
///
/// When an object was verified is noted in the catalog while the check goes on: one that is killed goes on where it
/// ended. Whatever is not known for certain (no catalog, another file in the object's place, a time in the future)
/// counts as never verified.
public struct ReadingBounds: Sendable {
    /// Objects that were verified less than that ago are not read, in microseconds; nil: all are due.
    public var maxAgeMicroseconds: Int64?
    /// Stored bytes that are read at most; an object that does not fit any more makes room for the next that does.
    public var budgetBytes: Int64?
    /// After so many nanoseconds of reading no further objects are begun.
    public var budgetNanoseconds: Int64?

    public init(maxAgeMicroseconds: Int64? = nil, budgetBytes: Int64? = nil, budgetNanoseconds: Int64? = nil) {
        self.maxAgeMicroseconds = maxAgeMicroseconds
        self.budgetBytes = budgetBytes
        self.budgetNanoseconds = budgetNanoseconds
    }
}

/// What a bounded check has left unread of what was due.
public struct UnreadObjects: Sendable, Equatable {
    public var objects: Int64 = 0
    /// As they are stored.
    public var bytes: Int64 = 0
    /// When the oldest of them was verified; nil: never, as far as is known.
    public var oldest: SnapshotTime?
    /// Those of them that are larger than the whole budget: no run with it will read them.
    public var tooLarge: Int64 = 0
}
