import ArgumentParser
import Snapcat

extension CompareGroup: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

extension CompareGroups {
    /// By group, then by status.
    func print(_ rows: RowOptions) throws {
        let writer = rows.writer([Column(group == .ext ? "ext" : "dir"), Column("status"), styledColumn("files"), styledColumn("bytes")])
        var left = rows.limit ?? .max
        for key in sums.keys.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            for status in ComparisonStatus.allCases {
                guard left > 0, let sum = sums[key]?[status] else { continue }
                left -= 1
                try writer.row([.text(key), .string(status.rawValue), .integer(sum.files), .integer(sum.bytes)])
            }
        }
        try writer.finish()
    }
}
