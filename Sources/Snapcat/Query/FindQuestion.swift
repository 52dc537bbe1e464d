import SnapcatCatalog
import SnapcatPlatform

/// What `find` looks for besides the pattern.
public struct FindOptions: Sendable {
    public enum Syntax: Sendable { case glob, regex, substring }
    public var syntax = Syntax.glob
    public var ignoresCase = false
    /// Only versions that this time's snapshot has, in microseconds.
    public var at: Int64?
    /// Only names that the latest snapshot does not have.
    public var onlyDeleted = false
    public var orders: [Question.Order] = []

    public init() {}
}

extension Question {
    /// The versions of the names that fit a pattern, by name and time.
    ///
    /// Names are searched by the index where the pattern says how they begin. Else all are tried, once each, in the
    /// order of the index; versions are looked up for those that fit only. `.usage` for a pattern that is none.
    public static func find(_ pattern: String, _ options: FindOptions = FindOptions()) throws -> Question {
        if pattern.isEmpty { throw SnapcatError(.usage, "An empty pattern", advice: "give a part of a name") }
        var question = Question("")
        var conditions: [String]
        switch options.syntax {
        case .glob: conditions = globConditions(pattern, options, &question.parameters)
        case .substring:
            conditions = [rare(substringCondition(pattern, options, &question.parameters))]
        case .regex:
            let expression = (options.ignoresCase ? "(?i)" : "") + pattern
            _ = try RegularExpression(Array(expression.utf8))
            question.parameters["pattern"] = expression
            conditions = [rare("regexp(:pattern, name)")]
        }
        if let at = options.at {
            question.parameters["at"] = String(at)
            // The sign keeps the index by time out of it: it would try every version.
            conditions.append("+valid_from_us <= CAST(:at AS INTEGER)")
            conditions.append("(valid_to_us IS NULL OR CAST(:at AS INTEGER) < valid_to_us)")
        }
        if options.onlyDeleted {
            conditions.append("NOT EXISTS (SELECT 1 FROM current_file AS c WHERE c.name = f.name)")
        }
        question.sql = """
            SELECT \(versionColumns.joined(separator: ", "))
            FROM file_version AS f
            WHERE \(conditions.joined(separator: "\n    AND "))
            ORDER BY \((options.orders.map(\.sql) + ["name, valid_from_us"]).joined(separator: ", "))
            """
        return question
    }

    /// Tells the planner that few names fit, so that it begins with them and not with the versions.
    private static func rare(_ condition: String) -> String { "likelihood(\(condition), 0.00001)" }

    /// The columns of `find` and `history`.
    public static let versionColumns = ["name", "valid_from", "valid_to", "md5", "size", "mode", "mtime", "is_current"]

    private static func substringCondition(
        _ pattern: String, _ options: FindOptions, _ parameters: inout [String: String]
    ) -> String {
        parameters["pattern"] = pattern
        if !options.ignoresCase { return "instr(name, :pattern) > 0" }
        guard pattern.utf8.allSatisfy({ $0 < 0x80 }) else { return "instr(fold_case(name), fold_case(:pattern)) > 0" }
        // SQLite's own, which is quicker, and blind to the case of ASCII letters.
        parameters["pattern"] = "%" + pattern.replacing(/[%_\\]/) { "\\" + $0.output } + "%"
        return "name LIKE :pattern ESCAPE '\\'"
    }

    private static func globConditions(
        _ pattern: String, _ options: FindOptions, _ parameters: inout [String: String]
    ) -> [String] {
        let path = pattern.hasPrefix("/") ? String(pattern.dropFirst()) : pattern
        if options.ignoresCase {
            parameters["pattern"] = pattern
            return [rare("path_match(fold_case(:pattern), fold_case(name))")]
        }
        guard pattern.contains("/") else {
            parameters["pattern"] = pattern
            return [rare("path_match(:pattern, name)")]
        }
        let literal = NameGlob.literalPrefix(path)
        if literal.endIndex == path.endIndex && !path.hasSuffix("/") {
            parameters["name"] = path
            return ["name = :name"]
        }
        parameters["pattern"] = pattern
        guard let range = range(ofPrefix: literal) else { return [rare("path_match(:pattern, name)")] }
        parameters["from"] = range.from
        parameters["below"] = range.below
        return ["name >= :from AND name < :below", "path_match(:pattern, name)"]
    }

    /// The names that begin with a text, as a range; nil where no such range can be spelled.
    ///
    /// Cut to its last ASCII character, as the text after it must be UTF-8.
    static func range(ofPrefix literal: Substring) -> (from: String, below: String)? {
        var bytes = Array(literal.utf8)
        while let last = bytes.last, last >= 0x7f { bytes.removeLast() }
        guard let last = bytes.last else { return nil }
        let from = String(decoding: bytes, as: UTF8.self)
        bytes[bytes.count - 1] = last + 1
        return (from, String(decoding: bytes, as: UTF8.self))
    }

    /// The versions of one name by time, with how each began and ended.
    public static func history(_ name: String) -> Question {
        Question(
            """
            SELECT \(versionColumns.joined(separator: ", ")),
                CASE WHEN ended_before IS NULL THEN 'added'
                    WHEN ended_before < valid_from_us THEN 'reappeared'
                    WHEN md5 IS NOT md5_before THEN 'changed'
                    ELSE 'metadata' END AS status,
                CASE WHEN is_current THEN NULL WHEN valid_to_us = begins_next THEN 'replaced' ELSE 'removed' END AS ending,
                CASE WHEN ended_before < valid_from_us THEN (valid_from_us - ended_before) / 1e6 END AS gap_seconds
            FROM (
                SELECT \(versionColumns.joined(separator: ", ")), valid_from_us, valid_to_us,
                    lag(valid_to_us) OVER by_time AS ended_before, lag(md5) OVER by_time AS md5_before,
                    lead(valid_from_us) OVER by_time AS begins_next
                FROM file_version WHERE name = :name
                WINDOW by_time AS (ORDER BY valid_from_us)
            )
            ORDER BY valid_from_us
            """, ["name": name])
    }
}
