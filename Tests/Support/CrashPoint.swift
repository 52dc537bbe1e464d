import Foundation

/// Ends a program (SIGKILL) just before its n-th call that changes a file system, or makes that call fail.
///
/// Writes of SQLite do not count: the catalog is derived, and has tests of its own.
/// A small library is put before the C library's functions; it is compiled by the toolchain's clang at the first use.
package enum CrashPoint {
    /// Runs snapcat, killed before call `number` (from 1); `-9` is the status of one that was.
    package static func run(_ arguments: [String], killedBefore number: Int) async throws -> SnapcatProcess.Result {
        try await SnapcatProcess.run(
            arguments, environment: ["LD_PRELOAD": try preload(), "SNAPCAT_TEST_KILL_BEFORE": String(number)])
    }

    /// Runs snapcat, its call `number` (from 1) failing with an error number of the system.
    package static func run(_ arguments: [String], failing number: Int, with error: Int32) async throws -> SnapcatProcess.Result {
        try await SnapcatProcess.run(
            arguments,
            environment: ["LD_PRELOAD": try preload(), "SNAPCAT_TEST_FAIL_AT": String(number), "SNAPCAT_TEST_ERROR": String(error)])
    }

    /// Runs `prepare`, then snapcat killed before its first, second, ... such call, then `judge`, until it lives to its
    /// end. Returns the last point. Beyond the 24th only some are tried: these are the catalog's, which is derived.
    package static func forEach(
        _ arguments: [String], prepare: () throws -> Void, judge: (_ point: Int) async throws -> Void
    ) async throws -> Int {
        var point = 0
        while true {
            point += point < 24 ? 1 : 13
            try prepare()
            let result = try await run(arguments, killedBefore: point)
            if result.status != -9 {
                guard [0, 3].contains(result.status) else {
                    throw SnapcatProcess.Failure(description: "\(arguments) ended with \(result.status): \(result.stderr)")
                }
                return point - 1
            }
            try await judge(point)
        }
    }

    /// With what is loaded so already (`Scripts/sanitize`).
    private static func preload() throws -> String {
        [try library.get(), ProcessInfo.processInfo.environment["LD_PRELOAD"] ?? ""].filter { !$0.isEmpty }.joined(separator: ":")
    }

    private static let library = Result { try compile() }

    private static let folder = NSTemporaryDirectory() + "snapcat-crash-\(ProcessInfo.processInfo.processIdentifier)"

    private static func compile() throws -> String {
        atexit {
            // What is left over disturbs no test.
            do { try FileManager.default.removeItem(atPath: CrashPoint.folder) } catch {}
        }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try source.write(toFile: folder + "/crash.c", atomically: true, encoding: .utf8)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["clang", "-shared", "-fPIC", "-O1", "-o", folder + "/crash.so", folder + "/crash.c", "-ldl"]
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw SnapcatProcess.Failure(description: "clang cannot build the crash library") }
        return folder + "/crash.so"
    }

    private static let source = #"""
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <fcntl.h>
        #include <signal.h>
        #include <stdatomic.h>
        #include <stdarg.h>
        #include <stdlib.h>
        #include <sys/types.h>
        #include <unistd.h>
        #include <errno.h>
        static atomic_long calls;
        /// Whether this call is to fail; errno is set.
        static int step(void) {
            const char *kill_at = getenv("SNAPCAT_TEST_KILL_BEFORE"), *fail_at = getenv("SNAPCAT_TEST_FAIL_AT");
            if (!kill_at && !fail_at) return 0;
            long call = atomic_fetch_add(&calls, 1) + 1;
            if (kill_at && call == atol(kill_at)) kill(getpid(), SIGKILL);
            if (!fail_at || call != atol(fail_at)) return 0;
            errno = atoi(getenv("SNAPCAT_TEST_ERROR"));
            return 1;
        }
        #define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
        int renameat(int f, const char *a, int g, const char *b) { return step() ? -1 : NEXT(renameat)(f, a, g, b); }
        int renameat2(int f, const char *a, int g, const char *b, unsigned x) { return step() ? -1 : NEXT(renameat2)(f, a, g, b, x); }
        int linkat(int f, const char *a, int g, const char *b, int x) { return step() ? -1 : NEXT(linkat)(f, a, g, b, x); }
        int unlinkat(int f, const char *n, int x) { return step() ? -1 : NEXT(unlinkat)(f, n, x); }
        int unlink(const char *n) { return step() ? -1 : NEXT(unlink)(n); }
        int mkdirat(int f, const char *n, mode_t m) { return step() ? -1 : NEXT(mkdirat)(f, n, m); }
        int fsync(int d) { return step() ? -1 : NEXT(fsync)(d); }
        int fdatasync(int d) { return step() ? -1 : NEXT(fdatasync)(d); }
        int syncfs(int d) { return step() ? -1 : NEXT(syncfs)(d); }
        ssize_t write(int d, const void *p, size_t n) { return d > 2 && step() ? -1 : NEXT(write)(d, p, n); }
        """#
}
