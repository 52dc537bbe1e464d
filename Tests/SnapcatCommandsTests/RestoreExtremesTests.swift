import Foundation
import SnapcatFormat
import SnapcatPlatform
import SnapcatTestSupport
import Testing

/// Restores of trees and snapshots that are not as most are.
@Suite struct RestoreExtremesTests {
    /// A Python script with the binary and a folder of its own, which it removes: no path reaches into the tree.
    private func run(_ script: String) throws -> String {
        let frame = """
            import os, resource, shutil, subprocess, sys, tempfile
            binary = sys.argv[1]
            folder = tempfile.mkdtemp()
            def snapcat(*arguments, files=None, umask=-1):
                limit = (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))) if files else None
                result = subprocess.run([binary, *arguments, "--repo", folder + "/repo", "-q"], stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT, preexec_fn=limit, umask=umask)
                if result.returncode: print(result.returncode, result.stdout.decode(errors="replace")[-300:])
            try:

            """
        let body = script.split(separator: "\n").map { "    " + $0 }.joined(separator: "\n")
        let text = try Python.run(frame + body + "\nfinally: shutil.rmtree(folder)", arguments: [try SnapcatProcess.binary()])
        return String(decoding: text, as: UTF8.self)
    }

    @Test func aTreeFarDeeperThanPathsMayBeIsRestoredWithFewOpenFiles() throws {
        let found = try run(
            """
            def descend(path, make):
                seen, folder = [], os.open(path, os.O_RDONLY)
                for level in range(300):
                    name = f"{level}-" + "x" * 40
                    if make: os.mkdir(name, dir_fd=folder)
                    inner = os.open(name, os.O_RDONLY, dir_fd=folder)
                    os.close(folder)
                    folder = inner
                    # A file before and one behind the folder below it.
                    for leaf in ("!", "~"):
                        with os.fdopen(os.open(leaf, os.O_RDWR | os.O_CREAT * make, 0o644, dir_fd=folder), "r+") as file:
                            if make: file.write(leaf + name)
                            else: seen.append(file.read() == leaf + name)
                os.close(folder)
                return seen
            os.mkdir(folder + "/source")
            descend(folder + "/source", True)
            snapcat("make", folder + "/source")
            snapcat("restore", "latest", "--file-root", folder + "/target", "--parallel", "2", files=128)
            seen = descend(folder + "/target", False)
            print(len(seen), all(seen))
            """)
        #expect(found == "600 True\n")
    }

    @Test func modesAndTimesAreExactWhateverTheUmask() throws {
        let found = try run(
            """
            os.mkdir(folder + "/source")
            os.mkdir(folder + "/source/sub")
            modes = [0, 0o400, 0o444, 0o600, 0o640, 0o644, 0o755, 0o777, 0o1644, 0o4755, 0o2711, 0o6777]
            for mode in modes:
                name = f"{folder}/source/sub/{mode:o}"
                with open(name, "w") as file: file.write(name)
                if mode == 0o640 and os.geteuid() == 0: os.chown(name, 12345, 54321)
                os.chmod(name, mode if os.geteuid() == 0 else mode | 0o400)
                os.utime(name, ns=(0, 1_000_000_000_000_000_001 + mode))
            os.chmod(folder + "/source/sub", 0o2750)
            def facts(top):
                return [(f.st_mode, f.st_uid, f.st_gid, f.st_mtime_ns) for f in
                    (os.stat(top + "/" + n) for n in ["sub"] + sorted("sub/" + n for n in os.listdir(top + "/sub")))]
            snapcat("make", folder + "/source")
            for umask in (0, 0o22, 0o77, 0o777):
                target = f"{folder}/target{umask}"
                os.mkdir(target)
                snapcat("restore", "latest", "--file-root", target, "--no-save-snapshot-after", umask=umask)
                print(facts(folder + "/source") == facts(target))
            """)
        #expect(found == String(repeating: "True\n", count: 4))
    }

