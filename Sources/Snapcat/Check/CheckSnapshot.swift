import SnapcatFormat
import SnapcatPlatform
import SnapcatStorage

/// Reads a snapshot and its companion to their ends and tells what is wrong with them.
struct CheckSnapshot {
    let store: SnapshotStore
    let item: SnapshotStore.Item
    let cancellation: CancellationFlag
    /// Of one kind so many are told, of all others their number.
    private static let mostTold = 20

    /// A snapshot that others replace all the time is told as it was in the last of so many looks.
    private static let mostLooks = 10

    /// Returns the number of lines. What is found is told where the files are still those in which it was found:
    /// one that was forgotten or purged meanwhile is no damage.
    func run(_ tell: (CheckFinding) throws -> Void) throws -> Int64 {
        var current = item
        var look = 0
        while true {
            look += 1
            var found: [CheckFinding] = []
            let lines = try Self(store: store, item: current, cancellation: cancellation).examine { found.append($0) }
            if found.isEmpty { return lines }
            let now = try store.item(item.name, item.key)
            if try now == nil && store.isGone(item) { return 0 }
            guard let now, now != current, look < Self.mostLooks else {
                for finding in found { try tell(finding) }
                return lines
            }
            current = now
        }
    }

    private func examine(_ tell: (CheckFinding) throws -> Void) throws -> Int64 {
        let place = store.displayPath(item.key)
        var lines: Int64 = 0
        do { lines = try checkLines(place, tell) } catch let error as SnapcatError where error.isOfTheFile {
            try tell(CheckFinding(.snapshot, place: place, error.message))
        }
        do { try checkCompanion(files: lines, tell) } catch let error as SnapcatError where error.isOfTheFile {
            try tell(CheckFinding(.companion, place: store.displayPath(store.companionKey(of: item.key)), error.message))
        }
        return lines
    }

    private func checkLines(_ place: String, _ tell: (CheckFinding) throws -> Void) throws -> Int64 {
        let reader = try store.entries(item.key)
        var last: (name: [UInt8], md5: MD5Digest?)?
        var (lines, unsorted, withoutContent, duplicates): (Int64, Int64, Int64, Int64) = (0, 0, 0, 0)
        var isOfSnapcat = false
        var told = 0
        while try reader.advance() {
            let fields = try reader.parse()
            lines += 1
            if lines & 0xffff == 0 { try cancellation.check() }
            if fields.md5 == nil { withoutContent += 1 }
            if fields.has(.mtimeNs) { isOfSnapcat = true }
            let name = EntryName(reader.entryName)
            if let objection = name.restoreObjection, told < Self.mostTold {
                told += 1
                try tell(CheckFinding(.name, place: place, name: name, "a restore leaves it out: \(objection)"))
            }
            if let last {
                let order = last.name.withUnsafeBytes { a in reader.entryName.withUnsafeBytes { NameOrder.compare(a, $0) } }
                if order > 0 { unsorted += 1 }
                if order == 0 && last.md5 != fields.md5 {
                    throw reader.damage("'\(name)' comes twice with different contents")
                }
                if order == 0 {
                    duplicates += 1
                    if duplicates <= Self.mostTold {
                        try tell(CheckFinding(.duplicate, isDamage: false, place: place, name: name, "the name comes twice; the first line counts"))
                    }
                }
            }
            last = (reader.entryName, fields.md5)
        }
        if duplicates > Self.mostTold {
            try tell(CheckFinding(.duplicate, isDamage: false, place: place, "\(duplicates) names come twice"))
        }
        if unsorted > 0 {
            let message = "\(unsorted) lines are out of order, as snapshooter leaves them after a restore"
            try tell(CheckFinding(.order, isDamage: false, place: place, message))
        }
        if withoutContent > 0 {
            try tell(CheckFinding(.snapshot, place: place, "\(withoutContent) lines have no md5 and cannot be restored"))
        }
        // No damage for certain: another program may have written the lines anew.
        if isOfSnapcat, try !store.storage.isOccupied(store.companionKey(of: item.key)) {
            try tell(
                CheckFinding(
                    .companion, isDamage: false, place: place,
                    "it has no companion: its links, its empty folders and what was left out of it are not known"))
        }
        return lines
    }

    private func checkCompanion(files: Int64, _ tell: (CheckFinding) throws -> Void) throws {
        guard let companion = try store.companion(of: item.key) else { return }
        let place = store.displayPath(store.companionKey(of: item.key))
        var last: EntryName?
        var nodes: Int64 = 0
        var told = 0
        while let node = try companion.nextNode() {
            nodes += 1
            if let last, node.name <= last {
                try tell(CheckFinding(.companion, place: place, name: node.name, "it is out of order or comes twice"))
            }
            last = node.name
            if node.name != Node.rootName, let objection = node.name.restoreObjection, told < Self.mostTold {
                told += 1
                try tell(CheckFinding(.name, place: place, name: node.name, "a restore leaves it out: \(objection)"))
            }
        }
        if companion.facts.nodes != nodes {
            try tell(CheckFinding(.companion, place: place, "it tells of \(companion.facts.nodes) nodes and has \(nodes)"))
        }
        if companion.facts.files != files {
            let message = "it tells of \(companion.facts.files) files, the snapshot has \(files)"
            // A purge has put both into the trash before it replaces the companion, and then the snapshot.
            let isPurging = try SnapshotTrash(store: store).interrupted(item, files: files) != nil
            try tell(
                CheckFinding(
                    .companion, isDamage: !isPurging, place: place,
                    isPurging ? "\(message): 'snapcat purge' is at work, or was interrupted and has to be run again" : message))
        }
    }
}

extension SnapcatError {
    /// What is wrong with a file, as opposed to what ends a check.
    var isOfTheFile: Bool { [.damage, .notFound, .notAFile, .failed].contains(code) }

    /// Without the subject, which the finding has already.
    var message: String { reason.isEmpty ? what : "\(what): \(reason)" }
}
