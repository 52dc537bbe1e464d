import SnapcatPlatform

/// A root or a file as the user writes it: a path, or a URL.
public struct StorageLocation: Sendable, Equatable, CustomStringConvertible {
    /// "file", "memory", "s3", ...
    public let scheme: String
    /// What follows the scheme.
    public let path: [UInt8]

    /// Throws `.usage` for an empty text, and for a scheme that this program has no storage for.
    public init(_ text: String) throws(SnapcatError) {
        guard !text.isEmpty else { throw SnapcatError(.usage, "An empty path") }
        let bytes = Array(text.utf8)
        let mark = Array("://".utf8)
        guard let colon = bytes.indices.first(where: { bytes[$0...].starts(with: mark) }), colon > 0 else {
            scheme = "file"
            path = Self.absolute(bytes)
            return
        }
        scheme = String(decoding: bytes[..<colon], as: UTF8.self).lowercased()
        path = Array(bytes[(colon + 3)...])
        guard scheme == "file" else {
            throw SnapcatError(
                .usage, "No storage for", "\(scheme)://", advice: "use a local path, or file:///path")
        }
        guard path.first == UInt8(ascii: "/") else {
            throw SnapcatError(.usage, "Not an absolute file URL", text, advice: "write file:///path")
        }
    }

    /// By the current folder, symlinks as they are: the path that snapshooter would show.
    private static func absolute(_ path: [UInt8]) -> [UInt8] {
        if path.first == UInt8(ascii: "/") { return path }
        guard let current = FolderOperations.realPath([UInt8(ascii: ".")]) else { return path }
        let rest = path.starts(with: Array("./".utf8)) ? Array(path.dropFirst(2)) : path == Array(".".utf8) ? [] : path
        return rest.isEmpty ? current : current + [UInt8(ascii: "/")] + rest
    }

    public var description: String { TerminalText.lossy(path) }

    /// The storage below this place.
    public func open() -> any Storage { LocalStorage(root: path) }

    /// The storage that holds this file, and its key there.
    package func openFile() throws(SnapcatError) -> (storage: any Storage, key: StorageKey) {
        let slash = path.lastIndex(of: UInt8(ascii: "/"))
        let folder = slash.map { $0 == 0 ? [UInt8(ascii: "/")] : Array(path[..<$0]) } ?? [UInt8(ascii: ".")]
        let name = Array(path[(slash.map { $0 + 1 } ?? 0)...])
        guard !name.isEmpty else { throw SnapcatError(.usage, "Not a file", description) }
        return (LocalStorage(root: folder), StorageKey(name))
    }
}
