import Foundation
import SnapcatTestSupport
import Testing

/// A file root, and a repository that snapcat and snapshooter share, for the interop tests.
struct InteropRoots {
    /// What the file root has at first.
    enum Tree {
        /// Odd names, links, times, modes and empty things: `InteropTree.script`.
        case odd
    }

    /// Removed with the last copy of these roots.
    let folder: TempFolder

    init(tree: Tree) async throws {
        folder = try TempFolder()
        switch tree {
        case .odd: _ = try await PythonSnapshooter.run(InteropTree.script, [file])
        }
    }

    var file: String { folder.path + "/file" }
    var repo: String { folder.path + "/repo" }
    /// A folder to restore into, that does not exist yet.
    var target: String { folder.path + "/target" }

    /// snapshooter's options for these roots.
    var rootOptions: [String] {
        ["--file-root", file, "--heap-root", repo + "/heap", "--snap-root", repo + "/snap"]
    }

    /// The same by environment.
    var rootEnvironment: [String: String] {
        ["FILE_ROOT": file, "HEAP_ROOT": repo + "/heap", "SNAP_ROOT": repo + "/snap", "LOGLEVEL": "ERROR"]
    }

    /// The path of the snapshot that snapcat makes.
    func make() async throws -> String {
        let lines = try await SnapcatProcess.succeed(["make", file, "--repo", repo]).lines
        return try #require(lines.count == 1 ? lines.first : nil)
    }

    /// The path of the snapshot that snapshooter makes.
    func pythonMake() async throws -> String {
        let lines = try await PythonSnapshooter.run(
            "print(snapshooter(*argv).make_snapshot()[2])", [file, repo])
        return try #require(lines.count == 1 ? lines.first : nil)
    }

    /// Changes some files, adds some and removes some; before snapcat's turn also with size and mtime kept.
    func edit(round: Int) async throws {
        _ = try await PythonSnapshooter.run(InteropTree.editScript, [file, String(round)])
    }

    /// `status base64(name)` of each file row of snapcat's compare, sorted.
    func compare(_ left: String, _ right: String) async throws -> [String] {
        let states = ["equal", "different", "only_left", "only_right"].flatMap { ["--diff-state", $0] }
        let result = try await SnapcatProcess.succeed(
            ["compare", "--path1", left, "--path2", right, "--repo", repo, "--format", "jsonl"] + states)
        return try fileRows(result.lines)
    }

    /// `status base64(name)` of each row that has a file on a side, sorted; `lines` are compare's JSON lines.
    func fileRows(_ lines: [String]) throws -> [String] {
        try lines.compactMap { line -> String? in
            let row = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            guard row["type_left"] as? String == "file" || row["type_right"] as? String == "file" else {
                return nil
            }
            let name = try #require(row["name"] as? String)
            let encoded = row["name_b64"] as? String ?? Data(name.utf8).base64EncodedString()
            return "\(try #require(row["status"] as? String)) \(encoded)"
        }.sorted()
    }

    /// Expects that the catalog counts, for every snapshot, what its file holds.
    func expectCatalogEqualsSnapshots() async throws {
        let sql = """
            SELECT s.path AS path, count(*) AS files, sum(f.size) AS bytes, count(DISTINCT f.md5) AS contents
            FROM snapshot_file f JOIN snapshot s ON s.id = f.snapshot_id GROUP BY s.path ORDER BY s.path
            """
        let catalog = try await SnapcatProcess.succeed(["query", sql, "--repo", repo, "--format", "jsonl"])
        let files = try await PythonSnapshooter.run(
            #"""
            for path in snapshot_paths(argv[0]):
                rows = snapshot(path)
                print(json.dumps({
                    "path": os.path.relpath(path, argv[0] + "/snap"),
                    "files": len(rows),
                    "bytes": sum(row["size"] for row in rows),
                    "contents": len({row["md5"] for row in rows}),
                }))
            """#, [repo])
        #expect(catalog.lines == files)
        #expect(files.count > 1)
    }

    /// Each object's name, inode and modification time.
    func heapFiles() async throws -> [String] {
        try await PythonSnapshooter.run(
            #"""
            for path in sorted(glob.glob(argv[0] + "/heap/??/*")):
                print(os.path.relpath(path, argv[0]), os.stat(path).st_ino, os.stat(path).st_mtime_ns)
            """#, [repo])
    }

    /// What is wrong with the objects, judged by Python's gzip: each content once, under its md5, no other.
    func heapProblems() async throws -> [String] {
        try await PythonSnapshooter.run(
            #"""
            named = {row["md5"] for path in snapshot_paths(argv[0]) for row in snapshot(path)}
            stored = []
            for path in sorted(glob.glob(argv[0] + "/heap/*/*")):
                md5 = os.path.basename(path)[:-3]
                if os.path.basename(os.path.dirname(path)) == "temp":
                    continue  # snapshooter leaves files here
                stored.append(md5)
                with gzip.open(path, "rb") as f:
                    actual = hashlib.md5(f.read()).hexdigest()
                if path != f"{argv[0]}/heap/{md5[:2]}/{md5}.gz" or actual != md5:
                    print("wrong object", path, actual)
            for md5 in sorted(set(stored) ^ named):
                print("missing" if md5 in named else "orphan", md5)
            if not named or len(stored) != len(set(stored)):
                print("objects stored", len(stored), "named", len(named))
            """#, [repo])
    }

    /// The number of regular files in the file root.
    func fileCount() async throws -> Int { try await contents(file).count }

    /// `name md5` of each regular file below a root, in the format's order; with `times`, the mtime too, as
    /// Python's double.
    func contents(_ root: String, times: Bool = false) async throws -> [String] {
        try await PythonSnapshooter.run(
            #"""
            for name, path in sorted(files(argv[0]).items(), key=lambda item: os.fsdecode(item[0])):
                print(ascii(os.fsdecode(name)), digest(path), *[os.lstat(path).st_mtime] * int(argv[1]))
            """#, [root, times ? "1" : "0"])
    }

    /// `name md5` of each line of a snapshot, in its order.
    func entries(_ snapshot: String) async throws -> [String] {
        try await PythonSnapshooter.run(
            #"for row in snapshot(argv[0]): print(ascii(row["name"]), row["md5"])"#, [snapshot])
    }

    /// All that a tree has: each node's name, kind, mode, mtime in nanoseconds, content or destination, and
    /// the first name of the same inode.
    func manifest(_ root: String) async throws -> [String] {
        try await PythonSnapshooter.run(
            #"""
            first = {}
            for name, path in sorted(nodes(argv[0])):
                status = os.lstat(path)
                kind, what = "directory", b""
                if stat.S_ISLNK(status.st_mode):
                    kind, what = "link", os.readlink(path)
                elif stat.S_ISREG(status.st_mode):
                    kind, what = "file", digest(path)
                same = first.setdefault(status.st_ino, name)
                owner = (status.st_uid, status.st_gid)
                print(name, kind, oct(status.st_mode), status.st_mtime_ns, owner, what, same)
            """#, [root])
    }
}
