import SnapcatPlatform

/// What a snapshot knows of itself: the first line of its companion.
public struct SnapshotFacts: Equatable, Sendable {
    /// A file that make could not read, or could not read in one piece.
    public struct Problem: Equatable, Sendable {
        public var name: EntryName
        public var message: String

        public init(name: EntryName, message: String) {
            self.name = name
            self.message = message
        }
    }

    public var host = ""
    public var user = ""
    /// The file root, absolute where it is local.
    public var fileRoot: [UInt8] = []
    public var tags: [String] = []
    public var note = ""
    public var startedAt = SnapshotTime(microseconds: 0)
    public var finishedAt = SnapshotTime(microseconds: 0)
    /// The start of the scan by the clock that stamps files, in nanoseconds since 1970.
    public var scanStartNanoseconds: Int64?
    /// Of the file root.
    public var device: Int64?
    /// The program and its version.
    public var tool = ""
    public var files: Int64 = 0
    /// The sum of the files' sizes.
    public var bytes: Int64 = 0
    public var nodes: Int64 = 0
    /// Files that changed while they were read, and were stored as read.
    public var unstable: [Problem] = []
    /// Files and folders that could not be read: they are not in the snapshot.
    public var errors: [Problem] = []
    /// Problems beyond the number that is listed.
    public var omittedProblems: Int64 = 0
    public var exclusions = Exclusions()

    public init() {}

    /// The format of the companion itself.
    package static let formatVersion: Int64 = 1
    /// So many problems are listed by name; the rest is counted.
    package static let mostListedProblems = 100_000

    package init(parsing line: UnsafeRawBufferPointer) throws(JSONScanner.Failure) {
        let value = try JSONValue(parsing: Array(line))
        guard value["format"]?.integerValue != nil else {
            throw JSONScanner.Failure(reason: "no companion: the first line has no format", offset: 0)
        }
        func text(_ key: String) -> String { value[key]?.stringText ?? "" }
        func time(_ key: String) -> SnapshotTime {
            SnapshotTime(microseconds: value[key]?.integerValue ?? 0)
        }
        func problems(_ key: String) -> [Problem] {
            (value[key]?.elements ?? []).map {
                Problem(name: EntryName($0["name"]?.stringBytes ?? []), message: $0["message"]?.stringText ?? "")
            }
        }
        host = text("host")
        user = text("user")
        fileRoot = value["file_root"]?.stringBytes ?? []
        tags = (value["tags"]?.elements ?? []).compactMap(\.stringText)
        note = text("note")
        startedAt = time("started_us")
        finishedAt = time("finished_us")
        scanStartNanoseconds = value["scan_start_ns"]?.integerValue
        device = value["device"]?.integerValue
        tool = text("tool")
        files = value["files"]?.integerValue ?? 0
        bytes = value["bytes"]?.integerValue ?? 0
        nodes = value["nodes"]?.integerValue ?? 0
        unstable = problems("unstable")
        errors = problems("errors")
        omittedProblems = value["omitted_problems"]?.integerValue ?? 0
        exclusions = Exclusions(value["exclusions"])
    }

    package var line: [UInt8] {
        func problems(_ list: [Problem]) -> JSONValue {
            .array(list.map { .object([("name", .string($0.name.bytes)), ("message", .text($0.message))]) })
        }
        var members: [(key: String, value: JSONValue)] = [
            ("format", .integer(Self.formatVersion)), ("host", .text(host)), ("user", .text(user)),
            ("file_root", .string(fileRoot)), ("tags", .array(tags.map { .text($0) })), ("note", .text(note)),
            ("started_us", .integer(startedAt.microseconds)), ("finished_us", .integer(finishedAt.microseconds)),
            ("tool", .text(tool)), ("files", .integer(files)), ("bytes", .integer(bytes)),
            ("nodes", .integer(nodes)), ("unstable", problems(unstable)), ("errors", problems(errors)),
            ("omitted_problems", .integer(omittedProblems)), ("exclusions", exclusions.value),
        ]
        if let scanStartNanoseconds { members.append(("scan_start_ns", .integer(scanStartNanoseconds))) }
        if let device { members.append(("device", .integer(device))) }
        return JSONValue.object(members).bytes
    }
}
