import Snapcat

/// `query --list`.
enum SavedQueryList {
    static func print(_ library: SavedQueryLibrary, _ rows: RowOptions) throws {
        if rows.sql {
            for query in try library.all() { try Terminal.line("-- \(query.name)\n\(query.sql)") }
            return
        }
        let writer = rows.writer(["name", "description", "parameters", "origin"].map { Column($0) })
        for query in try library.all().prefix(rows.limit ?? .max) {
            let parameters = query.parameters.map { "\($0.name): \($0.description)" }.joined(separator: "; ")
            let origin: String
            switch query.origin {
            case .builtIn: origin = "built-in"
            case .file(let path): origin = path
            }
            try writer.row([
                .string(query.name), .string(query.description), .string(parameters.isEmpty ? nil : parameters), .string(origin),
            ])
        }
        try writer.finish()
    }
}
