#define _GNU_SOURCE
#include "cplatform.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
#elif defined(__APPLE__)
#include <sys/sysctl.h>
#endif

#ifdef __APPLE__
#define MODIFIED(s) ((s).st_mtimespec)
#define CHANGED(s) ((s).st_ctimespec)
#else
#define MODIFIED(s) ((s).st_mtim)
#define CHANGED(s) ((s).st_ctim)
#endif

static const int64_t nanoseconds_per_second = 1000000000;

// What no 64 bits of nanoseconds can tell, before 1677 or after 2262, is the first or last time that they can.
static int64_t nanoseconds_of(struct timespec t) {
    int64_t ns;
    if (__builtin_mul_overflow((int64_t)t.tv_sec, nanoseconds_per_second, &ns) || __builtin_add_overflow(ns, (int64_t)t.tv_nsec, &ns)) {
        return t.tv_sec < 0 ? INT64_MIN : INT64_MAX;
    }
    return ns;
}

static void convert(const struct stat *in, cplatform_stat *out) {
    out->size = in->st_size;
    out->mtime_ns = nanoseconds_of(MODIFIED(*in));
    out->ctime_ns = nanoseconds_of(CHANGED(*in));
    out->device = (uint64_t)in->st_dev;
    out->inode = (uint64_t)in->st_ino;
    out->link_count = (uint64_t)in->st_nlink;
    out->mode = in->st_mode;
    out->uid = in->st_uid;
    out->gid = in->st_gid;
}

int cplatform_stat_at(int folder, const char *name, cplatform_stat *out) {
    struct stat s;
    if (fstatat(folder, name, &s, AT_SYMLINK_NOFOLLOW) != 0) return -1;
    convert(&s, out);
    return 0;
}

int cplatform_stat_following(int folder, const char *name, cplatform_stat *out) {
    struct stat s;
    if (fstatat(folder, name, &s, 0) != 0) return -1;
    convert(&s, out);
    return 0;
}

int cplatform_stat_descriptor(int descriptor, cplatform_stat *out) {
    struct stat s;
    if (fstat(descriptor, &s) != 0) return -1;
    convert(&s, out);
    return 0;
}

int cplatform_open_at(int folder, const char *name, int flags, unsigned mode) {
    int descriptor;
    do descriptor = openat(folder, name, flags | O_CLOEXEC, mode);
    while (descriptor < 0 && errno == EINTR);
    return descriptor;
}

int cplatform_rename_exclusive(int from_folder, const char *from, int to_folder, const char *to) {
#if defined(__linux__)
    if (renameat2(from_folder, from, to_folder, to, RENAME_NOREPLACE) == 0) return 0;
    // File systems without the flag (some network and FUSE ones): a hard link never replaces either.
    if (errno != EINVAL && errno != ENOSYS) return -1;
#elif defined(__APPLE__)
    if (renameatx_np(from_folder, from, to_folder, to, RENAME_EXCL) == 0) return 0;
    if (errno != ENOTSUP && errno != EINVAL) return -1;
#endif
    if (linkat(from_folder, from, to_folder, to, 0) != 0) return -1;
    return unlinkat(from_folder, from, 0);
}

int cplatform_sync_filesystem(int descriptor) {
#ifdef __linux__
    return syncfs(descriptor);
#else
    (void)descriptor;
    sync();
    return 0;
#endif
}

static struct timespec timespec_of(int64_t ns) {
    struct timespec t;
    t.tv_sec = ns / nanoseconds_per_second;
    t.tv_nsec = ns % nanoseconds_per_second;
    if (t.tv_nsec < 0) { t.tv_sec -= 1; t.tv_nsec += nanoseconds_per_second; }
    return t;
}

int cplatform_set_mtime_at(int folder, const char *name, int64_t mtime_ns) {
    struct timespec times[2] = { { 0, UTIME_OMIT }, timespec_of(mtime_ns) };
    return utimensat(folder, name, times, AT_SYMLINK_NOFOLLOW);
}

int cplatform_set_mtime(int descriptor, int64_t mtime_ns) {
    struct timespec times[2] = { { 0, UTIME_OMIT }, timespec_of(mtime_ns) };
    return futimens(descriptor, times);
}

static int64_t clock_ns(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * nanoseconds_per_second + t.tv_nsec;
}

int64_t cplatform_file_clock_ns(void) {
#ifdef CLOCK_REALTIME_COARSE
    return clock_ns(CLOCK_REALTIME_COARSE);
#else
    return clock_ns(CLOCK_REALTIME);
#endif
}

int64_t cplatform_wall_clock_ns(void) { return clock_ns(CLOCK_REALTIME); }
int64_t cplatform_monotonic_ns(void) { return clock_ns(CLOCK_MONOTONIC); }

static int is_dots(const char *name, size_t length) {
    return name[0] == '.' && (length == 1 || (length == 2 && name[1] == '.'));
}

static size_t put_entry(uint8_t *record, uint8_t type, const char *name, size_t length) {
    uint16_t length16 = (uint16_t)length;
    // First the name: it may lie where the record goes.
    memmove(record + 3, name, length);
    record[0] = type;
    memcpy(record + 1, &length16, 2);
    return length + 3;
}

#ifdef __linux__
// The system call itself: a stream of libc's costs four more per folder.
struct cplatform_directory {
    int descriptor;
};

