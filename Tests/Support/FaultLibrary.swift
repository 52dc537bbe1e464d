/// The library that stands before the C library's functions, compiled by the toolchain's clang at the first use.
enum FaultLibrary {
    static func path() throws -> String { try library.get() }

    private static let library = Result { try PreloadedLibrary.compiled("faults", source) }

    /// Kinds have the numbers of `CallFault.Kind`. The counters lie in a mapped file: they outlive a kill.
    private static let source = #"""
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <errno.h>
        #include <fcntl.h>
        #include <limits.h>
        #include <pthread.h>
        #include <signal.h>
        #include <stdarg.h>
        #include <stdatomic.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        #include <sys/mman.h>
        #include <sys/stat.h>
        #include <sys/syscall.h>
        #include <sys/uio.h>
        #include <unistd.h>
        #include <utime.h>

        enum { WRITE, CREATE, RENAME, LINK, UNLINK, MKDIR, SYNC, TRUNCATE, METADATA, OPEN, READ, LIST, STAT, TOTAL = 30, HITS = 31 };
        static _Atomic unsigned long unmapped[32], *counters = unmapped;
        static const char *below, *denied;
        static long kinds, kill_at, tear, fail_at, error_number, forever, kill_after;

        static long number(const char *name) { const char *text = getenv(name); return text ? atol(text) : 0; }
        static void *kill_later(void *unused) { usleep(kill_after); kill(getpid(), SIGKILL); return unused; }

