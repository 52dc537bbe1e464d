import Foundation
import SnapcatTestSupport
import Testing

/// A repository whose history has something for every question of the cookbook.
struct EventfulRepository {
    let folder: TempFolder
    var repository: String { folder.path + "/repo" }

    init() async throws {
        folder = try TempFolder()
        try folder.write("docs/letter.txt", Array("hello\n".utf8))
        try folder.write("docs/photos/a.jpg", Array(repeating: 7, count: 5000))
        try folder.write("docs/photos/b.jpg", Array("b".utf8))
        try folder.write("docs/plans/notes.md", Array("notes\n".utf8))
        try folder.write("docs/back.txt", Array("comes back\n".utf8))
        try folder.write("docs/only-once.txt", Array("nobody else has this\n".utf8))
        try folder.write("docs/README", Array("upper\n".utf8))
        try folder.write("docs/readme", Array("lower\n".utf8))
        try await make()
        try folder.write("docs/letter.txt", Array("dear all\n".utf8))
        try FileManager.default.removeItem(atPath: folder.path + "/docs/back.txt")
        try FileManager.default.removeItem(atPath: folder.path + "/docs/only-once.txt")
        try FileManager.default.moveItem(
            atPath: folder.path + "/docs/photos/b.jpg", toPath: folder.path + "/docs/photos/c.jpg")
        try await make()
        try folder.write("docs/back.txt", Array("comes back\n".utf8))
        try folder.write("docs/photos/copy.jpg", Array(repeating: 7, count: 5000))
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o666], ofItemAtPath: folder.path + "/docs/plans/notes.md")
        try await make()
    }

    private func make() async throws {
        _ = try await SnapcatProcess.succeed(["make", folder.path + "/docs", "--repo", repository, "-q"])
    }
}

@Suite struct CookbookTests {
    private struct Recipe {
        var question: String
        var sql: String
    }

    private static func recipes() throws -> [Recipe] {
        let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let page = try String(
            contentsOf: package.appendingPathComponent("Sources/Snapcat/Documentation.docc/Cookbook.md"), encoding: .utf8)
        var result: [Recipe] = []
        var question = ""
        var sql: String?
        for line in page.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("### ") { question = String(line) }
            if line == "```sql" { sql = "" } else if line == "```", let whole = sql {
                result.append(Recipe(question: question, sql: whole))
                sql = nil
            } else if sql != nil { sql? += line + "\n" }
        }
        return result
    }

    @Test func `Every question of the cookbook is answered, and what should have rows has some`() async throws {
        let recipes = try Self.recipes()
        #expect(recipes.count >= 25)
        let history = try await EventfulRepository()
        for recipe in recipes {
            let result = try await SnapcatProcess.run(["query", "--repo", history.repository, "--format", "jsonl", recipe.sql])
            #expect(result.status == 0, "\(recipe.question): \(result.stderr)")
            #expect(result.lines.isEmpty == recipe.sql.contains("none, one hopes"), "\(recipe.question): \(result.text)")
        }
    }

    @Test func `The answers are right`() async throws {
        let history = try await EventfulRepository()
        let recipes = try Self.recipes()
        func answer(_ number: Int) async throws -> [String] {
            let recipe = try #require(recipes.first { $0.question.hasPrefix("### \(number). ") })
            return try await SnapcatProcess.succeed(["query", "--repo", history.repository, "--format", "csv", recipe.sql]).lines
        }
        #expect(try await answer(3) == ["content_text(md5)", "\"dear all", "\""])
        #expect(try await answer(8) == ["old_name,new_name", "photos/b.jpg,photos/c.jpg"])
        #expect(try await answer(10) == ["name,before,after", "plans/notes.md,-rw-r--r--,-rw-rw-rw-"])
        #expect(try await answer(21) == ["contents,size", "2,27 B"])
        #expect(try await answer(26) == ["name,mode", "plans/notes.md,-rw-rw-rw-"])
        #expect(try await answer(27) == ["folded,names,which", "readme,2,\"README, readme\""])
        #expect(try await answer(12).count == 2)
        #expect(try await answer(20).last?.hasSuffix("photos/a.jpg,4.9 KiB") == true)
    }
}
