import SnapcatFormat
import SnapcatPlatform

/// One pass over a restore's plan: what the names met so far mean for those that come.
struct RestorePass {
    private let plan: RestorePlan
    private let filter: NameFilter
    /// Folders of the target that stay in a file's place: what they hold stays too.
    private var kept: Set<[UInt8]> = []
    /// Folders of the target that give way to a file, and all in them that was seen.
    private var leaving: Set<[UInt8]> = []
    /// What stays in the target and is no folder, as long as names below it may come: each is below the one before it, but
    /// for bytes that sort before a slash.
    private var obstacles: [ComparisonRow] = []
    /// Names of the target that could not be read, but those that are written anew.
    private var unread: Set<[UInt8]>
    private var unreadFolders: Set<[UInt8]> = []

    init(_ plan: RestorePlan) {
        self.plan = plan
        filter = plan.options.nameFilter
        unread = plan.current?.unread ?? []
    }

    mutating func take(_ row: ComparisonRow, _ body: (RestorePlan.Step) throws -> Void) throws {
        let name = row.name.bytes
        dropObstacles(before: name)
        if unread.contains(name) { noteUnread(row) }
        if row.left == nil, !kept.isEmpty, RestorePlan.isBelow(name, kept) { return }
        guard filter.accepts(name, isFolder: row.isFolder) else { return noteLeftOut(row) }
        if plan.options.deletes, row.left == nil, let current = row.right, plan.unseen.contains(name, current) {
            noteObstacle(row)
            return try body(RestorePlan.Step(kind: .keep, name: name, current: current))
        }
        guard var step = plan.step(row) ?? removal(row) else { return noteObstacle(row) }
        if let current = plan.current, step.current == nil, plan.options.replacesUnread { step.isUnread = current.couldNotRead(name) }
        note(step)
        try removeObstacles(above: step, body)
        try body(step)
    }

    /// What could not be read is not deleted either, be it a file that the snapshot does not have or what a folder holds.
    mutating func finish(_ body: (RestorePlan.Step) throws -> Void) throws {
        if !plan.options.deletes { return }
        for name in unread.sorted(by: Self.precedes) {
            let isFolder = unreadFolders.contains(name)
            // Of a name without a row it is not known whether it is a folder.
            let isWanted = filter.accepts(name, isFolder: true) && (isFolder || filter.accepts(name, isFolder: false))
            if !isWanted || RestorePlan.isBelow(name, kept) { continue }
            if plan.unseen.contains(name, SideItem(type: isFolder ? "directory" : "file")) { continue }
            try body(RestorePlan.Step(kind: .unread, name: name))
        }
    }

    /// A file that the snapshot has is written anew. What a folder holds is known nowhere, were it in the snapshot too.
    private mutating func noteUnread(_ row: ComparisonRow) {
        let name = row.name.bytes
        if (row.right ?? row.left)?.type == "directory" { unreadFolders.insert(name) } else { unread.remove(name) }
    }

    private mutating func note(_ step: RestorePlan.Step) {
        guard step.isExchange, step.current?.type == "directory" else { return }
        if case .keep = step.kind { kept.insert(step.name) } else if step.removesFirst { leaving.insert(step.name) }
    }

    /// A snapshot without nodes has no links and folders: theirs go where a file of its is to be.
    private func removal(_ row: ComparisonRow) -> RestorePlan.Step? {
        guard plan.options.deletes, !leaving.isEmpty, row.left == nil, let current = row.right,
            current.type == "directory" || current.type == "link", RestorePlan.isBelow(row.name.bytes, leaving)
        else { return nil }
        return RestorePlan.Step(kind: .delete, name: row.name.bytes, current: current)
    }

    // MARK: What stands in the way of a folder

    /// Of a name that the filter leaves out.
    private mutating func noteLeftOut(_ row: ComparisonRow) {
        if let step = plan.step(row), case .keep = step.kind { note(step) }
        noteObstacle(row)
    }

    private mutating func noteObstacle(_ row: ComparisonRow) {
        guard plan.options.replacesObstacles, let current = row.right, current.type != "directory",
            row.left.map({ $0.type == "directory" }) ?? true
        else { return }
        obstacles.append(row)
    }

    /// Those that no more names can be below of.
    private mutating func dropObstacles(before name: [UInt8]) {
        while let last = obstacles.last?.name.bytes, !Self.isBelow(name, last), !Self.precedes(name, last + [UInt8(ascii: "/")]) {
            obstacles.removeLast()
        }
    }

    /// A step that writes needs the folders above it.
    private mutating func removeObstacles(above step: RestorePlan.Step, _ body: (RestorePlan.Step) throws -> Void) throws {
        if obstacles.isEmpty { return }
        switch step.kind {
        case .write, .link, .makeFolder: break
        case .keep, .setMetadata, .delete, .skip, .unread: return
        }
        while let row = obstacles.last, Self.isBelow(step.name, row.name.bytes) {
            obstacles.removeLast()
            let removal = RestorePlan.Step(kind: .delete, name: row.name.bytes, current: row.right)
            try body(row.left == nil ? removal : plan.step(row) ?? removal)
        }
    }

    private static func precedes(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        left.withUnsafeBytes { left in right.withUnsafeBytes { NameOrder.compare(left, $0) < 0 } }
    }

    private static func isBelow(_ name: [UInt8], _ folder: [UInt8]) -> Bool {
        name.count > folder.count && name[folder.count] == UInt8(ascii: "/") && name.starts(with: folder)
    }
}
