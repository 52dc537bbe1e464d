import Benchmark
import Foundation
import Snapcat
import SnapcatStorage

/// The walk with its merge: a make of which nothing has changed, and one of which everything is new.
func treeBenchmarks() {
    Benchmark("make: 5,000 files, nothing changed") { benchmark, tree in
        let summary = try await tree.repository.make(tree.path)
        precondition(summary.readFiles == 0)
    } setup: {
        let tree = try Tree(files: 5_000)
        _ = try await tree.repository.make(tree.path)
        return tree
    } teardown: { tree in
        try tree?.remove()
    }

    Benchmark("make: 2,000 files, all new") { benchmark, tree in
        let summary = try await tree.emptyRepository().make(tree.path)
        precondition(summary.newObjects > 0)
    } setup: {
        try Tree(files: 2_000)
    } teardown: { tree in
        try tree?.remove()
    }
}

/// Small files in folders of a hundred, in the temporary folder; the repository is in memory.
private struct Tree {
    let path: String
    let repository: Repository

    init(files: Int) throws {
        path = FileManager.default.temporaryDirectory.path + "/snapcat-microbench-\(UUID())"
        for number in 0..<files {
            let folder = path + "/folder-\(number / 100)"
            if number % 100 == 0 { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }
            try Data("file \(number) of many\n".utf8).write(to: URL(fileURLWithPath: folder + "/file-\(number).txt"))
        }
        repository = Self.emptyRepository()
    }

    static func emptyRepository() -> Repository {
        Repository(.init(snapRoot: MemoryStorage(), heapRoot: MemoryStorage(), catalog: nil))
    }

    func emptyRepository() -> Repository { Self.emptyRepository() }

    func remove() throws { try FileManager.default.removeItem(atPath: path) }
}
