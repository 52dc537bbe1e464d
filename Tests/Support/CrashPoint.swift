import Foundation

/// Ends a program (SIGKILL) just before its n-th call that changes a file system, whatever it is at.
///
/// A small library is put before the C library's functions; it is compiled by the toolchain's clang at the first use.
package enum CrashPoint {
    /// Runs snapcat, killed before call `number` (from 1); `-9` is the status of one that was.
    package static func run(_ arguments: [String], killedBefore number: Int) async throws -> SnapcatProcess.Result {
        try await SnapcatProcess.run(
            arguments, environment: ["LD_PRELOAD": try library.get(), "SNAPCAT_TEST_KILL_BEFORE": String(number)])
    }

    /// Runs `prepare`, then snapcat killed before its first, second, ... such call, then `judge`, until it lives to its
    /// end. Returns the last point. Beyond the 40th only some are tried: these are the catalog's, which is derived.
    package static func forEach(
        _ arguments: [String], prepare: () throws -> Void, judge: (_ point: Int) async throws -> Void
    ) async throws -> Int {
        var point = 0
        while true {
            point += point < 40 ? 1 : 11
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

    private static let library = Result { try compile() }

    private static func compile() throws -> String {
        let folder = NSTemporaryDirectory() + "snapcat-crash-\(ProcessInfo.processInfo.processIdentifier)"
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
        static atomic_long calls;
        static void step(void) {
            const char *limit = getenv("SNAPCAT_TEST_KILL_BEFORE");
            if (limit && atomic_fetch_add(&calls, 1) + 1 == atol(limit)) kill(getpid(), SIGKILL);
        }
        #define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
        int renameat(int f, const char *a, int g, const char *b) { step(); return NEXT(renameat)(f, a, g, b); }
        int renameat2(int f, const char *a, int g, const char *b, unsigned x) { step(); return NEXT(renameat2)(f, a, g, b, x); }
        int linkat(int f, const char *a, int g, const char *b, int x) { step(); return NEXT(linkat)(f, a, g, b, x); }
        int unlinkat(int f, const char *n, int x) { step(); return NEXT(unlinkat)(f, n, x); }
        int unlink(const char *n) { step(); return NEXT(unlink)(n); }
        int mkdirat(int f, const char *n, mode_t m) { step(); return NEXT(mkdirat)(f, n, m); }
        int fsync(int d) { step(); return NEXT(fsync)(d); }
        int fdatasync(int d) { step(); return NEXT(fdatasync)(d); }
        int syncfs(int d) { step(); return NEXT(syncfs)(d); }
        ssize_t write(int d, const void *p, size_t n) { if (d > 2) step(); return NEXT(write)(d, p, n); }
        ssize_t pwrite64(int d, const void *p, size_t n, off64_t o) { step(); return NEXT(pwrite64)(d, p, n, o); }
        """#
}
