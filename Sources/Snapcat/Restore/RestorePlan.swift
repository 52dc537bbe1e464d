import SnapcatFormat
import SnapcatPlatform
import SnapcatStorage

/// What a restore has to do: the merge of the snapshot with the target as it is, read anew by each pass.
///
/// Nothing is kept in memory: a plan of a million files costs a pass over two files.
struct RestorePlan {
    let wanted: RestoreSource
    /// The target's state: a snapshot of it, or a survey. nil where the target is empty.
    let current: TargetState?
    let options: RestoreOptions
    /// Parts of the repository in the target: never written.
    let ownPaths: [[UInt8]]
    /// What the snapshot was told not to see: a step to keep it, without anything wanted, is all there is for it.
    let unseen: UnseenNames

    struct Step {
        enum Kind {
            case keep, write, link, makeFolder, setMetadata, delete, skip(String)
            /// It could not be read: what the snapshot does not have stays, and is told.
            case unread
        }
        var kind: Kind
        var name: [UInt8]
        /// nil for what is deleted.
        var wanted: SideItem?
        var current: SideItem?
        /// What is there could not be read: whoever gives up the safety snapshot gives that up.
        var isUnread = false

        /// What is there is of another type.
        var isOfAnotherType: Bool { current != nil && wanted != nil && current?.type != wanted?.type }
        /// It cannot be replaced in one step, as a file can by a link.
        var isExchange: Bool { isOfAnotherType && (current?.type == "directory" || wanted?.type == "directory") }
        /// What is there has to go first.
        var removesFirst: Bool {
            if case .keep = kind { return false }
            if case .skip = kind { return false }
            return isExchange
        }
        /// What may be replaced when the name is written.
        var occupant: Occupant { removesFirst ? .nothing : isUnread ? .anything : Occupant(current) }
    }

    static func keptNote(_ count: Int) -> String {
        "\(count) names that the snapshot was told to leave out, or could not read, are left alone (--delete-excluded deletes them)"
    }

    static func unreadProblem(_ name: [UInt8]) -> SnapcatError {
        SnapcatError(.failed, "Left as it is", TerminalText.lossy(name), reason: "it could not be read")
    }

    /// What killed restores have left in the target.
    var leftovers: [[UInt8]] { current?.leftovers ?? [] }

    func forEach(_ body: (Step) throws -> Void) throws {
        let left = try SnapshotSide.open(
            wanted.store, wanted.key, usesNodes: wanted.knowsNodes, isSorted: wanted.isSorted)
        let right = try current.map { try SnapshotSide.open($0.place.store, $0.place.key, usesNodes: true) }
            ?? SnapshotSide.empty
        let merge = SideMerge(
            left: left, right: right, includesMetadata: true, filter: options.nameFilter, showsObstacles: current != nil)
        var pass = RestorePass(self)
        try merge.forEach { try pass.take($0, body) }
        try pass.finish(body)
    }

    /// Whether one of these folders is above the name.
    static func isBelow(_ name: [UInt8], _ folders: Set<[UInt8]>) -> Bool {
        name.indices.contains { name[$0] == UInt8(ascii: "/") && folders.contains(Array(name[..<$0])) }
    }

    /// What one row asks for by itself.
    func step(_ row: ComparisonRow) -> Step? {
        let name = row.name.bytes
        guard let wanted = row.left else { return deletion(name, row.right) }
        if wanted.type != "directory" || row.name != Node.rootName, let objection = row.name.restoreObjection {
            return Step(kind: .skip(objection), name: name, wanted: wanted, current: row.right)
        }
        if ownPaths.contains(where: { name == $0 || name.starts(with: $0 + [UInt8(ascii: "/")]) }) {
            return Step(kind: .skip("it is a part of the repository"), name: name, wanted: wanted, current: row.right)
        }
        guard let current = row.right else { return Step(kind: creation(wanted), name: name, wanted: wanted) }
        let isObstacle = current.type != wanted.type
        if isObstacle {
            // A pipe, a socket or a device is not made: what stands in its place stays.
            let isMade = if case .keep = creation(wanted) { false } else { true }
            let isOlder = options.overwrite == .ifNewer && !Self.isNewer(wanted, than: current)
            let stays = options.overwrite == .never || isOlder || !isMade
            return Step(kind: stays ? .keep : creation(wanted), name: name, wanted: wanted, current: current)
        }
        if wanted.type == "file" { return fileStep(name, wanted, current, row.status) }
        let kind: Step.Kind =
            switch row.status {
            case .equal: .keep
            case .different where options.overwrite != .never: creation(wanted)
            case .metadata where options.overwrite != .never: wanted.type == "directory" ? .makeFolder : .setMetadata
            default: .keep
            }
        return Step(kind: kind, name: name, wanted: wanted, current: current)
    }

    private func fileStep(
        _ name: [UInt8], _ wanted: SideItem, _ current: SideItem, _ status: ComparisonStatus
    ) -> Step {
        func make(_ kind: Step.Kind) -> Step { Step(kind: kind, name: name, wanted: wanted, current: current) }
        switch options.overwrite {
        case .never: return make(.keep)
        case .ifChanged where wanted.size == current.size && Self.time(wanted) == Self.time(current): return make(.keep)
        case .ifNewer where !Self.isNewer(wanted, than: current): return make(.keep)
        default: break
        }
        // A file that shares its inode with others, and is to stand alone, is written anew.
        let sharesInode = wanted.entry?.linkCount == 1 && (current.entry?.linkCount ?? 1) > 1
        if status == .different || sharesInode { return make(.write) }
        // Lines of snapshooter hold the time as a double: one that agrees is not touched.
        return make(status == .metadata ? .setMetadata : .keep)
    }

    private static func time(_ item: SideItem) -> Int64 { TargetMetadata(item).mtimeNanoseconds ?? .min }

    private static func isNewer(_ item: SideItem, than other: SideItem) -> Bool { time(item) > time(other) }

    private func creation(_ wanted: SideItem) -> Step.Kind {
        switch wanted.type {
        case "file": .write
        case "directory": .makeFolder
        case "link": .link
        default: .keep
        }
    }

    private func deletion(_ name: [UInt8], _ current: SideItem?) -> Step? {
        guard options.deletes, let current else { return nil }
        switch current.type {
        case "file": break
        // What the snapshot could not know it does not remove; special files are nobody's content.
        case "directory", "link": if !wanted.knowsNodes { return nil }
        default: return nil
        }
        return Step(kind: .delete, name: name, current: current)
    }
}

extension SnapshotSide {
    /// A side without anything.
    static var empty: SnapshotSide {
        SnapshotSide(entries: EntryReader(ArraySource([]), name: ""), companion: nil, usesNodes: false)
    }
}
