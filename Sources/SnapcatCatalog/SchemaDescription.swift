import SnapcatSchema

/// The columns of the stable views, as `Schema/views.sql` describes them: one source for SQL, help and docs.
public enum SchemaDescription {
    public struct Column: Sendable, Equatable {
        public var view: String
        public var name: String
        public var description: String
    }

    /// In the order of the views and of their columns.
    public static var columns: [Column] {
        var result: [Column] = []
        var view = ""
        var described: Set<String> = []
        for line in Schema.views.split(separator: "\n") {
            let text = String(line)
            if text.hasPrefix("CREATE VIEW ") {
                view = String(text.dropFirst("CREATE VIEW ".count).prefix { $0 != " " })
                described = []
            }
            guard let comment = text.firstRange(of: " -- "), let name = columnName(text[..<comment.lowerBound]),
                described.insert(name).inserted
            else { continue }
            result.append(Column(view: view, name: name, description: String(text[comment.upperBound...])))
        }
        return result
    }

    /// What stands behind the last `AS`, without its comma.
    private static func columnName(_ code: Substring) -> String? {
        guard let range = code.ranges(of: " AS ").last else { return nil }
        let name = code[range.upperBound...].filter { $0 != "," && $0 != " " }
        return name.isEmpty ? nil : String(name)
    }
}
