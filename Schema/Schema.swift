/// The SQL of the catalog, as text.
///
/// Migrations are numbered and frozen once released; the views are the stable contract.
package enum Schema {
    /// In order: the n-th brings a catalog from version n-1 to n.
    package static var migrations: [String] { [text(PackageResources.m001_catalog_sql)] }

    /// Dropped and created anew whenever the catalog's version is not the binary's.
    package static var views: String { text(PackageResources.views_sql) }

    /// What a catalog's `user_version` must be. Raised by every change of a table or a view.
    package static let version: Int32 = 2

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
