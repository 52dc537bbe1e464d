/// What make was told to leave out of a snapshot. A restore does not delete that for being missing there.
public struct Exclusions: Equatable, Sendable {
    /// gitignore patterns, later ones win.
    public var patterns: [[UInt8]] = []
    /// `.snapcatignore` files counted.
    public var obeysIgnoreFiles = false
    public var excludesCaches = false
    public var staysOnOneFileSystem = false
    /// Larger files were left out, in bytes.
    public var largestFileBytes: Int64?

    public init() {}

    /// As an older companion has it, without any: nothing was left out, as far as it is known.
    package init(_ value: JSONValue?) {
        func flag(_ key: String) -> Bool { value?[key] == .boolean(true) }
        patterns = (value?["patterns"]?.elements ?? []).compactMap(\.stringBytes)
        obeysIgnoreFiles = flag("ignore_files")
        excludesCaches = flag("caches")
        staysOnOneFileSystem = flag("one_file_system")
        largestFileBytes = value?["largest_file_bytes"]?.integerValue
    }

    package var value: JSONValue {
        var members: [(key: String, value: JSONValue)] = [
            ("patterns", .array(patterns.map { .string($0) })), ("ignore_files", .boolean(obeysIgnoreFiles)),
            ("caches", .boolean(excludesCaches)), ("one_file_system", .boolean(staysOnOneFileSystem)),
        ]
        if let largestFileBytes { members.append(("largest_file_bytes", .integer(largestFileBytes))) }
        return .object(members)
    }
}
