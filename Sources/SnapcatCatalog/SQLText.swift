import GRDBSQLite

/// SQL as text, before it is run.
public enum SQLText {
    /// Whether a `;` ends it, outside of quotes and comments.
    public static func isComplete(_ sql: String) -> Bool { sqlite3_complete(sql) != 0 }
}
