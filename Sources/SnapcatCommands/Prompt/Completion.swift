import Foundation
import Snapcat

/// What the tab key finds: views, columns, SQL's words, saved queries and the prompt's own commands.
struct Completion: Sendable {
    struct Answer: Equatable {
        /// To be inserted behind the word.
        var inserted = ""
        /// Where there is nothing to insert.
        var choices: [String] = []
    }

    private let views: [String]
    private let names: [String]
    private let queries: [String]

    init(queries: [String]) {
        let columns = SchemaDescription.columns
        views = Self.distinct(columns.map(\.view))
        names = Self.distinct(columns.map(\.name))
        self.queries = queries
    }

    /// `text` is what stands before the cursor.
    func answer(_ text: String) -> Answer {
        let word = String(text.reversed().prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "." && text.first == "." }.reversed())
        let before = text.dropLast(word.count)
        let matches = candidates(before: before, word: word).filter { $0.lowercased().hasPrefix(word.lowercased()) }.sorted()
        guard let first = matches.first else { return Answer() }
        if matches.count == 1 { return Answer(inserted: first.dropFirst(word.count) + " ") }
        let common = matches.dropFirst().reduce(Substring(first)) { $0.commonPrefix(with: $1)[...] }
        let inserted = String(common.dropFirst(word.count))
        return Answer(inserted: inserted, choices: inserted.isEmpty ? matches : [])
    }

    private func candidates(before: Substring, word: String) -> [String] {
        let previous = before.split(separator: " ").last?.lowercased() ?? ""
        if word.hasPrefix(".") { return PromptCommand.names }
        switch previous {
        case ".format": return OutputFormat.allCases.map(\.rawValue)
        case ".schema", "from", "join": return views
        default: break
        }
        guard !word.isEmpty else { return [] }
        // SQL's words in the case that the user writes.
        let isUpper = word.allSatisfy { !$0.isLowercase }
        let words = isUpper ? Self.words : Self.words.map { $0.lowercased() }
        return Self.distinct((previous.isEmpty ? queries : []) + views + names + words)
    }

    private static func distinct(_ names: [String]) -> [String] { Set(names).sorted() }

    private static let words = [
        "ALL", "AND", "AS", "ASC", "BETWEEN", "BY", "CASE", "CAST", "COALESCE", "COUNT", "DESC", "DISTINCT", "ELSE", "END",
        "EXCEPT", "EXISTS", "EXPLAIN QUERY PLAN", "FROM", "GLOB", "GROUP BY", "HAVING", "IN", "INTERSECT", "IS", "JOIN",
        "LEFT JOIN", "LIKE", "LIMIT", "NOT", "NULL", "OFFSET", "ON", "OR", "ORDER BY", "OVER", "PARTITION BY", "RECURSIVE",
        "SELECT", "SUM", "THEN", "UNION", "UNION ALL", "USING", "VALUES", "WHEN", "WHERE", "WITH",
    ]
}
