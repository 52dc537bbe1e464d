import Foundation
import SnapcatFormat
import SnapcatTestSupport

/// What is wrong with what a command did to a damaged repository.
struct DamageJudge {
    let sandbox: DamageSandbox
    let place: DamageSandbox.Place
    let damage: DamageSandbox.Damage
    let effect: DamageCommand.Effect
    let command: DamageCommand

    func problems(_ result: SnapcatProcess.Result, good: SnapcatProcess.Result?, before: DamageSandbox.Tree) throws -> [String] {
        var problems: [String] = []
        // Killed by the limit of time is 137, as `timeout` tells it.
        if result.status < 0 || result.status >= 128 { return ["it ended with \(result.status): a crash, or no end within a minute"] }
        if result.lines("error").count > 1 { problems.append("more than one error") }
        if result.stderr.split(separator: "\n").contains(where: { $0.contains("Fatal") || $0.contains(".swift:") }) { problems.append("a trace") }
        problems += statusProblems(result)
        // What a removal frees is not told where not all snap roots are known.
        let isToldLess = (place == .snapRootNote || place == .snapRootID) && command.kind == .forget
        let isToBeSame = place.isDerived && !isToldLess && !isAlteredCatalog && !command.writes && !command.showsItsWork
        if let good, isToBeSame, result.status == 0, result.stdout != good.stdout {
            problems.append("another answer than without the damage: " + difference(good.text, result.text))
        }
        let after = try DamageSandbox.tree(sandbox.work)
        problems += losses(before, after, result)
        if let restores = command.restores { problems += restoreProblems(restores, before, after, result) }
        return problems
    }

    /// The first lines of two texts that differ.
    private func difference(_ good: String, _ now: String) -> String {
        let (old, new) = (good.components(separatedBy: "\n"), now.components(separatedBy: "\n"))
        let line = zip(old, new).enumerated().first { $0.element.0 != $0.element.1 }?.offset ?? min(old.count, new.count)
        return "line \(line + 1): \(new.dropFirst(line).first ?? "-") instead of \(old.dropFirst(line).first ?? "-")"
    }

    /// A catalog that SQLite takes for sound, and that says something else: it has no checksums. `catalog verify` finds it.
    private var isAlteredCatalog: Bool {
        guard place == .catalog || place == .journal else { return false }
        switch damage {
        case .flipped, .zeroed, .cut: return true
        default: return false
        }
    }

    private func statusProblems(_ result: SnapcatProcess.Result) -> [String] {
        var allowed = command.statuses(place, effect)
        switch (place, damage) {
        // Who has no reason to read it anew cannot know; what reads every byte finds it.
        case (_, .silently): allowed.formUnion(command.kind == .checkData ? [] : effect == .none ? [0] : [0, 5])
        // A mistaken --catalog is refused before anything is written.
        case (.catalog, .folder), (.catalog, .pipe): allowed = [0, 64]
        case (.catalog, .linkInACircle): allowed = [0, 2]
        // Commands about the catalog itself need to write it.
        case (.catalog, .unreadable), (.journal, _): allowed = [0, 2]
        case (.catalog, _) where isAlteredCatalog: allowed = [0, 5]
        // Without it nobody writes; who reads needs none.
        case (.snapLock, _), (.heapLock, _): allowed = [0, 2]
        case (.snapRootNote, _), (.snapRootID, _): allowed = [.collect, .repair, .forget, .undelete].contains(command.kind) ? [0, 2, 5] : [0]
        default: break
        }
        return allowed.contains(result.status) ? [] : ["exit code \(result.status), not of \(allowed.sorted())"]
    }

    // MARK: Losses

    /// What is the truth: snapshots, companions and objects, wherever they are.
    private func isTruth(_ name: String) -> Bool { name.hasPrefix("repo/") && name.hasSuffix(".gz") && !name.contains("/temp/") }

