import SnapcatFormat
import SnapcatPlatform

/// How a name differs between two snapshots.
public enum ComparisonStatus: String, Sendable, CaseIterable {
    case onlyLeft = "only_left"
    case onlyRight = "only_right"
    /// Another content, type or destination.
    case different
    /// The same content, another mode, mtime, uid or gid.
    case metadata
    case equal
    /// Only the left has one name and only the right the other, with one content: where renames are paired.
    case renamed
}

/// What of a comparison is wanted.
public struct CompareOptions: Sendable {
    /// nil: all but `equal` (and `metadata`, unless it is included).
    public var statuses: Set<ComparisonStatus>?
    /// Tell `metadata` from `equal`.
    public var includesMetadata = false
    /// Only names in this folder (or the name itself).
    public var pathPrefix: [UInt8] = []
    /// Globs; a name must match one of `include` (where there are any) and none of `exclude`.
    public var include: [[UInt8]] = []
    public var exclude: [[UInt8]] = []
    /// Symlinks, folders and special files too, where both snapshots know them.
    public var includesNodes = true
    /// The whole lines too (`SideItem.entry`): several times the cost per row.
    public var includesEntries = false
    /// One row `renamed` for a name of the left and one of the right with the same content.
    public var pairsRenames = false
    /// SQL over `ComparisonRow.columns`: names for which it is not true are left out.
    public var condition: String?
    /// Also count what is equal where that needs reading all names: with filters or a condition.
    public var countsAll = false

    public init() {}

    /// All names are read, equal ones too.
    var readsAll: Bool {
        shownStatuses.contains(.equal) || countsAll && !(NameFilter(self).acceptsAll && condition == nil)
    }

    /// The statuses that are shown.
    public var shownStatuses: Set<ComparisonStatus> {
        if let statuses { return statuses }
        var shown: Set<ComparisonStatus> = [.onlyLeft, .onlyRight, .different]
        if includesMetadata { shown.insert(.metadata) }
        if pairsRenames { shown.insert(.renamed) }
        return shown
    }
}

/// One name of a comparison.
public struct ComparisonRow: Sendable, Equatable {
    public var status: ComparisonStatus
    public var name: EntryName
    public var left: SideItem?
    public var right: SideItem?
    /// The left side's name where it is renamed.
    public var nameLeft: EntryName?

    /// On either side.
    var isFolder: Bool { [left, right].contains { $0?.type == Node.Kind.directory.rawValue } }

    package init(status: ComparisonStatus, name: EntryName, left: SideItem?, right: SideItem?) {
        self.status = status
        self.name = name
        self.left = left
        self.right = right
    }
}

/// Counts of a comparison, of the names that its filters let through.
public struct ComparisonSummary: Sendable, Equatable {
    public struct Sum: Sendable, Equatable {
        public var files: Int64 = 0
        /// Of the right side, of the left where there is no right.
        public var bytes: Int64 = 0

        /// Sizes of a foreign line may be anything: a sum that does not fit stops at the largest.
        mutating func add(_ other: Sum) {
            files += other.files
            let (sum, overflow) = bytes.addingReportingOverflow(other.bytes)
            bytes = overflow ? .max : sum
        }
    }
    public var sums: [ComparisonStatus: Sum] = [:]
    /// Of all names that each side has, equal ones too; without them where they were not read (`countsAll`).
    public var left = Sum()
    public var right = Sum()
    /// Files and folders of `live` that could not be read, or changed all the time: they look as if they were missing.
    public var unread: Int64 = 0

    public init() {}

    public subscript(status: ComparisonStatus) -> Sum { sums[status] ?? Sum() }
    /// Whether anything is shown as a difference.
    public var hasDifferences: Bool { sums.contains { $0.key != .equal && $0.value.files > 0 } }

    mutating func add(_ row: ComparisonRow) {
        sums[row.status, default: Sum()].add(Sum(files: 1, bytes: row.right?.size ?? row.left?.size ?? 0))
        if let item = row.left { left.add(Sum(files: 1, bytes: item.size ?? 0)) }
        if let item = row.right { right.add(Sum(files: 1, bytes: item.size ?? 0)) }
    }

