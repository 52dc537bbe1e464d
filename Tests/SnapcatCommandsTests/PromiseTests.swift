import Foundation
import SnapcatTestSupport
import Testing

/// The page of promises: each has tests, and each test that it names exists.
@Suite struct PromiseTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private struct Named: Hashable, CustomStringConvertible {
        var suite: String
        var test: String
        var description: String { "`\(suite)` / `\(test)`" }
    }

    /// The tests of the page, by the number of their promise.
    private static func named(in page: String) -> [Int: [Named]] {
        var result: [Int: [Named]] = [:]
        for section in page.components(separatedBy: "\n## ").dropFirst() {
            guard let number = Int(section.prefix { $0.isNumber }) else { continue }
            result[number] = section.matches(of: /`([A-Za-z]+Tests)`\s*\/\s*`([^`]+)`/).map { Named(suite: String($0.1), test: String($0.2)) }
        }
        return result
    }

    /// Every test of every suite, by what the sources say.
    private static func existing() throws -> Set<Named> {
        let tests = root.appendingPathComponent("Tests")
        var result: Set<Named> = []
        for case let name as String in FileManager.default.enumerator(atPath: tests.path) ?? .init() 
        // What a build has put there is not ours.
        where name.hasSuffix("Tests.swift") && !name.contains(".build") {
            var suite: String?
            var isTest = false
            for line in try String(contentsOf: tests.appendingPathComponent(name), encoding: .utf8).split(separator: "\n") {
                if let match = line.firstMatch(of: /^@Suite.* struct (\w+)/) ?? line.firstMatch(of: /^struct (\w+Tests)\b/) { suite = String(match.1) }
                if line.contains("@Test") { isTest = true }
                guard isTest, let suite, let match = line.firstMatch(of: /\bfunc (?:`([^`]+)`|(\w+))\s*\(/) else { continue }
                result.insert(Named(suite: suite, test: String(match.1 ?? match.2 ?? "")))
                isTest = false
            }
        }
        return result
    }

    @Test func everyPromiseHasTestsAndEveryTestExists() throws {
        let page = try String(
            contentsOf: Self.root.appendingPathComponent("Sources/Snapcat/Documentation.docc/Promises.md"), encoding: .utf8)
        let named = Self.named(in: page)
        #expect(named.keys.sorted() == Array(1...10))
        let existing = try Self.existing()
        #expect(existing.count > 300, "\(existing.count)")
        for (number, tests) in named.sorted(by: { $0.key < $1.key }) {
            #expect(!tests.isEmpty, "promise \(number)")
            for test in tests where !existing.contains(test) { Issue.record("promise \(number): there is no \(test)") }
        }
        // Each clause names one.
        for line in page.components(separatedBy: "\n- ").dropFirst() { #expect(line.contains("Tests` / `"), "\(line.prefix(60))") }
    }
}
