import SnapcatCatalog
import SnapcatFormat
import SnapcatPlatform

/// A question to the catalog: SQL over the public views, and what its parameters stand for.
public struct Question: Sendable, Equatable {
    public var sql: String
    /// By name, without the `:`; bound as text, the column's affinity does the rest.
    public var parameters: [String: String]
    /// NULL where they are not given.
    public var optionalParameters: Set<String> = []

    public init(_ sql: String, _ parameters: [String: String] = [:]) {
        self.sql = sql
        self.parameters = parameters
    }

    /// The SQL, with the parameters as comments behind it: for `--sql`.
    public var text: String {
        sql + parameters.sorted { $0.key < $1.key }
            .map { "\n-- :\($0.key) = '\(TerminalText.oneLine($0.value))'" }.joined()
    }

    public var options: QueryOptions {
        var options = QueryOptions()
        options.parameters = parameters
        options.optionalParameters = optionalParameters
        return options
    }

    /// A column to sort by, one of those of the question.
    public struct Order: Sendable, Equatable {
        public var column: String
        public var isDescending: Bool

        public init(_ column: String, isDescending: Bool = false) {
            self.column = column
            self.isDescending = isDescending
        }

        package var sql: String { "\(column)\(isDescending ? " DESC" : "")" }
    }
}

extension Repository {
    /// The time of the snapshot that a reference names, in microseconds: what `valid_from_us` is compared with.
    public func microseconds(
        of reference: SnapshotReference, syncs: Bool = true, monitor: Monitor = .silent
    ) async throws -> Int64 {
        try await indexed(reference, syncs: syncs, monitor).name.time.microseconds
    }

    /// Its surrogate key: what `snapshot_id` is compared with.
    public func snapshotId(
        of reference: SnapshotReference, syncs: Bool = true, monitor: Monitor = .silent
    ) async throws -> Int64 {
        try await indexed(reference, syncs: syncs, monitor).id
    }

    private func indexed(
        _ reference: SnapshotReference, syncs: Bool, _ monitor: Monitor
    ) async throws -> IndexedSnapshot {
        try await run("snapcat-resolve", monitor) { [self] in
            let snapshot = try resolve(reference, monitor, syncs: syncs)
            if snapshot.isDamaged { throw damaged(snapshot) }
            return snapshot
        }
    }
}
