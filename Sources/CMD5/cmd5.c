#include "cmd5.h"

#include <stdlib.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "words are read as they lie in memory"
#endif

enum { BLOCK = 64, MOST_AT_ONCE = 64 };

static const uint32_t initial_state[4] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476 };
static const uint8_t idle_block[BLOCK];

/// A content under way: first its whole blocks, then its tail, padded to one block or two.
struct lane {
    cmd5_content *content;
    size_t blocks;
    int is_tail;
    uint8_t tail[2 * BLOCK];
};

static void put(uint8_t *to, uint32_t word) {
    for (int at = 0; at < 4; at++) to[at] = (uint8_t)(word >> 8 * at);
}

/// Turns to the padded rest. NULL where it has been taken in.
static const uint8_t *begin_tail(struct lane *lane) {
    if (lane->is_tail) return NULL;
    const cmd5_content *content = lane->content;
    size_t rest = content->count % BLOCK;
    lane->is_tail = 1;
    lane->blocks = rest < BLOCK - 8 ? 1 : 2;
    memset(lane->tail, 0, sizeof lane->tail);
    if (rest > 0) memcpy(lane->tail, content->bytes + content->count - rest, rest);
    lane->tail[rest] = 0x80;
    uint64_t bits = (uint64_t)content->count * 8;
    uint8_t *length = lane->tail + BLOCK * lane->blocks - 8;
    put(length, (uint32_t)bits);
    put(length + 4, (uint32_t)(bits >> 32));
    return lane->tail;
}

static const uint8_t *begin(struct lane *lane, cmd5_content *content) {
    lane->content = content;
    lane->blocks = content->count / BLOCK;
    lane->is_tail = 0;
    return lane->blocks > 0 ? content->bytes : begin_tail(lane);
}

#define LANES 1
#include "lanes.h"

static void end_alone(struct lane *lane, const uint8_t *at, uint32_t state[4]) {
    const size_t step = BLOCK;
    do take_1(state, &at, &step, lane->blocks);
    while ((at = begin_tail(lane)));
    for (int word = 0; word < 4; word++) put(lane->content->digest + 4 * word, state[word]);
}

// Every 64-bit processor has vectors of four.
#define LANES 4
#include "lanes.h"

#ifdef __x86_64__
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#define LANES 8
#include "lanes.h"
#pragma clang attribute pop

#pragma clang attribute push(__attribute__((target("avx512f"))), apply_to = function)
#define LANES 16
#include "lanes.h"
#pragma clang attribute pop
#endif

static int most_lanes(void) {
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512f")) return 16;
    if (__builtin_cpu_supports("avx2")) return 8;
#endif
    return 4;
}

static int longer_first(const void *left, const void *right) {
    size_t a = (*(cmd5_content *const *)left)->count, b = (*(cmd5_content *const *)right)->count;
    return (a < b) - (a > b);
}

int cmd5_digest_with(cmd5_content *contents, size_t count, int lanes) {
    if (lanes > most_lanes()) return 0;
    while (count > 0) {
        // The longest first: it is the others that have to fit in beside it.
        cmd5_content *order[MOST_AT_ONCE];
        size_t some = count < MOST_AT_ONCE ? count : MOST_AT_ONCE;
        for (size_t at = 0; at < some; at++) order[at] = contents + at;
        qsort(order, some, sizeof *order, longer_first);
        switch (lanes) {
        case 1: digest_1(order, some); break;
        case 4: digest_4(order, some); break;
#ifdef __x86_64__
        case 8: digest_8(order, some); break;
        case 16: digest_16(order, some); break;
#endif
        default: return 0;
        }
        contents += some;
        count -= some;
    }
    return 1;
}

void cmd5_digest(cmd5_content *contents, size_t count) { cmd5_digest_with(contents, count, most_lanes()); }