    @Test func whatIsDeeperThanPathsMayBeAndNotInTheSnapshotGoes() throws {
        let found = try run(
            """
            for name in ("source", "target"): os.mkdir(folder + "/" + name)
            open(folder + "/source/f", "w").close()
            level = os.open(folder + "/target", os.O_RDONLY)
            for _ in range(60):
                os.mkdir("x" * 100, dir_fd=level)
                inner = os.open("x" * 100, os.O_RDONLY, dir_fd=level)
                os.close(level)
                level = inner
            os.close(os.open("leaf", os.O_WRONLY | os.O_CREAT, dir_fd=level))
            os.close(level)
            snapcat("make", folder + "/source")
            snapcat("restore", "latest", "--file-root", folder + "/target")
            print(os.listdir(folder + "/target"))
            """)
        #expect(found == "['f']\n")
    }

    @Test func foldersThatAPartialRestoreHadToOpenAreClosedAgain() throws {
        // As nobody: root needs no mode.
        let found = try run(
            """
            binary = shutil.copy(binary, folder + "/snapcat")
            os.makedirs(folder + "/target/closed/deep")
            for name in ("top", "closed/f", "closed/deep/g"):
                with open(folder + "/target/" + name, "w") as file: file.write("old")
            def close():
                for name in ("closed/deep", "closed", ""): os.chmod(folder + "/target/" + name, 0o555)
            close()
            if os.geteuid() == 0: subprocess.run(["chown", "-R", "65534", folder], check=True)
            def plain(*arguments):
                result = subprocess.run([binary, *arguments, "--repo", folder + "/repo", "-q"], stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT, user=65534 if os.geteuid() == 0 else None)
                if result.returncode: print(result.returncode, result.stdout.decode())
            plain("make", folder + "/target")
            for name in ("deep", ""): os.chmod(folder + "/target/closed/" + name, 0o755)
            for name in ("f", "deep/g"):
                with open(folder + "/target/closed/" + name, "w") as file: file.write("changed")
            os.remove(folder + "/target/top")
            close()
            names = ("top", "closed/f", "closed/deep/g")
            plain("restore", "oldest", "--file-root", folder + "/target", *("--include=" + name for name in names))
            print([open(folder + "/target/" + name).read() for name in names],
                [oct(os.stat(folder + "/target/" + name).st_mode & 0o777) for name in ("", "closed", "closed/deep")])
            """)
        #expect(found == "['old', 'old', 'old'] ['0o555', '0o555', '0o555']\n")
    }

    /// snapshooter leaves them so after a restore.
    @Test func aSnapshotOutOfOrderIsRestoredAndOneWithTwoContentsOfANameIsDamage() async throws {
        let sandbox = try RestoreSandbox(["a": "one\n", "b/c": "two\n", "b.txt": "one\n"])
        let made = try await sandbox.make()
        let lines = try await SnapcatProcess.succeed(["query", "--repo", sandbox.repo, "--format", "tsv", "SELECT md5, name FROM current_file ORDER BY name"])
            .lines.dropFirst().map { $0.split(separator: "\t").map(String.init) }
        #expect(lines.count == 3 && !made.isEmpty)
        func restore(_ order: [Int], _ target: String, _ name: (Int) -> String) async throws -> SnapcatProcess.Result {
            let text = order.map { #"{"md5": "\#(lines[$0][0])", "name": "\#(name($0))"}"# }.joined(separator: "\n")
            let path = sandbox.folder.path + "/\(target).jsonl.gz"
            try sandbox.folder.write("\(target).jsonl.gz", Gzip.compress(Array(text.utf8), level: .standard))
            return try await SnapcatProcess.run(
                ["restore", path, "--repo", sandbox.repo, "--file-root", sandbox.folder.path + "/" + target])
        }
        let good = try await restore([2, 1, 0, 2], "good") { lines[$0][1] }
        #expect(good.status == 0, "\(good.stderr)")
        #expect(try ["good/a", "good/b/c", "good/b.txt"].map { try sandbox.read($0) } == ["one\n", "two\n", "one\n"])
        for order in [[0, 2], [2, 1, 0]] {
            let bad = try await restore(order, "bad") { $0 == 1 ? "a" : "z" }
            #expect(bad.status == 5 && bad.stderr.contains("comes twice"), "\(bad.stderr)")
            #expect(try !sandbox.exists("bad"))
        }
    }
}
