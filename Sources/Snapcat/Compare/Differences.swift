import CPlatform
import SnapcatFormat
import SnapcatPlatform

/// What a merge of two snapshot files gives out.
struct MergeWishes {
    /// Rows of equal names too. Without them equal lines are only counted, and never looked into.
    var includesEqual: Bool
    var includesMetadata: Bool
    var includesEntries: Bool
    var filter: NameFilter
    var cancellation: CancellationFlag
}

/// A stream of the rows of a comparison, by name.
protocol DifferenceStream {
    mutating func next() throws -> ComparisonRow?
    /// Equal names that were passed over without a row.
    var passedEqual: Int64 { get }
}

/// The differences of two sorted files of entries: equal lines cost a memcmp.
struct EntryDifferences: DifferenceStream {
    private let left: OrderedEntries
    private let right: OrderedEntries
    private let wishes: MergeWishes
    private(set) var passedEqual: Int64 = 0
    /// Which sides have the name of the row that was given out last: they are still at its line.
    private var isAtLeft = false
    private var isAtRight = false

    init(_ left: OrderedEntries, _ right: OrderedEntries, _ wishes: MergeWishes) {
        self.left = left
        self.right = right
        self.wishes = wishes
    }

    /// The lines of the row that `next` returned last, nil for a side that lacks it. Valid until the next call.
    var leftLine: UnsafeRawBufferPointer? { isAtLeft ? left.line : nil }
    var rightLine: UnsafeRawBufferPointer? { isAtRight ? right.line : nil }

    mutating func next() throws -> ComparisonRow? {
        while true {
            if isAtLeft { try left.advance() }
            if isAtRight { try right.advance() }
            (isAtLeft, isAtRight) = (false, false)
            if !wishes.includesEqual { try passEqualLines() }
            try left.look()
            try right.look()
            if left.isAtEnd && right.isAtEnd { return nil }
            let order = compareNames()
            let name = order <= 0 ? left.name : right.name
            var row: ComparisonRow?
            if wishes.filter.accepts(name, isFolder: false) {
                let leftItem = order <= 0 ? try left.item(withEntry: wishes.includesEntries) : nil
                let rightItem = order >= 0 ? try right.item(withEntry: wishes.includesEntries) : nil
                row = ComparisonRow(leftItem, rightItem, name: EntryName(name), includesMetadata: wishes.includesMetadata)
            }
            (isAtLeft, isAtRight) = (order <= 0, order >= 0)
            guard let row else { continue }
            if row.status != .equal || wishes.includesEqual { return row }
            passedEqual += 1
        }
    }

    private mutating func passEqualLines() throws {
        while !left.isAtEnd && !right.isAtEnd {
            let (a, b) = (left.line, right.line)
            guard a.count == b.count, let start = a.baseAddress, let other = b.baseAddress, memcmp(start, other, a.count) == 0
            else { return }
            if wishes.filter.acceptsAll {
                if !left.repeatsLastLine { passedEqual += 1 }
                if passedEqual & 0xffff == 0 { try wishes.cancellation.check() }
            } else {
                try left.look()
                if left.isAtEnd { return }
                if wishes.filter.accepts(left.name, isFolder: false) { passedEqual += 1 }
            }
            try left.advance()
            try right.advance()
        }
    }

    private func compareNames() -> Int {
        if left.isAtEnd { return 1 }
        if right.isAtEnd { return -1 }
        return left.name.withUnsafeBytes { left in right.name.withUnsafeBytes { NameOrder.compare(left, $0) } }
    }
}

/// The same for the nodes of two companions.
struct NodeDifferences: DifferenceStream {
    private let left: CompanionReader
    private let right: CompanionReader
    private var leftNode: Node?
    private var rightNode: Node?
    private let wishes: MergeWishes
    private(set) var passedEqual: Int64 = 0

    init(_ left: CompanionReader, _ right: CompanionReader, _ wishes: MergeWishes) throws {
        self.left = left
        self.right = right
        self.wishes = wishes
        leftNode = try left.nextNode()
        rightNode = try right.nextNode()
    }

    mutating func next() throws -> ComparisonRow? {
        while leftNode != nil || rightNode != nil {
            let takesLeft = rightNode.map { right in leftNode.map { $0.name <= right.name } ?? false } ?? true
            let takesRight = leftNode.map { left in rightNode.map { $0.name <= left.name } ?? false } ?? true
            let (leftItem, rightItem) = (takesLeft ? leftNode : nil, takesRight ? rightNode : nil)
            if takesLeft { leftNode = try left.nextNode() }
            if takesRight { rightNode = try right.nextNode() }
            let isFolder = leftItem?.kind == .directory || rightItem?.kind == .directory
            guard let name = (leftItem ?? rightItem)?.name, wishes.filter.accepts(name.bytes, isFolder: isFolder) else { continue }
            let row = ComparisonRow(
                leftItem.map { SideItem($0) }, rightItem.map { SideItem($0) }, name: name,
                includesMetadata: wishes.includesMetadata)
            if row.status != .equal || wishes.includesEqual { return row }
            passedEqual += 1
        }
        return nil
    }
}

/// Two streams as one. A name in both has changed from file to node, or back: one row.
struct JoinedDifferences: DifferenceStream {
    private var first: any DifferenceStream
    private var second: any DifferenceStream
    private var firstRow: ComparisonRow?
    private var secondRow: ComparisonRow?
    private let wishes: MergeWishes

    init(_ first: any DifferenceStream, _ second: any DifferenceStream, _ wishes: MergeWishes) throws {
        self.first = first
        self.second = second
        self.wishes = wishes
        firstRow = try self.first.next()
        secondRow = try self.second.next()
    }

    var passedEqual: Int64 { first.passedEqual + second.passedEqual }

    mutating func next() throws -> ComparisonRow? {
        guard let a = firstRow else {
            guard let b = secondRow else { return nil }
            secondRow = try second.next()
            return b
        }
        guard let b = secondRow, b.name <= a.name else {
            firstRow = try first.next()
            return a
        }
        secondRow = try second.next()
        guard b.name == a.name else { return b }
        firstRow = try first.next()
        return ComparisonRow(a.left ?? b.left, a.right ?? b.right, name: a.name, includesMetadata: wishes.includesMetadata)
    }
}

extension ComparisonRow {
    init(_ left: SideItem?, _ right: SideItem?, name: EntryName, includesMetadata: Bool) {
        self.init(
            status: ComparisonStatus(left, right, includesMetadata: includesMetadata), name: name, left: left, right: right)
    }
}
