/// The SQL of the catalog, as text.
///
/// Migrations are numbered and frozen once released; the views are the stable contract.
package enum Schema {
    /// In order: the n-th brings a catalog from version n-1 to n.
    package static var migrations: [String] { [text(PackageResources.m001_catalog_sql)] }

    /// Dropped and created anew whenever the catalog's version is not the binary's.
    package static var views: String { text(PackageResources.views_sql) }

    /// What a catalog's `user_version` must be. Raised by every change of a table or a view.
    package static let version: Int32 = 5

    /// The saved queries that come with the program, by name: the files of `queries/`.
    package static var queries: [(name: String, sql: String)] { queryFiles.map { ($0.name, text($0.bytes)) } }

    private static let queryFiles: [(name: String, bytes: [UInt8])] = [
        ("where-is", PackageResources.where_is_sql),
        ("history", PackageResources.history_sql),
        ("deleted", PackageResources.deleted_sql),
        ("growth", PackageResources.growth_sql),
        ("growth-by-ext", PackageResources.growth_by_ext_sql),
        ("snapshot-bytes", PackageResources.snapshot_bytes_sql),
        ("freed-if-forgotten", PackageResources.freed_if_forgotten_sql),
        ("churn", PackageResources.churn_sql),
        ("duplicates", PackageResources.duplicates_sql),
        ("renamed", PackageResources.renamed_sql),
        ("changed-percent", PackageResources.changed_percent_sql),
        ("missing", PackageResources.missing_sql),
        ("orphans", PackageResources.orphans_sql),
        ("unverified", PackageResources.unverified_sql),
        ("bit-rot", PackageResources.bit_rot_sql),
        ("size-conflicts", PackageResources.size_conflicts_sql),
        ("case-twins", PackageResources.case_twins_sql),
        ("risky-modes", PackageResources.risky_modes_sql),
        ("largest-folders", PackageResources.largest_folders_sql),
        ("unchanged", PackageResources.unchanged_sql),
        ("gaps", PackageResources.gaps_sql),
    ]

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