        __attribute__((constructor)) static void begin(void) {
            kinds = number("SNAPCAT_TEST_KINDS");
            kill_at = number("SNAPCAT_TEST_KILL_AT");
            tear = number("SNAPCAT_TEST_TEAR");
            fail_at = number("SNAPCAT_TEST_FAIL_AT");
            error_number = number("SNAPCAT_TEST_ERROR");
            forever = number("SNAPCAT_TEST_FOREVER");
            kill_after = number("SNAPCAT_TEST_KILL_AFTER");
            denied = getenv("SNAPCAT_TEST_DENY");
            const char *path = getenv("SNAPCAT_TEST_COUNTS");
            int file = path ? syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
            if (file >= 0 && syscall(SYS_ftruncate, file, sizeof unmapped) == 0) {
                void *page = mmap(NULL, sizeof unmapped, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
                if (page != MAP_FAILED) counters = page;
            }
            if (file >= 0) syscall(SYS_close, file);
            below = getenv("SNAPCAT_TEST_BELOW");
            pthread_t thread;
            if (kill_after) pthread_create(&thread, NULL, kill_later, NULL);
        }

        static int counts(const char *path) { return below && strncmp(path, below, strlen(below)) == 0 && !strstr(path, "/.calls-"); }
        static int counts_file(int file) {
            char link[64], path[PATH_MAX];
            if (!below) return 0;
            snprintf(link, sizeof link, "/proc/self/fd/%d", file);
            ssize_t length = readlink(link, path, sizeof path - 1);
            if (length < 0) return 0;
            path[length] = 0;
            return counts(path);
        }
        static int counts_name(int folder, const char *name) {
            return name[0] == '/' ? counts(name) : folder != AT_FDCWD && counts_file(folder);
        }
        /// 0: the call goes on; 1: it fails, errno is set; 2: it is cut short; 3: it is cut short and the last one.
        static int step(int kind) {
            atomic_fetch_add(&counters[kind], 1);
            if (!(kinds >> kind & 1)) return 0;
            long call = atomic_fetch_add(&counters[TOTAL], 1) + 1;
            if (kill_at && call == kill_at) {
                if (tear && kind == WRITE) return 3;
                kill(getpid(), SIGKILL);
            }
            if (!fail_at || (forever ? call < fail_at : call != fail_at)) return 0;
            atomic_fetch_add(&counters[HITS], 1);
            if (error_number == 0) return kind == WRITE ? 2 : 0;
            errno = error_number;
            return 1;
        }
        #define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
        #define FAILS(kind, is_counted) ((is_counted) && step(kind) == 1)

        #define WRITES(result_call, fd, n) \
            int s = counts_file(fd) ? step(WRITE) : 0; \
            if (s == 1) return -1; \
            if (s >= 2 && n > 1) n /= 2; \
            ssize_t done = result_call; \
            if (s == 3) kill(getpid(), SIGKILL); \
            return done;
        ssize_t write(int d, const void *p, size_t n) { WRITES(NEXT(write)(d, p, n), d, n) }
        ssize_t pwrite(int d, const void *p, size_t n, off_t o) { WRITES(NEXT(pwrite)(d, p, n, o), d, n) }
        ssize_t pwrite64(int d, const void *p, size_t n, off64_t o) { WRITES(NEXT(pwrite64)(d, p, n, o), d, n) }
        ssize_t writev(int d, const struct iovec *v, int n) { WRITES(NEXT(writev)(d, v, n), d, n) }

        ssize_t read(int d, void *p, size_t n) { return FAILS(READ, counts_file(d)) ? -1 : NEXT(read)(d, p, n); }
        ssize_t pread(int d, void *p, size_t n, off_t o) { return FAILS(READ, counts_file(d)) ? -1 : NEXT(pread)(d, p, n, o); }
        ssize_t pread64(int d, void *p, size_t n, off64_t o) { return FAILS(READ, counts_file(d)) ? -1 : NEXT(pread64)(d, p, n, o); }

        static int is_denied(const char *name) {
            size_t length = strlen(name), end = denied ? strlen(denied) : 0;
            return end && length >= end && strcmp(name + length - end, denied) == 0;
        }
        #define OPENS(call, folder, name) \
            mode_t m = 0; \
            if (flags & (O_CREAT | O_TMPFILE)) { va_list l; va_start(l, flags); m = va_arg(l, mode_t); va_end(l); } \
            if (is_denied(name)) { errno = EACCES; return -1; } \
            return FAILS(flags & O_CREAT ? CREATE : OPEN, counts_name(folder, name)) ? -1 : call;
        int open(const char *n, int flags, ...) { OPENS(NEXT(open)(n, flags, m), AT_FDCWD, n) }
        int open64(const char *n, int flags, ...) { OPENS(NEXT(open64)(n, flags, m), AT_FDCWD, n) }
        int openat(int f, const char *n, int flags, ...) { OPENS(NEXT(openat)(f, n, flags, m), f, n) }
        int openat64(int f, const char *n, int flags, ...) { OPENS(NEXT(openat64)(f, n, flags, m), f, n) }

        int rename(const char *a, const char *b) { return FAILS(RENAME, counts(b)) ? -1 : NEXT(rename)(a, b); }
        int renameat(int f, const char *a, int g, const char *b) { return FAILS(RENAME, counts_name(g, b)) ? -1 : NEXT(renameat)(f, a, g, b); }
        int renameat2(int f, const char *a, int g, const char *b, unsigned x) { return FAILS(RENAME, counts_name(g, b)) ? -1 : NEXT(renameat2)(f, a, g, b, x); }
        int link(const char *a, const char *b) { return FAILS(LINK, counts(b)) ? -1 : NEXT(link)(a, b); }
        int linkat(int f, const char *a, int g, const char *b, int x) { return FAILS(LINK, counts_name(g, b)) ? -1 : NEXT(linkat)(f, a, g, b, x); }
        int symlinkat(const char *a, int g, const char *b) { return FAILS(LINK, counts_name(g, b)) ? -1 : NEXT(symlinkat)(a, g, b); }
        int unlink(const char *n) { return FAILS(UNLINK, counts(n)) ? -1 : NEXT(unlink)(n); }
        int unlinkat(int f, const char *n, int x) { return FAILS(UNLINK, counts_name(f, n)) ? -1 : NEXT(unlinkat)(f, n, x); }
        int rmdir(const char *n) { return FAILS(UNLINK, counts(n)) ? -1 : NEXT(rmdir)(n); }
        int mkdir(const char *n, mode_t m) { return FAILS(MKDIR, counts(n)) ? -1 : NEXT(mkdir)(n, m); }
        int mkdirat(int f, const char *n, mode_t m) { return FAILS(MKDIR, counts_name(f, n)) ? -1 : NEXT(mkdirat)(f, n, m); }
        int fsync(int d) { return FAILS(SYNC, counts_file(d)) ? -1 : NEXT(fsync)(d); }
        int fdatasync(int d) { return FAILS(SYNC, counts_file(d)) ? -1 : NEXT(fdatasync)(d); }
        int syncfs(int d) { return FAILS(SYNC, counts_file(d)) ? -1 : NEXT(syncfs)(d); }
        int ftruncate(int d, off_t n) { return FAILS(TRUNCATE, counts_file(d)) ? -1 : NEXT(ftruncate)(d, n); }
        int ftruncate64(int d, off64_t n) { return FAILS(TRUNCATE, counts_file(d)) ? -1 : NEXT(ftruncate64)(d, n); }
        int fchmod(int d, mode_t m) { return FAILS(METADATA, counts_file(d)) ? -1 : NEXT(fchmod)(d, m); }
        int fchown(int d, uid_t u, gid_t g) { return FAILS(METADATA, counts_file(d)) ? -1 : NEXT(fchown)(d, u, g); }
        int fchownat(int f, const char *n, uid_t u, gid_t g, int x) { return FAILS(METADATA, counts_name(f, n)) ? -1 : NEXT(fchownat)(f, n, u, g, x); }
        int futimens(int d, const struct timespec t[2]) { return FAILS(METADATA, counts_file(d)) ? -1 : NEXT(futimens)(d, t); }
        int utimensat(int f, const char *n, const struct timespec t[2], int x) { return FAILS(METADATA, counts_name(f, n)) ? -1 : NEXT(utimensat)(f, n, t, x); }

        int stat(const char *n, struct stat *s) { return FAILS(STAT, counts(n)) ? -1 : NEXT(stat)(n, s); }
        int lstat(const char *n, struct stat *s) { return FAILS(STAT, counts(n)) ? -1 : NEXT(lstat)(n, s); }
        int fstat(int d, struct stat *s) { return FAILS(STAT, counts_file(d)) ? -1 : NEXT(fstat)(d, s); }
        int fstatat(int f, const char *n, struct stat *s, int x) { return FAILS(STAT, counts_name(f, n)) ? -1 : NEXT(fstatat)(f, n, s, x); }
        int stat64(const char *n, struct stat64 *s) { return FAILS(STAT, counts(n)) ? -1 : NEXT(stat64)(n, s); }
        int lstat64(const char *n, struct stat64 *s) { return FAILS(STAT, counts(n)) ? -1 : NEXT(lstat64)(n, s); }
        int fstat64(int d, struct stat64 *s) { return FAILS(STAT, counts_file(d)) ? -1 : NEXT(fstat64)(d, s); }

        long syscall(long which, ...) {
            va_list l;
            va_start(l, which);
            long a[6];
            for (int i = 0; i < 6; i++) a[i] = va_arg(l, long);
            va_end(l);
            if (which == SYS_getdents64 && FAILS(LIST, counts_file((int)a[0]))) return -1;
            return NEXT(syscall)(which, a[0], a[1], a[2], a[3], a[4], a[5]);
        }
        """#
}
