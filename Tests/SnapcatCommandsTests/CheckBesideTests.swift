import Foundation
import SnapcatTestSupport
import Testing

/// A check takes no lock: what other processes do meanwhile is no damage, whenever they do it.
@Suite(.serialized) struct CheckBesideTests {
    /// Runs a check again and again; before the first, second, ... of the files that it opens, `others` do their work.
    private func checkBeside(_ history: RetentionSandbox, _ others: [[String]], least: Int) async throws {
        let (sound, repo, met) = (history.folder.path + "/sound", history.repo, history.folder.path + "/met")
        try FileManager.default.moveItem(atPath: repo, toPath: sound)
        let binary = try SnapcatProcess.binary()
        // A catalog of their own: a check that waits in the middle of a transaction would make them wait.
        let command = others.map { words in
            ([binary] + words + ["--repo", repo, "--catalog", history.folder.path + "/other.sqlite"]).map { "'\($0)'" }.joined(separator: " ")
        }.joined(separator: " && ")
        // Every file of the repository, and some folders of the heap.
        for part in [".gz", "/heap/0"] {
            var point = 0
            repeat {
                // The first ones one by one, as there the order of the looks matters most.
                point += point < 4 ? 1 : part == ".gz" ? 4 : 11
                for path in [repo, met] where FileManager.default.fileExists(atPath: path) { try FileManager.default.removeItem(atPath: path) }
                try FileManager.default.copyItem(atPath: sound, toPath: repo)
                let result = try await MeetingPoint.run(
                    ["check", "--read-data", "--repo", repo, "--format", "jsonl"], before: point, in: part,
                    .command("\(command) && touch \(met)"))
                let damage = result.lines.filter { !$0.contains(#""severity": "note""#) }
                #expect(result.status == 0 && damage.isEmpty, "\(part) \(point): \(result.status) \(damage) \(result.stderr)")
            } while FileManager.default.fileExists(atPath: met)
            #expect(point > least, "\(part) \(point)")
        }
    }

    @Test func whatIsForgottenAndCollectedMeanwhileIsNotMissing() async throws {
        let history = try await RetentionSandbox()
        try await checkBeside(history, [["forget", "--keep-last", "1"], ["gc", "--grace", "0s"]], least: 12)
    }

    @Test func whatIsPurgedMeanwhileIsNoDamage() async throws {
        let history = try await RetentionSandbox()
        try await checkBeside(history, [["purge", "gone", "d"], ["gc", "--grace", "0s"]], least: 12)
    }

    @Test func whatIsMadeMeanwhileIsNoDamage() async throws {
        let history = try await RetentionSandbox()
        try history.base.write("source/edited", "edit 4\n")
        try await checkBeside(history, [["forget", "oldest"], ["make", history.base.source, "--rehash"], ["gc", "--grace", "0s"]], least: 12)
    }

    @Test func aPurgeThatWasKilledIsANote_andADamagedCompanionIsNot() async throws {
        let history = try await RetentionSandbox()
        let (sound, repo) = (history.folder.path + "/sound", history.repo)
        try FileManager.default.moveItem(atPath: repo, toPath: sound)
        var notes = 0
        for point in 1... {
            if FileManager.default.fileExists(atPath: repo) { try FileManager.default.removeItem(atPath: repo) }
            try FileManager.default.copyItem(atPath: sound, toPath: repo)
            let purge = CallFault([.rename, .link], number: point, .kill)
            guard try await purge.run(["purge", "gone", "--repo", repo], below: history.folder).wasKilled else { break }
            let check = try await history.rows(["check", "--read-data"])
            #expect(check.status == 0 && check.rows.allSatisfy { $0["severity"] == "note" }, "\(point): \(check)")
            let told = check.rows.filter { $0["kind"] == "companion" }
            notes += told.count
            #expect(told.allSatisfy { $0["message"]?.contains("'snapcat purge'") == true }, "\(point): \(told)")
        }
        #expect(notes > 0)
        // The same difference without a purge's traces in the trash.
        try FileManager.default.removeItem(atPath: repo)
        try FileManager.default.copyItem(atPath: sound, toPath: repo)
        let companions = history.snapshots.map { $0.replacing(".jsonl.gz", with: ".meta.gz") }
        try FileManager.default.removeItem(atPath: companions[1])
        try FileManager.default.copyItem(atPath: companions[3], toPath: companions[1])
        let check = try await history.rows(["check"])
        #expect(check.status == 5 && check.rows.contains { $0["kind"] == "companion" && $0["severity"] == "damage" }, "\(check)")
    }

    @Test func whatIsReallyMissingIsTold() async throws {
        let history = try await RetentionSandbox()
        let md5 = RetentionSandbox.md5("always\n")
        let object = "\(history.repo)/heap/\(md5.prefix(2))/\(md5).gz"
        // It goes while the check reads the objects, and snapshots name it.
        let bytes = try Data(contentsOf: URL(fileURLWithPath: object))
        var told = 0
        for point in stride(from: 1, through: 40, by: 2) {
            let check = try await MeetingPoint.run(
                ["check", "--read-data", "--repo", history.repo, "--format", "tsv"], before: point, in: ".gz", .command("rm '\(object)'"))
            #expect([0, 5].contains(check.status), "\(point): \(check.stderr)")
            let rows = check.lines.dropFirst()
            #expect(rows.isEmpty == (check.status == 0) && rows.allSatisfy { $0.hasPrefix("damage\tmissing\t") }, "\(point): \(rows)")
            told += rows.count
            if !FileManager.default.fileExists(atPath: object) { try bytes.write(to: URL(fileURLWithPath: object)) }
        }
        #expect(told >= 5, "\(told)")
    }
}
