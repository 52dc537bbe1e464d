import Foundation

/// Lets other processes do something at an exact moment of a program's run: just before the n-th file of a folder is
/// opened. The program waits until they are done, or is killed there.
package enum MeetingPoint {
    /// What happens at the moment.
    package enum Event {
        /// A command of the shell. It must not wait for what the program holds.
        case command(String)
        case kill
        /// The call fails with an error number of the system.
        case failure(Int32)
    }

    /// Runs snapcat; before file `number` (from 1) whose path contains `part` is opened, `event` happens. Number 0:
    /// before each of them.
    package static func run(
        _ arguments: [String], before number: Int, in part: String, _ event: Event
    ) async throws -> SnapcatProcess.Result {
        var environment = [
            "LD_PRELOAD": try library.get(), "SNAPCAT_TEST_MEET_BEFORE": String(number), "SNAPCAT_TEST_MEET_IN": part,
        ]
        if case .command(let text) = event {
            environment["SNAPCAT_TEST_MEET_COMMAND"] = "unset LD_PRELOAD; { \(text); } >/dev/null 2>&1"
        }
        if case .failure(let error) = event { environment["SNAPCAT_TEST_MEET_ERROR"] = String(error) }
        return try await SnapcatProcess.run(arguments, environment: environment)
    }

    private static let library = Result { try PreloadedLibrary.compiled("meeting", source) }

    private static let source = #"""
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <errno.h>
        #include <fcntl.h>
        #include <signal.h>
        #include <stdarg.h>
        #include <stdatomic.h>
        #include <stdlib.h>
        #include <string.h>
        #include <unistd.h>
        static atomic_long opened;
        /// Whether the call is to fail; errno is set.
        static int meet(const char *path) {
            const char *before = getenv("SNAPCAT_TEST_MEET_BEFORE"), *part = getenv("SNAPCAT_TEST_MEET_IN");
            if (!before || !part || !strstr(path, part)) return 0;
            if (atol(before) && atomic_fetch_add(&opened, 1) + 1 != atol(before)) return 0;
            const char *command = getenv("SNAPCAT_TEST_MEET_COMMAND"), *error = getenv("SNAPCAT_TEST_MEET_ERROR");
            if (error) { errno = atoi(error); return 1; }
            if (!command) kill(getpid(), SIGKILL);
            else if (system(command)) abort();
            return 0;
        }
        #define MODE va_list rest; va_start(rest, flags); mode_t mode = (flags & (O_CREAT | __O_TMPFILE)) ? va_arg(rest, mode_t) : 0; va_end(rest)
        #define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
        int open(const char *path, int flags, ...) { MODE; if (meet(path)) return -1; return NEXT(open)(path, flags, mode); }
        int open64(const char *path, int flags, ...) { MODE; if (meet(path)) return -1; return NEXT(open64)(path, flags, mode); }
        int openat(int folder, const char *path, int flags, ...) { MODE; if (meet(path)) return -1; return NEXT(openat)(folder, path, flags, mode); }
        int openat64(int folder, const char *path, int flags, ...) { MODE; if (meet(path)) return -1; return NEXT(openat64)(folder, path, flags, mode); }
        """#
}
