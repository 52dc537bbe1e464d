// Plain system calls under names that mean the same on Linux and macOS, and the flags they take.
#ifndef CPLATFORM_CALLS_H
#define CPLATFORM_CALLS_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const int32_t AT_FDCWD_VALUE = AT_FDCWD;
static const int32_t CPLATFORM_READ = O_RDONLY;
static const int32_t CPLATFORM_WRITE = O_WRONLY;
static const int32_t CPLATFORM_READ_WRITE = O_RDWR;
static const int32_t CPLATFORM_CREATE_NEW = O_CREAT | O_EXCL;
static const int32_t CPLATFORM_CREATE = O_CREAT;
static const int32_t CPLATFORM_APPEND = O_APPEND;
static const int32_t CPLATFORM_FOLDER = O_DIRECTORY;
static const int32_t CPLATFORM_NO_FOLLOW = O_NOFOLLOW;
static const int32_t CPLATFORM_NON_BLOCKING = O_NONBLOCK;
static const int32_t CPLATFORM_TYPE_FILE = DT_REG;
static const int32_t CPLATFORM_TYPE_FOLDER = DT_DIR;
static const int32_t CPLATFORM_TYPE_LINK = DT_LNK;

static inline int cplatform_errno(void) { return errno; }
static inline void cplatform_close(int d) { close(d); }
static inline int cplatform_duplicate(int d) { return fcntl(d, F_DUPFD_CLOEXEC, 0); }
static inline long cplatform_read(int d, void *p, size_t n) { return read(d, p, n); }
static inline long cplatform_pread(int d, void *p, size_t n, int64_t at) { return pread(d, p, n, at); }
static inline long cplatform_write(int d, const void *p, size_t n) { return write(d, p, n); }
static inline int cplatform_fsync(int d) { return fsync(d); }
static inline int cplatform_rewind(int d) { return lseek(d, 0, SEEK_SET) < 0 ? -1 : 0; }
static inline int cplatform_truncate_and_rewind(int d) { return ftruncate(d, 0) != 0 ? -1 : cplatform_rewind(d); }
static inline int cplatform_mkdir_at(int f, const char *n, unsigned m) { return mkdirat(f, n, (mode_t)m); }
static inline int cplatform_unlink_at(int f, const char *n, int folder) {
    return unlinkat(f, n, folder ? AT_REMOVEDIR : 0);
}
static inline int cplatform_rename_at(int f, const char *a, int g, const char *b) { return renameat(f, a, g, b); }
static inline int cplatform_link_at(int f, const char *a, int g, const char *b) { return linkat(f, a, g, b, 0); }
static inline int cplatform_symlink_at(const char *to, int f, const char *n) { return symlinkat(to, f, n); }
static inline long cplatform_readlink_at(int f, const char *n, void *p, size_t c) {
    return readlinkat(f, n, (char *)p, c);
}
static inline int cplatform_fchmod(int d, unsigned m) { return fchmod(d, (mode_t)m); }
static inline int cplatform_fchown(int d, unsigned u, unsigned g) { return fchown(d, u, g); }
static inline int cplatform_chown_at(int f, const char *n, unsigned u, unsigned g) {
    return fchownat(f, n, u, g, AT_SYMLINK_NOFOLLOW);
}
static inline char *cplatform_realpath(const char *p) { return realpath(p, NULL); }
static inline void cplatform_free(void *p) { free(p); }
static inline size_t cplatform_strlen(const char *p) { return strlen(p); }
static inline unsigned cplatform_user(void) { return geteuid(); }
static inline unsigned cplatform_group(void) { return getegid(); }
static inline int cplatform_check_write_at(int f, const char *n) { return faccessat(f, n, W_OK, 0); }
static inline int cplatform_is_root(void) { return geteuid() == 0; }

#endif