    private func losses(_ before: DamageSandbox.Tree, _ after: DamageSandbox.Tree, _ result: SnapcatProcess.Result) -> [String] {
        let own = sandbox.places[place] ?? ""
        let kept = Set(after.filter { isTruth($0.key) || $0.key.contains("/damaged/") || $0.key.contains("/trash/") }.values)
        var problems: [String] = []
        for (name, bytes) in before where isTruth(name) && name != own {
            if after[name] == bytes { continue }
            if !command.writes || command.kind == .make || command.kind == .restore { problems.append("it has changed \(name)"); continue }
            if kept.contains(bytes) { continue }
            if command.kind == .collect && mayBeCollected(name) { continue }
            problems.append("\(name) is lost")
        }
        if !command.writes {
            let new = after.keys.filter { before[$0] == nil && isTruth($0) }
            if !new.isEmpty { problems.append("it has made \(new)") }
            if before.contains(where: { $0.key.hasPrefix("source/") && after[$0.key] != $0.value }) { problems.append("the source has changed") }
        }
        return problems
    }

    /// What is in the trash, and objects that only a deleted snapshot names.
    private func mayBeCollected(_ name: String) -> Bool {
        if name.contains("/trash/") { return true }
        guard name.hasPrefix("repo/heap/"), effect == .gone, place.isSnapshot else { return false }
        let index = place == .oldest ? 0 : place == .middle ? 1 : 2
        let others = sandbox.contents.enumerated().filter { $0.offset != index }.flatMap { $0.element.values }
        return !others.contains { name.contains(Array($0).withUnsafeBytes { bytes in RetentionSandbox.md5(String(decoding: bytes, as: UTF8.self)) }) }
    }

    // MARK: Restores

    private func restoreProblems(
        _ restores: (snapshot: Int, folder: String), _ before: DamageSandbox.Tree, _ after: DamageSandbox.Tree, _ result: SnapcatProcess.Result
    ) -> [String] {
        // `latest` and `oldest` step over what is damaged or gone.
        let hurt: Int? = effect == .none || !place.isSnapshot ? nil : place == .oldest ? 0 : place == .middle ? 1 : 2
        // Where the catalog is refused nothing is begun.
        if result.status == 64 { return [] }
        if restores.snapshot != hurt { return restoreProblems(restores.snapshot, restores.folder, before, after, result) }
        if hurt == 1 { return [] }
        let isUntouched = after.allSatisfy { !$0.key.hasPrefix(restores.folder + "/") || before[$0.key] == $0.value }
        if case .silently = damage, result.status == 5, isUntouched, result.stderr.contains("nothing was restored") { return [] }
        let other = restoreProblems(1, restores.folder, before, after, result)
        // Who does not know of the damage restores what it had read before.
        if case .silently = damage, restoreProblems(restores.snapshot, restores.folder, before, after, result).isEmpty { return [] }
        return other
    }

    private func restoreProblems(
        _ index: Int, _ folder: String, _ before: DamageSandbox.Tree, _ after: DamageSandbox.Tree, _ result: SnapcatProcess.Result
    ) -> [String] {
        // Without its companion a snapshot has no links.
        let bare: Int? = effect != .gone ? nil : place == .newestCompanion ? 2 : place == .oldestCompanion ? 0 : nil
        let hasLinks = index != bare
        let wanted = sandbox.contents[index].filter { hasLinks || !$0.value.starts(with: "-> ".utf8) }
        var problems: [String] = []
        func now(_ name: String) -> [UInt8]? { after[folder + "/" + name] }
        for (name, bytes) in wanted where now(name) != bytes {
            if result.status == 0 { problems.append("'\(name)' is not restored, and exit 0") }
            // It keeps what it was, and is told.
            if now(name) != before[folder + "/" + name] { problems.append("'\(name)' has other bytes than those of the snapshot") }
            let isLink = bytes.starts(with: "-> ".utf8)
            if result.status != 2 && !isLink && !result.stderr.contains("'\(name)'") { problems.append("'\(name)' is not restored, and not named") }
        }
        let names = after.keys.filter { $0.hasPrefix(folder + "/") }.map { String($0.dropFirst(folder.count + 1)) }
        for name in names where wanted[name] == nil && (folder == "out" || before["source/" + name] == nil) {
            problems.append("'\(name)' is not of the snapshot")
        }
        return problems
    }
}
