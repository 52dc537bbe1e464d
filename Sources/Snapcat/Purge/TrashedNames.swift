import SnapcatFormat
import SnapcatPlatform
import SnapcatStorage

/// What the snapshots of the trash have of some names: a purge leaves them as they are, and undelete brings them back.
struct TrashedNames {
    /// Those of the names that some of them have.
    private(set) var names: Set<[UInt8]> = []
    private var snapshots: Int64 = 0
    private var unreadable: Int64 = 0

    /// Reads them all.
    init(_ store: SnapshotStore, _ names: PurgedNames, _ cancellation: CancellationFlag) throws {
        for item in try SnapshotTrash(store: store).items() {
            do {
                let found = try Self.found(store, item, names, cancellation)
                if !found.isEmpty { snapshots += 1 }
                self.names.formUnion(found)
            } catch let error as SnapcatError where error.code == .notFound {
                // gc has removed it meanwhile.
                continue
            } catch let error as SnapcatError where error.isOfTheFile {
                unreadable += 1
            }
        }
    }

    private static func found(
        _ store: SnapshotStore, _ item: SnapshotTrash.Item, _ names: PurgedNames, _ cancellation: CancellationFlag
    ) throws -> Set<[UInt8]> {
        var found: Set<[UInt8]> = []
        let entries = try store.entries(item.key)
        var lines = 0
        while try entries.advance() {
            try entries.parse()
            lines += 1
            if lines & 0xffff == 0 { try cancellation.check() }
            if names.contains(entries.entryName) { found.formUnion(names.those(of: entries.entryName)) }
        }
        guard let companion = try store.companion(of: item.key) else { return found }
        for problem in companion.facts.unstable + companion.facts.errors { found.formUnion(names.those(of: problem.name.bytes)) }
        while let node = try companion.nextNode() { found.formUnion(names.those(of: node.name.bytes)) }
        return found
    }

    func tell(_ monitor: Monitor) {
        if snapshots + unreadable == 0 { return }
        let what = unreadable == 0 ? "have such names" : snapshots == 0 ? "cannot be read" : "have such names or cannot be read"
        monitor.note(
            "not purged: \(snapshots + unreadable) snapshots of the trash, which \(what); 'snapcat gc --grace 0s' removes them for good")
    }
}
