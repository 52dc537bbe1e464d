import GRDB
import SnapcatPlatform

/// Names to ids. Ids are given in the order of first sight, which is nearly the order of names.
package final class PathTable {
    static let columns = ["name", "folder_id", "ext"]
    private let find: Statement
    private let add: Statement
    private let findFolder: Statement
    private let addFolder: Statement
    private let nameOf: Statement
    // Files of one folder follow each other: one look-up serves them all.
    private var lastFolder: (name: ArraySlice<UInt8>, id: Int64)?

    package init(_ db: Database) throws {
        find = try Statement(db, "SELECT id FROM path WHERE name = ?")
        add = try Statement(db, "INSERT INTO path (\(Self.columns.joined(separator: ", "))) VALUES (?, ?, ?)")
        findFolder = try Statement(db, "SELECT id FROM folder WHERE name = ?")
        addFolder = try Statement(db, "INSERT INTO folder (name, parent_id) VALUES (?, ?)")
        nameOf = try Statement(db, "SELECT name FROM path WHERE id = ?")
    }

    package func existing(_ name: [UInt8]) throws -> Int64? {
        try find.bind(1, text: name).first { $0.integer(0) }
    }

    package func id(_ name: [UInt8]) throws -> Int64 {
        if let id = try existing(name) { return id }
        return try insert(name)
    }

    /// For names that are known to be new.
    private func insert(_ name: [UInt8]) throws -> Int64 {
        try bind(name, to: add, at: 1)
        try add.run()
        return lastId
    }

    /// Binds the columns of a name; its folders are added where they are new.
    func bind(_ name: [UInt8], to statement: Statement, at first: Int32) throws {
        let slash = name.lastIndex(of: UInt8(ascii: "/"))
        let folder = try folderId(name[..<(slash ?? 0)])
        let base = name[(slash.map { $0 + 1 } ?? 0)...]
        statement.bind(first, text: name).bind(first + 1, folder).bind(first + 2, text: Self.fileExtension(base))
    }

    /// The id of the row that was inserted last, be it a name or a folder.
    var lastId: Int64 { add.lastInsertedId }

    package func name(_ id: Int64) throws -> [UInt8] {
        try nameOf.bind(1, id).first { $0.bytes(0) } ?? []
    }

    private func folderId(_ name: ArraySlice<UInt8>) throws -> Int64 {
        if let lastFolder, lastFolder.name == name { return lastFolder.id }
        let id: Int64
        if let found = try name.withUnsafeBytes({ try findFolder.bind(1, text: $0).first { $0.integer(0) } }) {
            id = found
        } else {
            let parent = try name.isEmpty ? nil : folderId(name[..<(name.lastIndex(of: UInt8(ascii: "/")) ?? name.startIndex)])
            try name.withUnsafeBytes { try addFolder.bind(1, text: $0).bind(2, parent).run() }
            id = addFolder.lastInsertedId
        }
        lastFolder = (name, id)
        return id
    }

    /// What follows the last dot, in lower case; empty for none, for a leading dot alone, and for long tails.
    package static func fileExtension(_ base: ArraySlice<UInt8>) -> [UInt8] {
        guard let dot = base.lastIndex(of: UInt8(ascii: ".")), dot > base.startIndex, base.endIndex - dot <= 17
        else { return [] }
        return base[(dot + 1)...].map { (65...90).contains($0) ? $0 + 32 : $0 }
    }
}
