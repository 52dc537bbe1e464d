import ArgumentParser
import Snapcat

struct SchemaCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema", abstract: "The views and their columns, described.", discussion: ExitStatus.help)

    @Argument(help: ArgumentHelp("Only this view.", valueName: "view"))
    var view: String?
    @Flag(help: .hidden)
    var page = false
    @OptionGroup var rows: RowOptions

    func run() async throws {
        if page { return try Terminal.line(String(SchemaDescription.page.dropLast())) }
        try Self.show(view, rows)
    }

    static func show(_ view: String?, _ rows: RowOptions) throws {
        let columns = SchemaDescription.columns.filter { view == nil || $0.view == view }
        if let view, columns.isEmpty {
            throw SnapcatError(.usage, "No such view", view, advice: "see 'snapcat schema'")
        }
        if rows.sql { return try Terminal.line(SchemaDescription.sql(of: view)) }
        let writer = rows.writer([Column("view"), Column("column"), Column("description")])
        for column in columns.prefix(rows.limit ?? .max) {
            try writer.row([.string(column.view), .string(column.name), .string(column.description)])
        }
        try writer.finish()
    }
}
