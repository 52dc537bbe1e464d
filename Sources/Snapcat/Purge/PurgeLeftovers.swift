import SnapcatCatalog
import SnapcatFormat
import SnapcatHeap
import SnapcatPlatform
import SnapcatStorage

/// What may still have purged names, or their contents, once the snapshots are without them.
extension Repository {
    /// Brings the catalog up to the snapshots, and takes the names out of its file. `isChanged`: some have been written.
    ///
    /// What hinders it is told: the snapshots are written.
    func purgeCatalog(of names: PurgedNames, isChanged: Bool, _ monitor: Monitor) throws {
        do {
            // Of a purge that was interrupted, or of snapshots that were forgotten, the catalog alone may have them.
            guard try isChanged || withUsableCatalog(monitor, { try catalog(monitor).knows(names.sorted) }) else { return }
            _ = try syncedSnapshots(monitor)
        } catch let error as SnapcatError where error.code != .interrupted {
            monitor.problem(error)
            monitor.note("the snapshots are written; the catalog follows at the next command, and has the names until '\(Self.remedy)'")
            return
        }
        do {
            let catalog = try catalog(monitor)
            if catalog.path != nil {
                try catalog.eraseUnusedNames()
            } else if let path = catalogPath, try exists(path) {
                monitor.note("the names stay in '\(TerminalText.lossy(path))' until '\(Self.remedy)'")
            }
        } catch let error as SnapcatError where error.code != .interrupted {
            monitor.note("the names stay in the catalog until '\(Self.remedy)': \(error.description)")
        }
        tellOfFormerCatalogs(monitor)
    }

    private static var remedy: String { "snapcat catalog rebuild" }

    private func exists(_ path: [UInt8]) throws -> Bool {
        try withSystemErrors("Cannot look at the catalog", path) { try Descriptor.statusIfPresent(path) } != nil
    }

    private func tellOfFormerCatalogs(_ monitor: Monitor) {
        do {
            for former in try catalogPath.map({ try Catalog.formerCatalogs(of: $0) }) ?? [] {
                monitor.note("'\(TerminalText.lossy(former))' was a catalog and may still have the names: remove it by hand")
            }
        } catch {
            monitor.note("what else lies beside the catalog may still have the names: \(error)")
        }
    }

    /// The paths of what lies in the heap's folder `damaged`, by the md5 of the content that it was. gc does not look there.
    func damagedCopies(_ monitor: Monitor) -> [MD5Digest: [String]] {
        guard let heap else { return [:] }
        let folder = Array("damaged/".utf8)
        do {
            let keys = try heap.storage.items(prefix: StorageKey(folder), mostComponents: 2).map(\.key)
            return Dictionary(grouping: keys) { MD5Digest(hex: $0.bytes.dropFirst(folder.count).prefix(32)) }
                .reduce(into: [:]) { copies, found in
                    if let md5 = found.key { copies[md5] = found.value.map { "\(heap.storage.place)/\($0)" } }
                }
        } catch {
            monitor.note("whether the heap has damaged copies of purged contents is not known: \(error)")
            return [:]
        }
    }
}
