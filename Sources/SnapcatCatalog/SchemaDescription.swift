import Foundation
import SnapcatSchema

/// The stable views and their columns, as `Schema/views.sql` describes them: one source for SQL, help and docs.
public enum SchemaDescription {
    public struct Column: Sendable, Equatable {
        public var view: String
        public var name: String
        public var description: String
    }

    public struct View: Sendable, Equatable {
        public var name: String
        /// What a row is.
        public var description: String
        public var columns: [Column]
    }

    /// In the order of the file.
    public static var views: [View] {
        var result: [View] = []
        var comment: [String] = []
        for line in Schema.views.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            if line.hasPrefix("-- ") {
                comment.append(String(line.dropFirst(3)))
            } else if line.hasPrefix("CREATE VIEW ") {
                let name = String(line.dropFirst("CREATE VIEW ".count).prefix { $0 != " " })
                result.append(View(name: name, description: comment.joined(separator: " "), columns: []))
            } else if line.isEmpty {
                comment = []
            } else if let view = result.last, let column = column(of: view, line) {
                result[result.count - 1].columns.append(column)
            }
        }
        return result
    }

    public static var columns: [Column] { views.flatMap(\.columns) }

    /// What a line of a view's SQL describes: a comment behind the last `AS`.
    private static func column(of view: View, _ line: String) -> Column? {
        guard let comment = line.firstRange(of: " -- "), let name = columnName(line[..<comment.lowerBound]),
            !view.columns.contains(where: { $0.name == name })
        else { return nil }
        return Column(view: view.name, name: name, description: String(line[comment.upperBound...]))
    }

    /// What stands behind the last `AS`, without its comma.
    private static func columnName(_ code: Substring) -> String? {
        guard let range = code.ranges(of: " AS ").last else { return nil }
        let name = code[range.upperBound...].filter { $0 != "," && $0 != " " }
        return name.isEmpty ? nil : String(name)
    }

    /// The SQL of a view, of all of them for nil.
    public static func sql(of view: String?) -> String {
        Schema.views.components(separatedBy: ";\n").compactMap { statement in
            guard let start = statement.firstRange(of: "CREATE VIEW ") else { return nil }
            let name = statement[start.upperBound...].prefix { !$0.isWhitespace }
            return view == nil || view == String(name) ? String(statement[start.lowerBound...]) + ";" : nil
        }.joined(separator: "\n\n")
    }

    /// The page "Views" of the documentation.
    public static var page: String {
        let tables = views.map { view in
            let rows = view.columns.map { "| `\($0.name)` | \($0.description) |\n" }.joined()
            return "## \(view.name)\n\n\(view.description)\n\n| column | what it is |\n|---|---|\n\(rows)"
        }
        return """
            # Views

            The stable contract of the catalog: names and columns change only by addition.

            ## Overview

            Plain SQL without functions of snapcat's own, so that every SQLite client can read them; <doc:Catalog> has the
            rules and the idea behind them. `snapcat schema` prints this page's tables, `snapcat schema VIEW` one of them.


            """ + tables.joined(separator: "\n")
    }
}
