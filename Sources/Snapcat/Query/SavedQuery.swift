import Foundation
import SnapcatPlatform
import SnapcatSchema

/// A question that is kept under a name: SQL that begins with comments which describe it.
///
/// The first comment line says what it answers. Each further `-- :name what it means` declares a parameter: one with
/// `(default: ...)` may be left out, and is NULL then; one whose meaning begins with `snapshot:` takes a reference, its
/// default is one too, and it is bound as the snapshot's time in microseconds.
public struct SavedQuery: Sendable, Equatable {
    public struct Parameter: Sendable, Equatable {
        public var name: String
        public var description: String
        public var isOptional: Bool { defaultText != nil }
        /// What stands in `(default: ...)`.
        var defaultText: String? {
            guard let start = description.firstRange(of: "(default: ") else { return nil }
            return String(description[start.upperBound...].prefix { $0 != ")" })
        }
        public var isSnapshot: Bool { description.hasPrefix("snapshot:") }
    }

    public enum Origin: Sendable, Equatable {
        case builtIn
        /// The user's own.
        case file(String)
    }

    public var name: String
    public var description: String
    public var parameters: [Parameter]
    public var sql: String
    public var origin: Origin

    package init(name: String, sql: String, origin: Origin) {
        self.name = name
        self.sql = sql
        self.origin = origin
        var description = ""
        parameters = []
        for line in sql.split(separator: "\n", omittingEmptySubsequences: false).prefix(while: { $0.hasPrefix("--") }) {
            let text = line.dropFirst(2).drop { $0 == " " }
            if text.first == ":" {
                let parts = text.dropFirst().split(separator: " ", maxSplits: 1)
                parameters.append(Parameter(name: String(parts.first ?? ""), description: String(parts.dropFirst().first ?? "")))
            } else if description.isEmpty {
                description = String(text)
            }
        }
        self.description = description
    }

    /// The ones that come with the program.
    public static var builtIn: [SavedQuery] {
        Schema.queries.map { SavedQuery(name: $0.name, sql: $0.sql, origin: .builtIn) }
    }

    /// One word of letters, digits, `-`, `_` and `.` is a name, and no SQL.
    public static func isName(_ text: String) -> Bool {
        !text.isEmpty && !text.hasPrefix(".") && !text.hasPrefix("-") && text != "-"
            && text.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0)
                    || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ".")
            }
    }
}

/// Where saved queries are looked for: the user's folders in their order, then the program.
public struct SavedQueryLibrary: Sendable {
    private let folders: [String]

    /// `folders`: the first has precedence; those that do not exist hold nothing.
    public init(folders: [String]) { self.folders = folders }

    private static let suffix = ".sql"

    /// All of them by name, each name once: that of the first place that has it. Throws for a file that cannot be read.
    public func all() throws -> [SavedQuery] {
        var found: [String: SavedQuery] = [:]
        for folder in folders {
            for name in try names(in: folder) where found[name] == nil { found[name] = try read(name, in: folder) }
        }
        for query in SavedQuery.builtIn where found[query.name] == nil { found[query.name] = query }
        return found.values.sorted { $0.name < $1.name }
    }

    /// The one of a name. `.usage` where there is none.
    public func query(_ name: String) throws -> SavedQuery {
        for folder in folders where try names(in: folder).contains(name) { return try read(name, in: folder) }
        if let query = SavedQuery.builtIn.first(where: { $0.name == name }) { return query }
        throw SnapcatError(.usage, "No saved query", name, advice: "see 'snapcat query --list'; SQL is more than one word")
    }

    private func names(in folder: String) throws -> [String] {
        guard FolderOperations.realPath(Array(folder.utf8)) != nil else { return [] }
        return try withSystemErrors("Cannot read the folder of saved queries", Array(folder.utf8)) {
            try FolderListing.items(in: Descriptor.open(Array(folder.utf8), [.read, .folder]))
        }
        .compactMap { item in
            guard let name = String(validating: item.name, as: UTF8.self), name.hasSuffix(Self.suffix) else { return nil }
            let stem = String(name.dropLast(Self.suffix.count))
            return SavedQuery.isName(stem) ? stem : nil
        }
    }

    private func read(_ name: String, in folder: String) throws -> SavedQuery {
        let path = "\(folder)/\(name)\(Self.suffix)"
        do { return SavedQuery(name: name, sql: try String(contentsOfFile: path, encoding: .utf8), origin: .file(path)) } catch {
            throw SnapcatError(.failed, "Cannot read the saved query", path, reason: "it cannot be opened, or is not UTF-8")
        }
    }
}

extension Repository {
    /// The question of a saved query with these parameters; references to snapshots are resolved.
    public func question(
        _ saved: SavedQuery, parameters: [String: String], syncs: Bool = true, monitor: Monitor = .silent
    ) async throws -> Question {
        var question = Question(saved.sql, parameters)
        question.optionalParameters = Set(saved.parameters.filter(\.isOptional).map(\.name))
        for parameter in saved.parameters {
            guard let value = parameters[parameter.name] else {
                if parameter.isSnapshot, let text = parameter.defaultText {
                    question.parameters[parameter.name] = try await time(ofDefault: text, syncs, monitor)
                } else if !parameter.isOptional {
                    throw SnapcatError(
                        .usage, "The saved query \(saved.name) needs a parameter", parameter.name,
                        reason: parameter.description, advice: "give -p \(parameter.name)=value")
                }
                continue
            }
            guard parameter.isSnapshot else { continue }
            let reference = try SnapshotReference.parse(value, clock: clock)
            question.parameters[parameter.name] = String(
                try await microseconds(of: reference, syncs: syncs, monitor: monitor))
        }
        return question
    }

    /// nil where a repository has too few snapshots for a default: then the answer is empty, and no error.
    private func time(ofDefault text: String, _ syncs: Bool, _ monitor: Monitor) async throws -> String? {
        let reference = try SnapshotReference.parse(text, clock: clock)
        do { return String(try await microseconds(of: reference, syncs: syncs, monitor: monitor)) } catch
            let error as SnapcatError where error.code == .noSnapshot { return nil }
    }
}