cplatform_directory *cplatform_directory_open(int folder) {
    if (lseek(folder, 0, SEEK_SET) < 0) return NULL;
    cplatform_directory *directory = malloc(sizeof *directory);
    if (directory) directory->descriptor = folder;
    return directory;
}

long cplatform_directory_read(cplatform_directory *directory, uint8_t *buffer, size_t capacity) {
    for (;;) {
        long filled = syscall(SYS_getdents64, directory->descriptor, buffer, capacity);
        // A folder that was removed meanwhile is at its end.
        if (filled < 0 && errno == ENOENT) return 0;
        if (filled <= 0) return filled;
        // Each record is shorter than the entry it is made of: it fits in front.
        size_t used = 0;
        for (long at = 0; at < filled;) {
            const struct dirent64 *entry = (const struct dirent64 *)(buffer + at);
            const char *name = entry->d_name;
            size_t length = strlen(name);
            at += entry->d_reclen;
            if (!is_dots(name, length)) used += put_entry(buffer + used, entry->d_type, name, length);
        }
        if (used > 0) return (long)used;
    }
}

void cplatform_directory_close(cplatform_directory *directory) { free(directory); }
#else
struct cplatform_directory {
    DIR *stream;
    struct dirent *held;  // read but not yet handed out, because the buffer was full
};

cplatform_directory *cplatform_directory_open(int folder) {
    // The stream owns its descriptor, so it gets one of its own.
    int own = cplatform_open_at(folder, ".", O_RDONLY | O_DIRECTORY, 0);
    if (own < 0) return NULL;
    DIR *stream = fdopendir(own);
    if (!stream) { close(own); return NULL; }
    cplatform_directory *directory = malloc(sizeof *directory);
    if (!directory) { closedir(stream); errno = ENOMEM; return NULL; }
    directory->stream = stream;
    directory->held = NULL;
    return directory;
}

long cplatform_directory_read(cplatform_directory *directory, uint8_t *buffer, size_t capacity) {
    size_t used = 0;
    for (;;) {
        struct dirent *entry = directory->held;
        directory->held = NULL;
        if (!entry) {
            errno = 0;
            entry = readdir(directory->stream);
            if (!entry) return errno != 0 ? -1 : (long)used;
        }
        size_t length = strlen(entry->d_name);
        if (is_dots(entry->d_name, length)) continue;
        if (used + length + 3 > capacity) {
            directory->held = entry;
            return (long)used;
        }
        used += put_entry(buffer + used, entry->d_type, entry->d_name, length);
    }
}

void cplatform_directory_close(cplatform_directory *directory) {
    closedir(directory->stream);
    free(directory);
}
#endif

int cplatform_lock(int descriptor, int exclusive) {
    int result;
    do result = flock(descriptor, (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB);
    while (result != 0 && errno == EINTR);
    return result;
}

void cplatform_unlock(int descriptor) { flock(descriptor, LOCK_UN); }

int cplatform_lock_is_unsupported(void) {
    // EBADF: NFS, of an exclusive lock by a descriptor that is open for reading only.
    return errno == ENOLCK || errno == ENOSYS || errno == EOPNOTSUPP || errno == EINVAL || errno == EBADF;
}

void cplatform_boot_id(char id[64]) {
    id[0] = 0;
#if defined(__linux__)
    int file = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    ssize_t count = read(file, id, 63);
    close(file);
    id[count < 0 ? 0 : count] = 0;
#elif defined(__APPLE__)
    size_t size = 64;
    if (sysctlbyname("kern.bootsessionuuid", id, &size, NULL, 0) != 0) id[0] = 0;
#endif
}

int64_t cplatform_uptime_ns(void) {
#ifdef CLOCK_BOOTTIME
    return clock_ns(CLOCK_BOOTTIME);
#else
    // On Darwin it counts while the machine sleeps.
    return clock_ns(CLOCK_MONOTONIC);
#endif
}

int cplatform_process_exists(int64_t pid) {
    if (pid <= 0 || pid > INT32_MAX) return 0;
    return kill((pid_t)pid, 0) == 0 || errno == EPERM;
}

int cplatform_terminal_columns(int descriptor) {
    struct winsize size;
    if (!isatty(descriptor)) return 0;
    if (ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
    return size.ws_col;
}

void cplatform_name_thread(const char *name) {
#ifdef __APPLE__
    pthread_setname_np(name);
#else
    char cut[16] = {0};
    strncpy(cut, name, sizeof cut - 1);
    pthread_setname_np(pthread_self(), cut);
#endif
}

int cplatform_wait_readable(int descriptor, int milliseconds) {
    struct pollfd wanted = {.fd = descriptor, .events = POLLIN};
    int count = poll(&wanted, 1, milliseconds);
    // What cannot be waited for is read at once, and tells its error then.
    return count > 0 || (count < 0 && errno != EINTR);
}

void cplatform_advise_sequential(int descriptor) {
#ifdef POSIX_FADV_SEQUENTIAL
    posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL);
#else
    (void)descriptor;
#endif
}

long cplatform_local_offset(int64_t time) {
    time_t t = (time_t)time;
    struct tm local;
    tzset();
    if (!localtime_r(&t, &local)) return 0;
    return local.tm_gmtoff;
}

void cplatform_on_interrupt(void (*handler)(int)) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}
