import Benchmark
import Foundation
import Snapcat

/// The walk with its merge: a make of which nothing has changed, and one of which everything is new.
func treeBenchmarks() {
    Benchmark("make: 5,000 files, nothing changed") { (benchmark: Benchmark, tree: Tree) in
        let summary = try await tree.repository.make(tree.path)
        precondition(summary.readFiles == 0)
    } setup: { () async throws -> Tree in
        let tree = try Tree(files: 5_000)
        _ = try await tree.repository.make(tree.path)
        return tree
    } teardown: {
        try Tree.remove(files: 5_000)
    }

    Benchmark("make: 2,000 files, all new") { (benchmark: Benchmark, tree: Tree) in
        let summary = try await tree.emptyRepository().make(tree.path)
        precondition(summary.newObjects > 0)
    } setup: { () async throws -> Tree in
        try Tree(files: 2_000)
    } teardown: {
        try Tree.remove(files: 2_000)
    }
}

/// Small files in folders of a hundred, and repositories beside them, in the temporary folder.
private struct Tree {
    private let base: String
    let path: String
    let repository: Repository

    init(files: Int) throws {
        base = Self.base(files: files)
        path = base + "/tree"
        for number in 0..<files {
            let folder = path + "/folder-\(number / 100)"
            if number % 100 == 0 { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }
            try Data("file \(number) of many\n".utf8).write(to: URL(fileURLWithPath: folder + "/file-\(number).txt"))
        }
        repository = Repository(folder: base + "/repository")
    }

    func emptyRepository() -> Repository { Repository(folder: base + "/repository-\(UUID())") }

    private static func base(files: Int) -> String {
        FileManager.default.temporaryDirectory.path + "/snapcat-microbench-\(getpid())-\(files)"
    }

    static func remove(files: Int) throws { try FileManager.default.removeItem(atPath: base(files: files)) }
}
