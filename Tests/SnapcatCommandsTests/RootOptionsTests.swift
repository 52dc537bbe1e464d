import Foundation
import SnapcatTestSupport
import Testing

/// Which repository a command line and its environment name.
@Suite struct RootOptionsTests {
    /// Two repositories of one folder, the one as snapshooter's variables have it.
    private struct TwoRepositories {
        let folder: TempFolder
        let other: String
        let meant: String

        init() async throws {
            folder = try TempFolder()
            (other, meant) = (folder.path + "/other", folder.path + "/meant")
            for content in ["one\n", "two\n", "three\n"] {
                try folder.write("source/file", Array(content.utf8))
                for repo in [other, meant] { _ = try await SnapcatProcess.succeed(["make", folder.path + "/source", "--repo", repo]) }
            }
            // Unused objects in both: gc has something to take away.
            for repo in [other, meant] { _ = try await SnapcatProcess.succeed(["forget", "oldest", "--repo", repo]) }
        }

        var variables: [String: String] {
            ["HEAP_ROOT": other + "/heap", "SNAP_ROOT": other + "/snap", "SNAPCAT_CATALOG": other + "/catalog.sqlite"]
        }

        /// The files of a repository and their bytes.
        func state(_ repo: String) throws -> [String: Data] {
            var result: [String: Data] = [:]
            for name in try FileManager.default.subpathsOfDirectory(atPath: repo) {
                result[name] = FileManager.default.contents(atPath: repo + "/" + name) ?? Data()
            }
            return result
        }
    }

    @Test(arguments: [
        ["gc", "--grace", "0s"], ["forget", "oldest"], ["purge", "file"], ["make", "SOURCE", "--paranoid"],
        ["catalog", "rebuild"], ["repair"], ["undelete"],
    ])
    func aRepositoryOnTheCommandLineBeatsTheVariablesOfItsParts(command: [String]) async throws {
        let both = try await TwoRepositories()
        let command = command.map { $0 == "SOURCE" ? both.folder.path + "/source" : $0 }
        let before = (try both.state(both.other), try both.state(both.meant))
        let result = try await SnapcatProcess.run(command + ["--repo", both.meant], environment: both.variables)
        #expect(result.status == 0, "\(result.stderr)")
        #expect(try both.state(both.other) == before.0)
        #expect(try both.state(both.meant) != before.1)
    }

    @Test func anOptionOfAPartBeatsTheRepository_andAVariableBeatsAVariable() async throws {
        let both = try await TwoRepositories()
        let meant = ["--repo", both.meant, "--snap-root", both.other + "/snap", "--catalog", both.folder.path + "/new.sqlite"]
        let given = try await SnapcatProcess.run(["list-snapshots"] + meant)
        #expect(given.status == 0 && given.text.contains(both.other), "\(given.text) \(given.stderr)")
        #expect(FileManager.default.fileExists(atPath: both.folder.path + "/new.sqlite"))
        let inherited = ["SNAPCAT_REPO": both.meant, "SNAP_ROOT": both.other + "/snap"]
        #expect(try await SnapcatProcess.run(["list-snapshots"], environment: inherited).text.contains(both.other))
        let repo = try await SnapcatProcess.run(["list-snapshots"], environment: ["SNAPCAT_REPO": both.meant])
        #expect(repo.status == 0 && repo.text.contains(both.meant), "\(repo.text) \(repo.stderr)")
    }

    /// One that shares the heap, and that the heap remembers as little as the first: as if snapshooter had made them.
    private func secondSnapRoot(_ both: TwoRepositories, _ heap: String) async throws -> String {
        try both.folder.write("source/file", Array("four\n".utf8))
        let second = both.folder.path + "/second"
        _ = try await SnapcatProcess.succeed(["make", both.folder.path + "/source", "--snap-root", second, "--heap-root", heap])
        for name in try FileManager.default.contentsOfDirectory(atPath: heap) where name.hasPrefix(".snap-root-") {
            try FileManager.default.removeItem(atPath: heap + "/" + name)
        }
        return second
    }

    /// gc of the repository leaves all objects that the other snap root of its heap names.
    private func expectNothingTaken(
        of snapRoot: String, _ heap: String, by repo: String, _ environment: [String: String]
    ) async throws {
        let result = try await SnapcatProcess.run(["gc", "--grace", "0s", "--repo", repo], environment: environment)
        #expect(result.status == 0, "\(result.stderr)")
        let check = try await SnapcatProcess.run(["check", "--read-data", "--snap-root", snapRoot, "--heap-root", heap])
        #expect(check.status == 0, "\(check.text)")
    }

    @Test(arguments: [["--heap-root", "HEAP"], [], ["--repo", "REPO"]])
    func gcReadsTheSnapRootOfTheVariableBesideOneThatIsGiven(options: [String]) async throws {
        let both = try await TwoRepositories()
        let heap = both.other + "/heap"
        let second = try await secondSnapRoot(both, heap)
        let given = options.map { $0 == "HEAP" ? heap : $0 == "REPO" ? both.other : $0 }
        let result = try await SnapcatProcess.run(
            ["gc", "--grace", "0s", "--snap-root", second] + given,
            environment: ["HEAP_ROOT": heap, "SNAP_ROOT": both.other + "/snap"])
        #expect(result.status == 0 && result.text.contains("no snapshot names it"), "\(result.text) \(result.stderr)")
        for repository in [["--repo", both.other], ["--snap-root", second, "--heap-root", heap]] {
            let check = try await SnapcatProcess.run(["check", "--read-data"] + repository)
            #expect(check.status == 0, "\(check.text)")
        }
    }

