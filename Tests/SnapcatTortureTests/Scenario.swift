import Foundation
import Snapcat
import SnapcatTestSupport

/// A command that is killed, or made to fail, and what must be true afterwards.
struct Scenario: Sendable, CustomStringConvertible {
    let name: String
    /// With `{repo}`, `{target}` and `{source}` for the places.
    let arguments: [String]
    let sound: TortureWorld.Sound
    /// The status of a run that nothing disturbs.
    var status: Int32 = 0
    /// This file cannot be opened, in all runs.
    var denied: String?
    /// `check` may find this before the command has come to its end.
    var mayBeDamaged: Bool = false
    /// What each snapshot must hold in the end.
    let snapshots: [String: TreeState]
    /// What the newest one must hold in the end.
    var latest: TreeState?
    /// The folder that `{target}` is.
    var targetName = "target"
    /// What the target must be in the end.
    var target: TreeState?
    /// Is in the target, or in a snapshot, at every moment.
    var saved: TreeState?
    /// Forgotten snapshots are brought back before they are looked at.
    var undeletes = false

    var description: String { name }

    /// Every command that writes, and those that index.
    static func all(_ world: TortureWorld) -> [Scenario] { writing(world) + retaining(world) + indexing(world) }

    private static func writing(_ world: TortureWorld) -> [Scenario] {
        let make = ["make", "{source}", "--repo", "{repo}"]
        let restore = ["restore", world.stems[0], "--repo", "{repo}", "--file-root", "{target}"]
        return [
            Scenario(name: "first make", arguments: make, sound: .empty, snapshots: [:], latest: world.live),
            Scenario(name: "next make", arguments: make, sound: .history, snapshots: world.history, latest: world.live),
            Scenario(
                name: "incomplete make", arguments: make, sound: .history, status: 3, denied: "edited",
                snapshots: world.history, latest: world.live.without("edited")),
            Scenario(
                name: "restore", arguments: restore, sound: .history, snapshots: world.history, target: world.states[0], saved: world.live),
            Scenario(
                name: "restore elsewhere", arguments: restore, sound: .history, snapshots: world.history, targetName: "elsewhere",
                target: world.states[0]),
        ]
    }

    private static func retaining(_ world: TortureWorld) -> [Scenario] {
        let last = world.stems[2]
        return [
            Scenario(
                name: "forget", arguments: ["forget", "--keep-last", "1", "--repo", "{repo}"], sound: .history, snapshots: world.history,
                undeletes: true),
            Scenario(
                name: "gc", arguments: ["gc", "--grace", "0s", "--repo", "{repo}"], sound: .forgotten, snapshots: [last: world.states[2]]),
            Scenario(
                name: "gc with a trash", arguments: ["gc", "--grace", "0s", "--repo", "{repo}"], sound: .trashed,
                snapshots: [last: world.states[2]]),
            Scenario(name: "undelete", arguments: ["undelete", "--repo", "{repo}"], sound: .trashed, snapshots: world.history),
            Scenario(
                name: "purge", arguments: ["purge", "always", "d/e", "--repo", "{repo}"], sound: .history, mayBeDamaged: true,
                snapshots: world.history.mapValues { $0.without("always").without("d/e") }),
            Scenario(name: "repair", arguments: ["repair", "--repo", "{repo}"], sound: .hurt, mayBeDamaged: true, snapshots: world.history),
        ]
    }

    private static func indexing(_ world: TortureWorld) -> [Scenario] {
        func scenario(_ name: String, _ arguments: [String], _ sound: TortureWorld.Sound) -> Scenario {
            Scenario(name: name, arguments: arguments + ["--repo", "{repo}"], sound: sound, snapshots: world.history)
        }
        return [
            scenario("list of foreign snapshots", ["list"], .foreign), scenario("sync", ["catalog", "sync"], .foreign),
            scenario("rebuild", ["catalog", "rebuild"], .history), scenario("list without a catalog", ["list"], .bare),
            scenario("list with half a catalog", ["list"], .spoiled),
        ]
    }
}
