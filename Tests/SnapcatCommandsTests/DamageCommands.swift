/// The command lines that the damage matrix runs, and what each may end with.
struct DamageCommand {
    enum Kind {
        /// Reads the history; a named snapshot; snapshot files; contents; the live folder.
        case reads, named, files, contents
        /// Finds damage, without and with reading every object.
        case check, checkData
        case index, restore, make, collect, forget, purge, undelete, repair
    }

    var name: String
    var kind: Kind
    var arguments: [String]
    var writes = false
    /// What it shows depends on how it came by its answer, not on the snapshots alone.
    var showsItsWork = false
    /// Of the three snapshots the one that it restores, from the oldest; and where to.
    var restores: (snapshot: Int, folder: String)?

    static func all(_ sandbox: DamageSandbox) -> [DamageCommand] { reading(sandbox) + writing(sandbox) }

    private static let repo = ["--repo", "repo"]
    private static let rows = repo + ["--format", "csv"]

    private static func command(_ kind: Kind, _ arguments: [String], _ rest: [String]) -> DamageCommand {
        DamageCommand(name: arguments.joined(separator: " "), kind: kind, arguments: arguments + rest)
    }

    private static func reading(_ sandbox: DamageSandbox) -> [DamageCommand] {
        let newest = sandbox.stems[2]
        func file(_ place: DamageSandbox.Place) -> String { sandbox.places[place] ?? "" }
        let commands: [DamageCommand] = [
            command(.reads, ["list"], repo), command(.reads, ["list-snapshots"], repo), command(.reads, ["ls", "latest", "--recursive"], rows),
            command(.reads, ["ls", "oldest"], rows), command(.named, ["ls", newest], rows), command(.reads, ["compare"], rows),
            command(.reads, ["compare", "oldest", "latest"], rows), command(.reads, ["compare", "latest", "live", "--file-root", "source"], rows),
            command(.files, ["compare", file(.oldest), file(.newest)], ["--format", "csv"]), command(.files, ["ls", file(.newest)], ["--format", "csv"]),
            command(.reads, ["query", "SELECT name, md5, size, valid_from, valid_to FROM file_version ORDER BY 1, 4"], rows),
            command(.reads, ["query", "SELECT name, type, destination FROM snapshot_node ORDER BY 1, snapshot_id"], rows),
            command(.reads, ["query", "SELECT * FROM diff('oldest', 'latest')"], rows), command(.reads, ["query", "SELECT md5 FROM missing_object"], rows),
            command(.contents, ["query", "SELECT name, content_text(md5) FROM current_file ORDER BY 1"], rows),
            command(.reads, ["find", "*"], rows), command(.reads, ["history", "edited"], rows), command(.contents, ["cat", "latest:a"], repo),
            command(.contents, ["cat", "oldest:edited"], repo), command(.contents, ["cat", "--md5", RetentionSandbox.md5("edit 1\n")], repo),
            command(.reads, ["growth"], rows), command(.reads, ["dupes"], rows), command(.reads, ["whereis", "source/a"], rows),
            command(.reads, ["stats"], rows), command(.reads, ["schema"], []), command(.check, ["check"], rows), command(.checkData, ["check", "--read-data"], rows),
            command(.index, ["catalog", "sync"], rows), command(.index, ["catalog", "rebuild"], rows), command(.check, ["catalog", "verify"], rows),
            command(.reads, ["catalog", "stats"], rows), command(.restore, ["restore", "oldest", "--file-root", "source", "--dry-run"], rows),
            command(.forget, ["forget", "oldest", "--dry-run"], rows), command(.collect, ["gc", "--grace", "0s", "--dry-run"], rows),
            command(.undelete, ["undelete", "--dry-run"], rows), command(.repair, ["repair", "--dry-run"], rows),
            command(.purge, ["purge", "edited", "--dry-run"], rows), command(.make, ["make", "source", "--dry-run"], repo),
        ]
        return commands.map { command in
            var command = command
            command.showsItsWork = ["catalog sync", "catalog rebuild", "catalog stats", "check", "check --read-data", "catalog verify", "stats"].contains(command.name)
            return command
        }
    }

