import SnapcatCatalog
import SnapcatPlatform

/// What the counts of a comparison are grouped by.
public enum CompareGroup: Sendable, Equatable {
    /// So many folders of a name; all where nil.
    case dir(depth: Int?)
    case ext

    /// `dir`, `dir:2` or `ext`; nil for anything else.
    public init?(_ text: String) {
        switch text {
        case "ext": self = .ext
        case "dir": self = .dir(depth: nil)
        default:
            guard text.hasPrefix("dir:"), let depth = Int(text.dropFirst(4)), depth > 0 else { return nil }
            self = .dir(depth: depth)
        }
    }

    func key(_ name: [UInt8]) -> [UInt8] {
        let slash = UInt8(ascii: "/")
        let lastSlash = name.lastIndex(of: slash)
        switch self {
        case .ext:
            return PathTable.fileExtension(name[(lastSlash.map { $0 + 1 } ?? 0)...])
        case .dir(let depth):
            guard let lastSlash else { return [] }
            return Array(name[..<lastSlash].split(separator: slash).prefix(depth ?? .max).joined(separator: [slash]))
        }
    }
}

/// Counts and bytes of shown rows per group and status: memory is that of the groups.
public struct CompareGroups {
    public let group: CompareGroup
    public private(set) var sums: [[UInt8]: [ComparisonStatus: ComparisonSummary.Sum]] = [:]

    public init(_ group: CompareGroup) { self.group = group }

    public mutating func add(_ row: ComparisonRow) {
        let key = group.key(row.name.bytes)
        sums[key, default: [:]][row.status, default: .init()].files += 1
        sums[key, default: [:]][row.status, default: .init()].bytes += row.right?.size ?? row.left?.size ?? 0
    }
}