    @Test(arguments: ["", "file://"], [true, false])
    func gcReadsTheSnapRootOfTheVariableBesideARepository(scheme: String, namesHeap: Bool) async throws {
        let both = try await TwoRepositories()
        let heap = both.other + "/heap"
        let second = try await secondSnapRoot(both, heap)
        try await expectNothingTaken(
            of: second, heap, by: scheme + both.other, ["SNAP_ROOT": second].merging(namesHeap ? ["HEAP_ROOT": heap] : [:]) { $1 })
    }

    @Test func gcOfAnotherHeapDoesNotTakeInTheSnapRootOfTheVariable() async throws {
        let both = try await TwoRepositories()
        let result = try await SnapcatProcess.run(
            ["gc", "--grace", "0s", "--repo", both.meant],
            environment: ["HEAP_ROOT": both.other + "/heap", "SNAP_ROOT": both.folder.path + "/none"])
        #expect(result.status == 0, "\(result.stderr)")
    }

    /// `isCopy`: of the same names, on another device, as the same folder is behind some file systems.
    @Test(arguments: [false, true])
    func `A heap that may be mounted in two places is one`(isCopy: Bool) async throws {
        guard let disk = try SmallDisk.mount(kilobytes: 1 << 10) else { return }
        let both = try await TwoRepositories()
        let heap = both.other + "/heap"
        let second = try await secondSnapRoot(both, heap)
        let elsewhere = disk.path + "/heap"
        if isCopy { try FileManager.default.copyItem(atPath: heap, toPath: elsewhere) } else { #expect(try disk.bind(heap, at: "heap")) }
        try await expectNothingTaken(of: second, heap, by: both.other, ["HEAP_ROOT": elsewhere, "SNAP_ROOT": second])
    }

    @Test func variablesOfARepositoryThatIsNoFolderDoNotKeepGCFromAnother() async throws {
        let both = try await TwoRepositories()
        let result = try await SnapcatProcess.run(
            ["gc", "--grace", "0s", "--repo", both.meant], environment: ["HEAP_ROOT": "s3://bucket/heap", "SNAP_ROOT": "s3://bucket/snap"])
        #expect(result.status == 0 && result.text.contains("no snapshot names it"), "\(result.text) \(result.stderr)")
        // Another name of a folder is no proof of another one.
        for heap in ["local://" + both.meant + "/heap", "s3://bucket/heap"] {
            let unsure = try await SnapcatProcess.run(
                ["gc", "--grace", "0s", "--repo", both.meant], environment: ["HEAP_ROOT": heap, "SNAP_ROOT": both.folder.path + "/none"])
            #expect([10, 64].contains(unsure.status), "\(unsure.stderr)")
        }
    }

    @Test(arguments: ["", "/"])
    func aSnapRootThatIsGoneIsDroppedThoughTheVariableNamesIt(slash: String) async throws {
        let both = try await TwoRepositories()
        let second = both.folder.path + "/second"
        _ = try await SnapcatProcess.succeed(
            ["make", both.folder.path + "/source", "--snap-root", second, "--heap-root", both.meant + "/heap"])
        try FileManager.default.removeItem(atPath: second)
        let result = try await SnapcatProcess.run(
            ["gc", "--grace", "0s", "--repo", both.meant, "--drop-snap-root", second], environment: ["SNAP_ROOT": second + slash])
        #expect(result.status == 0, "\(result.stderr)")
    }

    @Test(arguments: [
        ["purge", "file"], ["forget", "oldest"], ["check"], ["repair"], ["list"], ["make", "SOURCE"], ["undelete"],
        ["catalog", "rebuild"],
    ])
    func severalSnapRootsAreRefusedOutsideOfGC(command: [String]) async throws {
        let both = try await TwoRepositories()
        let before = (try both.state(both.other), try both.state(both.meant))
        let roots = [both.other, both.meant].flatMap { ["--snap-root", $0 + "/snap"] } + ["--heap-root", both.other + "/heap"]
        let result = try await SnapcatProcess.run(command.map { $0 == "SOURCE" ? both.folder.path + "/source" : $0 } + roots)
        #expect(result.status == 64 && result.lines("error").count == 1, "\(result.status) \(result.stderr)")
        #expect(result.stderr.contains("'\(both.other)/snap, \(both.meant)/snap'"), "\(result.stderr)")
        #expect(try (both.state(both.other), both.state(both.meant)) == before)
    }

    @Test(arguments: [
        ["--repo", "REPO", "catalog", "rebuild"], ["catalog", "--repo", "REPO", "rebuild"], ["--repo=REPO", "-q", "catalog", "stats"],
        ["--repo", "REPO", "catalog", "verify", "--progress", "never"], ["--snap-root", "REPO/snap", "catalog", "sync"],
    ])
    func optionsOfTheRootsStandBeforeASubcommandOfTheCatalogToo(arguments: [String]) async throws {
        let both = try await TwoRepositories()
        let result = try await SnapcatProcess.run(arguments.map { $0.replacing("REPO", with: both.meant) })
        #expect(result.status == 0, "\(result.stderr)")
    }
}