    private static func writing(_ sandbox: DamageSandbox) -> [DamageCommand] {
        var commands: [DamageCommand] = [
            command(.make, ["make", "source"], repo), command(.forget, ["forget", "oldest"], rows), command(.forget, ["forget", "--keep-last", "1"], rows),
            command(.collect, ["gc", "--grace", "0s"], rows), command(.collect, ["gc"], rows), command(.undelete, ["undelete"], rows),
            command(.repair, ["repair"], rows), command(.purge, ["purge", "edited"], rows),
        ]
        for (reference, snapshot) in [("latest", 2), ("oldest", 0), (sandbox.stems[1], 1)] {
            var restore = command(.restore, ["restore", reference, "--file-root", "out"], repo)
            restore.restores = (snapshot, "out")
            commands.append(restore)
        }
        var over = command(.restore, ["restore", "oldest", "--file-root", "source"], repo)
        over.restores = (0, "source")
        commands.append(over)
        return commands.map { command in
            var command = command
            command.writes = true
            return command
        }
    }

    /// What the damage means: to files that are the truth, and for who reads them.
    enum Effect: Equatable { case none, gone, damaged, unreadable }

    /// The exit codes of CLI.md that fit.
    func statuses(_ place: DamageSandbox.Place, _ effect: Effect) -> Set<Int32> {
        if effect == .none { return [0] }
        if place.isSnapshot { return snapshotStatuses(place, isGone: effect == .gone) }
        if place.isCompanion { return effect == .gone ? [0] : companionStatuses }
        if place.isObject { return objectStatuses(effect) }
        // The trash: told by those that look into it.
        switch kind {
        case .undelete, .collect, .repair: return [0, 2, 3, 5]
        default: return [0]
        }
    }

    private func snapshotStatuses(_ place: DamageSandbox.Place, isGone: Bool) -> Set<Int32> {
        let isNamed = name.contains("2026-") || name.contains("20") && restores?.snapshot == 1
        switch kind {
        case .files: return isGone ? [0, 2] : [0, 2, 5]
        case .named: return place == .newest ? (isGone ? [10] : [5]) : [0]
        case .restore where isGone: return isNamed && place == .middle ? [10] : [0]
        case _ where isGone: return [0]
        case .reads, .contents: return [0]
        case .forget: return [0, 5]
        case .check: return name == "catalog verify" ? [0, 5] : [5]
        case .checkData, .index, .collect, .purge: return [5]
        // A dry run reads from the newest back to one that is good, and what it was asked for.
        case .restore: return writes || place == .newest ? [5] : [0, 5]
        case .make: return writes || place == .newest ? [3] : [0, 3]
        case .undelete: return [0, 5]
        case .repair: return [5]
        }
    }

    private var companionStatuses: Set<Int32> {
        switch kind {
        case .reads, .contents, .named, .files, .forget, .collect: return [0]
        case .check: return name == "catalog verify" ? [0, 5] : [5]
        case .checkData: return [5]
        case .index, .make, .restore, .purge, .undelete, .repair: return [0, 3, 5]
        }
    }

    private func objectStatuses(_ effect: Effect) -> Set<Int32> {
        switch kind {
        case .reads, .named, .files, .index, .forget, .collect, .purge: return [0]
        // Who asks for an object that is not there asks for nothing that a snapshot has.
        case .contents: return effect == .unreadable || name.hasPrefix("cat --md5") && effect == .gone ? [0, 2] : [0, 5]
        case .check: return [0, 5]
        case .checkData: return [5]
        case .restore: return effect == .unreadable ? [0, 2, 3] : [0, 3, 5]
        case .make: return effect == .unreadable ? [0, 2] : [0, 3]
        case .undelete, .repair: return [0, 5]
        }
    }
}
