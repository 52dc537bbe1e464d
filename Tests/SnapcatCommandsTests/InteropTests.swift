// snapcat and the real snapshooter 1.0.19 on the same roots, each reading what the other wrote.

import Foundation
import SnapcatTestSupport
import Testing

@Suite("Interop with snapshooter 1.0.19")
struct InteropTests {
    @Test func `every line that snapcat writes has the keys, values and spelling of snapshooter's line`()
        async throws
    {
        let roots = try await InteropRoots(tree: .odd)
        let ours = try await roots.make()
        // snapshooter gets a repository of its own: it must find every value by itself.
        let report = try await PythonSnapshooter.run(
            #"""
            file_root, repo, ours = argv
            _, _, path = snapshooter(file_root, repo).make_snapshot()
            decoder = json.JSONDecoder()
            def raw_values(line):
                """The JSON text of each key's value, as it is spelled."""
                at, result = 1, {}
                while line[at] != "}":
                    key, end = decoder.raw_decode(line, at)
                    assert line[end:end + 2] == ": ", line
                    _, stop = decoder.raw_decode(line, end + 2)
                    result[line[at:end]] = line[end + 2:stop]
                    at = stop + (2 if line[stop:stop + 2] == ", " else 0)
                assert line[at:] == "}" and list(result) == sorted(result), line
                return result
            left, right = snapshot_lines(ours), snapshot_lines(path)
            print(len(left), len(right), sum(1 for line in left if line == ""))
            for a, b in zip(left, right):
                a, b = raw_values(a), raw_values(b)
                if set(a) - set(b) != {'"mtime_ns"', '"ctime_ns"'}:
                    print("other keys", sorted(a), sorted(b))
                for key in b:
                    if a.get(key) != b[key]:
                        print(b['"name"'], key, "expected", b[key], "got", a.get(key))
            """#, [roots.file, roots.folder.path + "/python", ours])
        let count = try await roots.fileCount()
        #expect(report == ["\(count) \(count) 0"])
        #expect(count > 30)
    }

    @Test func `snapshooter restores a snapcat snapshot with equal contents`() async throws {
        let roots = try await InteropRoots(tree: .odd)
        let path = try await roots.make()
        _ = try await PythonSnapshooter.run(
            #"""
            target, repo, path = argv
            snapshooter(target, repo).restore_snapshot(
                path, save_snapshot_before=False, save_snapshot_after=False)
            """#, [roots.target, roots.repo, path])
        let source = try await roots.contents(roots.file)
        #expect(try await roots.contents(roots.target) == source)
        #expect(source.count > 30)
    }

    @Test func `snapcat restores a snapshooter snapshot with equal contents and modification times`()
        async throws
    {
        let roots = try await InteropRoots(tree: .odd)
        let path = try await roots.pythonMake()
        _ = try await SnapcatProcess.succeed(
            ["restore", "--path", path, "--repo", roots.repo, "--file-root", roots.target])
        let source = try await roots.contents(roots.file, times: true)
        #expect(try await roots.contents(roots.target, times: true) == source)
        #expect(source.count > 30)
    }

    @Test func `both in turn on one repository continue from each other`() async throws {
        let roots = try await InteropRoots(tree: .odd)
        var snapshots: [String] = []
        var truths: [[String]] = []
        for round in 0..<6 {
            if round > 0 { try await roots.edit(round: round) }
            snapshots.append(try await round.isMultiple(of: 2) ? roots.make() : roots.pythonMake())
            truths.append(try await roots.contents(roots.file))
        }
        #expect(snapshots == snapshots.sorted() && Set(snapshots).count == snapshots.count)
        for (snapshot, truth) in zip(snapshots, truths) {
            #expect(try await roots.entries(snapshot) == truth, "\(snapshot)")
        }
        try await roots.expectCatalogEqualsSnapshots()
        #expect(try await roots.heapProblems() == [])
    }

    @Test func `the unsorted snapshot after snapshooter's restore is continued from`() async throws {
        let roots = try await InteropRoots(tree: .odd)
        let first = try await roots.make()
        try await roots.edit(round: 1)
        let source = try await roots.entries(first)
        let restored = try await PythonSnapshooter.run(
            "print(snapshooter(*argv[:2]).restore_snapshot(argv[2])[2])", [roots.file, roots.repo, first])
        let unsorted = try await roots.entries(try #require(restored.first))
        #expect(unsorted != source && unsorted.sorted() == source.sorted())
        let last = try await roots.make()
        #expect(try await roots.entries(last) == source)
        #expect(try await roots.compare(first, last).allSatisfy { $0.hasPrefix("equal ") })
        try await roots.expectCatalogEqualsSnapshots()
        #expect(try await roots.heapProblems() == [])
    }

    @Test func `after snapshooter's snapshot an unchanged tree is neither read nor stored again`()
        async throws
    {
        let roots = try await InteropRoots(tree: .odd)
        _ = try await roots.pythonMake()
        let before = try await roots.heapFiles()
        let result = try await SnapcatProcess.succeed(
            ["make", roots.file, "--repo", roots.repo, "--format", "json"])
        let summary = try JSONSerialization.jsonObject(with: Data(result.stdout)) as? [String: Any]
        #expect(summary?["read_files"] as? Int == 0)
        #expect(summary?["new_objects"] as? Int == 0)
        #expect(summary?["stored_bytes"] as? Int == 0)
        // Name, inode and modification time of each: none was replaced, added or written beside.
        #expect(try await roots.heapFiles() == before)
        #expect(try await roots.heapProblems() == [])
    }

    @Test func `compare gives every file the status that snapshooter gives it`() async throws {
        let roots = try await InteropRoots(tree: .odd)
        var snapshots = [try await roots.make()]
        for round in 1..<4 {
            try await roots.edit(round: round)
            snapshots.append(try await round.isMultiple(of: 2) ? roots.make() : roots.pythonMake())
        }
        var expected = try await PythonSnapshooter.run(
            #"""
            from snapshooter import compare_snapshots, convert_snapshot_to_df
            frames = [convert_snapshot_to_df(snapshot(path)) for path in argv]
            for i, left in enumerate(frames):
                for j, right in enumerate(frames):
                    for name, status in compare_snapshots(left, right)["status"].items():
                        print(i, j, status, base64.b64encode(os.fsencode(name)).decode())
            """#, snapshots)
        var actual: [String] = []
        for (i, left) in snapshots.enumerated() {
            for (j, right) in snapshots.enumerated() {
                actual += try await roots.compare(left, right).map { "\(i) \(j) \($0)" }
            }
        }
        expected.sort()
        actual.sort()
        #expect(actual == expected)
        let statuses = Set(actual.map { $0.split(separator: " ")[2] })
        #expect(statuses == ["equal", "different", "only_left", "only_right"])
    }

    @Test func `a restored tree equals its source in all that a tree has`() async throws {
        let roots = try await InteropRoots(tree: .odd)
        _ = try await roots.make()
        _ = try await SnapcatProcess.succeed(
            ["restore", "latest", "--repo", roots.repo, "--file-root", roots.target])
        let source = try await roots.manifest(roots.file)
        #expect(try await roots.manifest(roots.target) == source)
        for kind in ["link", "directory", "file"] {
            #expect(source.count { $0.contains(" \(kind) ") } > 3)
        }
    }

    @Test func `a content that changes while size and modification time stay is found`() async throws {
        let roots = try await InteropRoots(tree: .odd)
        let first = try await roots.make()
        _ = try await PythonSnapshooter.run(
            #"rewrite_keeping_mtime(argv[0] + "/plain", b"PLAIN")"#, [roots.file])
        let second = try await roots.make()
        #expect(try await roots.entries(second) == roots.contents(roots.file))
        let changes = try await roots.compare(first, second).filter { !$0.hasPrefix("equal ") }
        #expect(changes == ["different " + Data("plain".utf8).base64EncodedString()])
        #expect(try await roots.heapProblems() == [])
    }

    @Test func `objects are read by Python's gzip, equal their files and are stored once`() async throws {
        let roots = try await InteropRoots(tree: .odd)
        _ = try await roots.make()
        #expect(try await roots.heapProblems() == [])
        let before = try await roots.heapFiles()
        // Python believes that it has all objects of snapcat.
        _ = try await roots.pythonMake()
        #expect(try await roots.heapFiles() == before)
    }
}
