import Foundation
import Snapcat
import SnapcatFormat
import SnapcatPlatform
import SnapcatStorage
import SnapcatTestSupport
import Synchronization
import Testing

/// Goal: a storage that fails costs the operation, never a snapshot. Method: the snapshots lie in memory, behind a storage
/// whose n-th call of each kind fails, with and without having been done; the objects lie in a local heap.
@Suite(.serialized) struct StorageFaultTests {
    /// A snap root in memory, its heap, and what its snapshots hold.
    private struct World: Sendable {
        let folder: TempFolder
        let memory = MemoryStorage(pageSize: 2)
        private(set) var states: [String: TreeState] = [:]
        var source: String { folder.path + "/source" }

        init() async throws {
            folder = try TempFolder()
            let repository = repository(memory)
            for version in 0..<3 {
                for (name, text) in ["a": "same\n", "b/c": "edit \(version)\n", "b/gone \(version)": "gone\n"] {
                    try folder.write("source/" + name, Array(text.utf8))
                }
                let name = try #require(try await repository.make(source).snapshot)
                states[name.stem] = try TreeState(source)
            }
            try folder.write("source/b/c", Array("live\n".utf8))
        }

        /// Two cases at a time share the heap.
        func repository(_ storage: any Storage) -> Repository {
            Repository(.init(snapRoot: storage, heapRoot: LocalStorage(root: folder.path + "/heap"), catalog: nil), lockWaitSeconds: 600)
        }

        func copy() async throws -> MemoryStorage {
            let copy = MemoryStorage(pageSize: 2)
            for item in try await memory.items(prefix: StorageKey("")) {
                try await copy.put(try await memory.contents(of: item.key), at: item.key, .exclusive)
            }
            return copy
        }
    }

    private enum Operation: String, CaseIterable, Sendable {
        case make, forget, undelete, purge, sync, check, restore
    }

    private struct Case: Sendable, CustomStringConvertible {
        var operation: Operation
        var fault: FaultyStorage.Fault
        var description: String { "\(operation), \(fault)" }
    }

    private static func run(_ operation: Operation, _ world: World, _ repository: Repository) async throws {
        let oldest = SnapshotReference.namePrefix(world.states.keys.sorted()[0])
        switch operation {
        case .make: _ = try await repository.make(world.source)
        case .forget:
            var options = ForgetOptions()
            options.policy.last = 1
            _ = try await repository.forget(options) { _ in }
        case .undelete: _ = try await repository.undelete { _ in }
        case .purge:
            var options = PurgeOptions()
            options.names = [Array("a".utf8)]
            _ = try await repository.purge(options) { _ in }
        case .sync: _ = try await repository.list()
        case .check: _ = try await repository.check(CheckOptions(readsData: true)) { _ in }
        case .restore: _ = try await repository.restore(oldest, to: try TempFolder().path + "/out")
        }
    }

    /// What every snapshot must hold, restored from a storage that is sound again.
    private static func losses(_ item: Case, _ world: World, _ storage: any Storage) async throws -> [String] {
        let repository = world.repository(storage)
        try await run(item.operation, world, repository)
        // Forgotten ones come back, and stay where they are not to.
        if [.forget, .undelete].contains(item.operation) { _ = try await repository.undelete { _ in } }
        let found = Mutex<[String]>([])
        _ = try await repository.check(CheckOptions(readsData: true)) { finding in
            if finding.isDamage { found.withLock { $0.append("\(finding.kind) \(finding.place): \(finding.message)") } }
        }
        _ = try await repository.verifyCatalog { difference in found.withLock { $0.append("catalog: \(difference)") } }
        let stems = Set(try await repository.list().map(\.name.stem))
        for (stem, state) in world.states {
            guard stems.contains(stem) else { found.withLock { $0.append("\(stem) is gone") }; continue }
            let out = try TempFolder()
            _ = try await repository.restore(.namePrefix(stem), to: out.path + "/out")
            let wanted = item.operation == .purge ? state.without("a") : state
            if let difference = try TreeState(out.path + "/out").difference(from: wanted) { found.withLock { $0.append("\(stem): \(difference)") } }
        }
        return found.withLock { $0 }
    }

    /// A storage in which the operation has something to do.
    private static func prepared(_ operation: Operation, _ world: World) async throws -> FaultyStorage {
        let storage = FaultyStorage(try await world.copy())
        if operation == .undelete { try await run(.forget, world, world.repository(storage)) }
        return storage
    }

    @Test func aStorageThatFailsLosesNoSnapshot() async throws {
        let world = try await World()
        var random = SeededRandom(seed: 20_261_124)
        var cases: [Case] = []
        for operation in Operation.allCases {
            let counted = try await Self.prepared(operation, world)
            counted.arm(nil)
            try await Self.run(operation, world, world.repository(counted))
            let counts = counted.counts
            let faults = FaultyStorage.Call.allCases.flatMap { call in
                (1...(counts[call] ?? 0) + 1).flatMap { number in
                    [(false, false), (true, false), (false, true)].map { FaultyStorage.Fault(call, number: number, forever: $0.0, isDone: $0.1) }
                }
            }
            cases += Torture.slice(faults.map { Case(operation: operation, fault: $0) }, 6, &random)
        }
        try await Torture.run("fault", unit: "failing calls of a storage", label: random.label, cases) { item in
            let storage = try await Self.prepared(item.operation, world)
            storage.arm(item.fault)
            do { try await Self.run(item.operation, world, world.repository(storage)) } catch is SnapcatError {}
            storage.arm(nil)
            return try await Self.losses(item, world, storage)
        }
    }

    @Test func aStorageWithoutFaultsKeepsTheContract() async throws {
        try await checkStorageContract { FaultyStorage(MemoryStorage(pageSize: 3)) }
    }
}
