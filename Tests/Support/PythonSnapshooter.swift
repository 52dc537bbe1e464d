import Foundation

/// The real snapshooter 1.0.19 from PyPI, and Python as the judge of file trees.
///
/// `SNAPCAT_TEST_PYTHON` is the interpreter of a virtual environment that has it:
/// `python3 -m venv V && V/bin/pip install snapshooter==1.0.19`, then `SNAPCAT_TEST_PYTHON=V/bin/python3`.
package enum PythonSnapshooter {
    /// Runs a script after `prelude` and returns its stdout as lines; `arguments` are `sys.argv[1:]`.
    ///
    /// Throws `SnapcatProcess.Failure` with stderr where Python does not end with 0, and where
    /// `SNAPCAT_TEST_PYTHON` is not set: these tests fail rather than skip.
    package static func run(_ script: String, _ arguments: [String] = []) async throws -> [String] {
        try await succeed(["-c", prelude + script] + arguments).lines
    }

    /// Runs snapshooter's command line and returns what it has printed, as lines.
    package static func commandLine(
        _ arguments: [String], environment: [String: String] = [:], folder: String? = nil
    ) async throws -> [String] {
        let arguments = ["-m", "snapshooter.cli"] + arguments
        return try await succeed(arguments, environment: environment, folder: folder).lines
    }

    private static func succeed(
        _ arguments: [String], environment: [String: String] = [:], folder: String? = nil
    ) async throws -> SnapcatProcess.Result {
        guard let python = ProcessInfo.processInfo.environment["SNAPCAT_TEST_PYTHON"], !python.isEmpty else {
            throw SnapcatProcess.Failure(
                description: "SNAPCAT_TEST_PYTHON is not set: it must be the python3 of a virtual "
                    + "environment with snapshooter==1.0.19; without it nothing proves that both agree")
        }
        // The locale must not decide how names are decoded: UTF-8 with surrogateescape, as in the format.
        let environment = ["PYTHONUTF8": "1"].merging(environment) { $1 }
        let result = try await SnapcatProcess.start(
            python, arguments, environment: environment, input: [], folder: folder)
        guard result.status == 0 else {
            throw SnapcatProcess.Failure(
                description: "Python ended with \(result.status): \(result.stderr.suffix(4000))")
        }
        return result
    }

    /// What scripts may use. `snapshooter` itself is imported only where a script asks: that takes long.
    private static let prelude = #"""
        import base64, glob, gzip, hashlib, json, os, stat, sys
        argv = sys.argv[1:]

        def snapshooter(file_root, repo):
            import fsspec, importlib.metadata
            from snapshooter import Heap, Snapshooter
            assert importlib.metadata.version("snapshooter") == "1.0.19", "snapshooter==1.0.19 is needed"
            os.makedirs(repo + "/heap", exist_ok=True)  # it makes all roots but this one
            local = fsspec.filesystem("file")
            return Snapshooter(local, file_root, local, repo + "/snap", Heap(local, repo + "/heap"))

        def snapshot_lines(path):
            with gzip.open(path, "rb") as f:
                text = f.read().decode("ascii")
            return text.split("\n") if text else []

        def snapshot(path):
            return [json.loads(line) for line in snapshot_lines(path)]

        def snapshot_paths(repo):
            return sorted(glob.glob(repo + "/snap/*/*/*.jsonl.gz"))

        def digest(path):
            with open(path, "rb") as f:
                return hashlib.md5(f.read()).hexdigest()

        def nodes(root):
            """Every node below a root, by its name as bytes; the root is b"."."""
            root = os.fsencode(root)
            yield b".", root
            for folder, folders, files in os.walk(root):
                for name in folders + files:
                    path = os.path.join(folder, name)
                    yield os.path.relpath(path, root), path

        def files(root):
            return {name: path for name, path in nodes(root) if stat.S_ISREG(os.lstat(path).st_mode)}

        def write(path, content, mtime_ns=None):
            with open(path, "wb") as f:
                f.write(content)
            if mtime_ns is not None:
                os.utime(path, ns=(mtime_ns, mtime_ns))

        def rewrite_keeping_mtime(path, content):
            mtime_ns = os.lstat(path).st_mtime_ns
            write(path, content, mtime_ns)
            assert os.lstat(path).st_mtime_ns == mtime_ns

        """#
}
