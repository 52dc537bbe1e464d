// Tells the thread sanitizer of the locks of Swift's Mutex that a thread has to wait for.
//
// A free lock is taken and given back in the caller's own code, which the sanitizer sees. Waiting, and waking who waits,
// is done in Swift's library, which is built without the sanitizer: what is behind a Mutex would be reported as a
// race. To be loaded before that library: Scripts/sanitize does it.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>

void __tsan_acquire(void *address) __attribute__((weak));
void __tsan_release(void *address) __attribute__((weak));

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context)) void *self

#define WAIT "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
SWIFT void wait_for_lock(uint32_t thread, SELF) __asm__(WAIT);
SWIFT void wait_for_lock(uint32_t thread, SELF) {
    ((SWIFT void (*)(uint32_t, SELF))dlsym(RTLD_NEXT, WAIT))(thread, self);
    if (__tsan_acquire) __tsan_acquire(self);
}

#define WAKE "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"
SWIFT void wake(SELF) __asm__(WAKE);
SWIFT void wake(SELF) {
    if (__tsan_release) __tsan_release(self);
    ((SWIFT void (*)(SELF))dlsym(RTLD_NEXT, WAKE))(self);
}

#define TRY "$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF"
SWIFT _Bool try_lock(SELF) __asm__(TRY);
SWIFT _Bool try_lock(SELF) {
    _Bool held = ((SWIFT _Bool (*)(SELF))dlsym(RTLD_NEXT, TRY))(self);
    if (held && __tsan_acquire) __tsan_acquire(self);
    return held;
}
