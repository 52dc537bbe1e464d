import SnapcatFormat

/// Makes one row of a file that only the left has and one that only the right has, where their contents are the same.
///
/// Holds all rows that are not equal, without their lines, as a pair may be far apart; beyond `mostRows` it gives
/// them out as they are, and pairs nothing. Of several files with one content the n-th left goes with the n-th right
/// by name. Empty files are not paired: they have nothing in common.
struct RenamePairing {
    /// About 300 bytes each.
    static let mostRows = 500_000

    private(set) var isOverfull = false
    private var rows: [ComparisonRow] = []
    private let holdsEqual: Bool
    private let mostRows: Int

    init(holdsEqual: Bool, mostRows: Int = RenamePairing.mostRows) {
        self.holdsEqual = holdsEqual
        self.mostRows = mostRows
    }

    mutating func add(_ row: ComparisonRow, _ give: (ComparisonRow) throws -> Void) throws {
        // An equal row that is only counted need not wait for its turn.
        if isOverfull || row.status == .equal && !holdsEqual { return try give(row) }
        var row = row
        row.left?.entry = nil
        row.right?.entry = nil
        rows.append(row)
        guard rows.count > mostRows else { return }
        isOverfull = true
        for row in rows { try give(row) }
        rows = []
    }

    /// Gives out what is held, pairs as one row under the name of the right.
    func finish(_ give: (ComparisonRow) throws -> Void) throws {
        var places: [MD5Digest: (left: [Int], right: [Int])] = [:]
        for (index, row) in rows.enumerated() {
            switch row.status {
            case .onlyLeft: if let md5 = Self.content(row.left) { places[md5, default: ([], [])].left.append(index) }
            case .onlyRight: if let md5 = Self.content(row.right) { places[md5, default: ([], [])].right.append(index) }
            default: break
            }
        }
        var leftOf: [Int: Int] = [:]
        for (left, right) in places.values { for pair in zip(left, right) { leftOf[pair.1] = pair.0 } }
        let gone = Set(leftOf.values)
        for (index, row) in rows.enumerated() where !gone.contains(index) {
            guard let left = leftOf[index] else {
                try give(row)
                continue
            }
            var pair = row
            pair.status = .renamed
            pair.left = rows[left].left
            pair.nameLeft = rows[left].name
            try give(pair)
        }
    }

    private static func content(_ item: SideItem?) -> MD5Digest? {
        guard let item, item.type == "file", item.size != 0 else { return nil }
        return item.md5
    }
}