    /// Equal names that no row was made for.
    mutating func addEqual(_ unseen: Sum) {
        if unseen.files == 0 { return }
        sums[.equal, default: Sum()].files += unseen.files
        left.add(unseen)
        right.add(unseen)
    }
}

/// The filters of names, compiled.
struct NameFilter {
    private let prefix: [UInt8]
    private let include: [GlobPattern]
    private let exclude: [GlobPattern]

    init(prefix: [UInt8] = [], include: [[UInt8]] = [], exclude: [[UInt8]] = []) {
        var trimmed = prefix
        while trimmed.last == UInt8(ascii: "/") { trimmed.removeLast() }
        self.prefix = trimmed
        self.include = include.map { GlobPattern($0) }
        self.exclude = exclude.map { GlobPattern($0) }
    }

    init(_ options: CompareOptions) {
        self.init(prefix: options.pathPrefix, include: options.include, exclude: options.exclude)
    }

    var acceptsAll: Bool { prefix.isEmpty && include.isEmpty && exclude.isEmpty }

    /// `isFolder`: a pattern that ends in a slash fits the folder itself too, not only what is below it.
    func accepts(_ name: [UInt8], isFolder: Bool) -> Bool {
        if !prefix.isEmpty {
            guard name.starts(with: prefix), name.count == prefix.count || name[prefix.count] == UInt8(ascii: "/")
            else { return false }
        }
        if include.isEmpty && exclude.isEmpty { return true }
        let spelled = isFolder ? name + [UInt8(ascii: "/")] : name
        if !include.isEmpty && !include.contains(where: { $0.matches(spelled) }) { return false }
        return !exclude.contains { $0.matches(spelled) }
    }
}

/// The full outer join of two sides by name, as a stream: memory is that of one row.
struct SideMerge {
    let left: SnapshotSide
    let right: SnapshotSide
    let includesMetadata: Bool
    let filter: NameFilter
    /// Gives names that the filter leaves out too, where what is on the right may stand in the way of a folder of the left,
    /// or the other way round.
    var showsObstacles = false

    func forEach(_ body: (ComparisonRow) throws -> Void) throws {
        try left.advance()
        try right.advance()
        while !left.isAtEnd || !right.isAtEnd {
            let order = compareNames()
            let name = order <= 0 ? left.name : right.name
            let isFolder = order <= 0 && left.isFolder || order >= 0 && right.isFolder
            if filter.accepts(name, isFolder: isFolder) || showsObstacles && isObstacle(order) {
                let leftItem = order <= 0 ? try left.item() : nil
                let rightItem = order >= 0 ? try right.item() : nil
                try body(
                    ComparisonRow(
                        status: ComparisonStatus(leftItem, rightItem, includesMetadata: includesMetadata),
                        name: EntryName(name), left: leftItem, right: rightItem))
            }
            if order <= 0 { try left.advance() }
            if order >= 0 { try right.advance() }
        }
    }

    /// A left without nodes has no folders: what its names need is seen where they come.
    private func isObstacle(_ order: Int) -> Bool {
        order == 0 ? left.isFolder != right.isFolder : order > 0 && !left.hasNodes && !right.isFolder
    }

    private func compareNames() -> Int {
        if left.isAtEnd { return 1 }
        if right.isAtEnd { return -1 }
        return left.name.withUnsafeBytes { left in right.name.withUnsafeBytes { NameOrder.compare(left, $0) } }
    }
}

extension ComparisonStatus {
    init(_ left: SideItem?, _ right: SideItem?, includesMetadata: Bool) {
        guard let left else { self = .onlyRight; return }
        guard let right else { self = .onlyLeft; return }
        if !left.hasSameContent(as: right) {
            self = .different
        } else {
            self = includesMetadata && !left.hasSameMetadata(as: right) ? .metadata : .equal
        }
    }
}
