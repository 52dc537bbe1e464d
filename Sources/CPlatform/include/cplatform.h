// The operating system calls that Swift cannot call directly (variadic ones) or that differ between
// Linux and macOS. Everything platform-specific of snapcat is behind this header.
#ifndef CPLATFORM_H
#define CPLATFORM_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "cplatform_calls.h"

/// What snapcat wants to know of a file: one shape for Linux and macOS.
typedef struct {
    int64_t size;
    int64_t mtime_ns;
    int64_t ctime_ns;
    uint64_t device;
    uint64_t inode;
    uint64_t link_count;
    uint32_t mode;
    uint32_t uid;
    uint32_t gid;
} cplatform_stat;

/// `fstatat` without following a final symlink. 0, or -1 with errno.
int cplatform_stat_at(int folder, const char *name, cplatform_stat *out);
/// `fstatat` following symlinks. 0, or -1 with errno.
int cplatform_stat_following(int folder, const char *name, cplatform_stat *out);
/// `fstat`. 0, or -1 with errno.
int cplatform_stat_descriptor(int descriptor, cplatform_stat *out);
/// `openat` (variadic in C). The descriptor, or -1 with errno. Close-on-exec is always set.
int cplatform_open_at(int folder, const char *name, int flags, unsigned mode);
/// Rename that never replaces: `EEXIST` where the target exists, on every platform.
int cplatform_rename_exclusive(int from_folder, const char *from, int to_folder, const char *to);
/// Makes everything durable that was written to the file system of `descriptor` before the call.
int cplatform_sync_filesystem(int descriptor);
/// Sets the modification time of `name` in `folder` (of a symlink itself, where it is one); the access time stays.
int cplatform_set_mtime_at(int folder, const char *name, int64_t mtime_ns);
/// The same for an open file.
int cplatform_set_mtime(int descriptor, int64_t mtime_ns);
/// Nanoseconds since 1970 by the clock that stamps files (coarse on Linux).
int64_t cplatform_file_clock_ns(void);
/// Nanoseconds since 1970 by the precise wall clock.
int64_t cplatform_wall_clock_ns(void);
/// A monotonic clock, in nanoseconds.
int64_t cplatform_monotonic_ns(void);

/// Reads the entries of an open folder in batches, from its first one; `.` and `..` are left out. NULL with errno.
/// The folder stays the caller's. Until the end nobody else may list by the same descriptor.
typedef struct cplatform_directory cplatform_directory;
cplatform_directory *cplatform_directory_open(int folder);
/// Fills `buffer` (4 KB or more) with records of: type (1 byte, DT_*), length (2 bytes, host order), the name without
/// NUL. Returns the bytes filled, 0 at the end, -1 with errno.
long cplatform_directory_read(cplatform_directory *directory, uint8_t *buffer, size_t capacity);
void cplatform_directory_close(cplatform_directory *directory);

/// Takes the advisory whole-file lock without waiting: 0, or -1 with EWOULDBLOCK where another holds it.
int cplatform_lock(int descriptor, int exclusive);
/// Gives the lock back at once, also where a process that is being started has a copy of the descriptor still.
void cplatform_unlock(int descriptor);
/// Whether errno after `cplatform_lock` means that the file system has no such locks.
int cplatform_lock_is_unsupported(void);

/// The identity of this boot of the machine, empty where it is not known.
void cplatform_boot_id(char id[64]);
/// Nanoseconds since this boot, its sleep included.
int64_t cplatform_uptime_ns(void);
/// Whether a process of this number runs on this machine (whoever's it is).
int cplatform_process_exists(int64_t pid);

/// The columns of the terminal at `descriptor`, 0 where it is none.
int cplatform_terminal_columns(int descriptor);

/// Names the calling thread for debuggers and `ps`; cut to 15 bytes on Linux.
void cplatform_name_thread(const char *name);

/// Waits until `descriptor` can be read without blocking (or is at its end): 0 where it cannot be after so many
/// milliseconds or a signal came.
int cplatform_wait_readable(int descriptor, int milliseconds);

/// Tells the kernel that the file is read once from start to end.
void cplatform_advise_sequential(int descriptor);

/// Minutes and names are libc's: seconds east of UTC at `time` in the local zone.
long cplatform_local_offset(int64_t time);

/// A shortest decimal that reads back as the same double, digits and decimal exponent only:
/// value = 0.d1d2d3... * 10^exponent. Returns the number of digits written (at most 17).
int cplatform_shortest_digits(double value, char digits[20], int *exponent);
/// Reads all of `text` as a decimal number. 0 where it is none, or too large or small for a double, or where the
/// standard library cannot.
int cplatform_parse_double(const char *text, size_t count, double *value);

/// Installs `handler` for SIGINT and SIGTERM, and ignores SIGPIPE.
void cplatform_on_interrupt(void (*handler)(int));

#endif
