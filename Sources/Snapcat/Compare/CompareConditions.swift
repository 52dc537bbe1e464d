import SnapcatCatalog
import SnapcatPlatform

extension ComparisonRow {
    /// The columns of compare, and what a condition over its rows may use.
    public static let columns = [
        "status", "name", "type_left", "type_right", "size_left", "size_right", "md5_left", "md5_right",
        "mtime_left", "mtime_right", "mode_left", "mode_right", "name_left",
    ]

    /// In the order of `columns`; `name_left` is that of a renamed file.
    public var values: [QueryValue] {
        [
            .text(Array(status.rawValue.utf8)), .text(name.bytes), .text(left?.type), .text(right?.type),
            .integer(left?.size), .integer(right?.size), .md5(left?.md5), .md5(right?.md5), .real(left?.mtime),
            .real(right?.mtime), .integer(left?.mode), .integer(right?.mode), nameLeft.map { .text($0.bytes) } ?? .null,
        ]
    }
}

extension QueryValue {
    fileprivate static func text(_ value: String?) -> QueryValue { value.map { .text(Array($0.utf8)) } ?? .null }
    fileprivate static func integer(_ value: Int64?) -> QueryValue { value.map { .integer($0) } ?? .null }
    fileprivate static func real(_ value: Double?) -> QueryValue { value.map { .real($0) } ?? .null }
    fileprivate static func md5(_ value: MD5Digest?) -> QueryValue { value.map { .text($0.hexBytes) } ?? .null }
}

extension ComparisonSummary {
    /// The numbers that a condition may use, by name.
    public var numbers: [(name: String, value: QueryValue)] {
        func percent(_ count: Int64) -> QueryValue { left.files == 0 ? .null : .real(100 * Double(count) / Double(left.files)) }
        let (added, removed) = (self[.onlyRight].files, self[.onlyLeft].files)
        return [
            ("added", .integer(added)), ("removed", .integer(removed)), ("deleted", .integer(removed)),
            ("changed", .integer(self[.different].files)), ("metadata", .integer(self[.metadata].files)),
            ("renamed", .integer(self[.renamed].files)), ("equal", .integer(self[.equal].files)),
            ("total_left", .integer(left.files)), ("total_right", .integer(right.files)),
            ("added_pct", percent(added)), ("removed_pct", percent(removed)), ("deleted_pct", percent(removed)),
            ("changed_pct", percent(self[.different].files)), ("renamed_pct", percent(self[.renamed].files)),
            ("bytes_left", .integer(left.bytes)), ("bytes_right", .integer(right.bytes)),
        ]
    }
}

/// A user's condition over the counts of a comparison: `deleted_pct > 10`.
public final class SummaryCondition {
    public let expression: String
    private let condition: RowCondition

    /// Throws `.usage` for what is none.
    public init(_ expression: String, cancellation: CancellationFlag = CancellationFlag()) throws {
        self.expression = expression
        condition = try RowCondition(
            expression, columns: ComparisonSummary().numbers.map(\.name), cancellation: cancellation)
    }

    /// Percents are of the left side, and NULL where it is empty: a condition over them is not true then.
    public func holds(_ summary: ComparisonSummary) throws -> Bool { try condition.holds(summary.numbers.map(\.value)) }
}
