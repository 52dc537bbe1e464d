// One width of the vectors: cmd5.c includes this once for each, with LANES defined.
// Plain vector arithmetic: the compiler chooses the instructions of the target that is set around it.

#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)
#define NAME(name) JOIN(name##_, LANES)
#define V NAME(words)

#if LANES == 1
typedef uint32_t V;
#define WORD(v, lane) (v)
#else
typedef uint32_t V __attribute__((vector_size(4 * LANES)));
#define WORD(v, lane) ((v)[lane])
#endif

/// Word by word: `m[w]` holds word `w` of each lane's block.
static inline __attribute__((always_inline)) void NAME(load)(const uint8_t *const *at, V m[16]) {
#if LANES == 1
    memcpy(m, at[0], 64);
#elif LANES == 4
    for (int part = 0; part < 4; part++) {
        V r[4];
        for (int lane = 0; lane < 4; lane++) memcpy(&r[lane], at[lane] + 16 * part, 16);
        V t0 = __builtin_shufflevector(r[0], r[1], 0, 4, 1, 5), t1 = __builtin_shufflevector(r[2], r[3], 0, 4, 1, 5);
        V t2 = __builtin_shufflevector(r[0], r[1], 2, 6, 3, 7), t3 = __builtin_shufflevector(r[2], r[3], 2, 6, 3, 7);
        m[4 * part] = __builtin_shufflevector(t0, t1, 0, 1, 4, 5);
        m[4 * part + 1] = __builtin_shufflevector(t0, t1, 2, 3, 6, 7);
        m[4 * part + 2] = __builtin_shufflevector(t2, t3, 0, 1, 4, 5);
        m[4 * part + 3] = __builtin_shufflevector(t2, t3, 2, 3, 6, 7);
    }
#else
    // A square of LANES x LANES words is turned by halves: rows `i` and `i + LANES / 2` interleave, log2(LANES) times.
    for (int part = 0; part < 16 / LANES; part++) {
        V r[LANES], t[LANES];
        for (int lane = 0; lane < LANES; lane++) memcpy(&r[lane], at[lane] + 4 * LANES * part, 4 * LANES);
        for (int step = 1; step < LANES; step *= 2) {
            for (int i = 0; i < LANES / 2; i++) {
#if LANES == 8
                t[2 * i] = __builtin_shufflevector(r[i], r[i + 4], 0, 8, 1, 9, 2, 10, 3, 11);
                t[2 * i + 1] = __builtin_shufflevector(r[i], r[i + 4], 4, 12, 5, 13, 6, 14, 7, 15);
#else
                t[2 * i] = __builtin_shufflevector(
                    r[i], r[i + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
                t[2 * i + 1] = __builtin_shufflevector(
                    r[i], r[i + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
#endif
            }
            memcpy(r, t, sizeof r);
        }
        memcpy(m + LANES * part, r, sizeof r);
    }
#endif
}

#define STEP(f, a, b, c, d, k, s, word) \
    a += m[word] + k;                   \
    a += f;                             \
    a = (a << s | a >> (32 - s)) + b;
#define F(b, c, d) (d ^ (b & (c ^ d)))
#define G(b, c, d) ((c & ~d) + (b & d))
#define H(b, c, d) (b ^ c ^ d)
#define I(b, c, d) (c ^ (b | ~d))
#define FOUR(f, w0, w1, w2, w3, s0, s1, s2, s3, k0, k1, k2, k3) \
    STEP(f(b, c, d), a, b, c, d, k0, s0, w0)                    \
    STEP(f(a, b, c), d, a, b, c, k1, s1, w1)                    \
    STEP(f(d, a, b), c, d, a, b, k2, s2, w2)                    \
    STEP(f(c, d, a), b, c, d, a, k3, s3, w3)

/// Takes in `blocks` blocks of each lane. `step[lane]` is 64, or 0 for a lane that is idle.
static void NAME(take)(V state[4], const uint8_t **at, const size_t *step, size_t blocks) {
    V a = state[0], b = state[1], c = state[2], d = state[3], m[16];
    for (; blocks > 0; blocks--) {
        V a0 = a, b0 = b, c0 = c, d0 = d;
        NAME(load)(at, m);
        for (int lane = 0; lane < LANES; lane++) at[lane] += step[lane];
        FOUR(F, 0, 1, 2, 3, 7, 12, 17, 22, 0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee)
        FOUR(F, 4, 5, 6, 7, 7, 12, 17, 22, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501)
        FOUR(F, 8, 9, 10, 11, 7, 12, 17, 22, 0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be)
        FOUR(F, 12, 13, 14, 15, 7, 12, 17, 22, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821)
        FOUR(G, 1, 6, 11, 0, 5, 9, 14, 20, 0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa)
        FOUR(G, 5, 10, 15, 4, 5, 9, 14, 20, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8)
        FOUR(G, 9, 14, 3, 8, 5, 9, 14, 20, 0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed)
        FOUR(G, 13, 2, 7, 12, 5, 9, 14, 20, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a)
        FOUR(H, 5, 8, 11, 14, 4, 11, 16, 23, 0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c)
        FOUR(H, 1, 4, 7, 10, 4, 11, 16, 23, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70)
        FOUR(H, 13, 0, 3, 6, 4, 11, 16, 23, 0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05)
        FOUR(H, 9, 12, 15, 2, 4, 11, 16, 23, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665)
        FOUR(I, 0, 7, 14, 5, 6, 10, 15, 21, 0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039)
        FOUR(I, 12, 3, 10, 1, 6, 10, 15, 21, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1)
        FOUR(I, 8, 15, 6, 13, 6, 10, 15, 21, 0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1)
        FOUR(I, 4, 11, 2, 9, 6, 10, 15, 21, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391)
        a += a0; b += b0; c += c0; d += d0;
    }
    state[0] = a; state[1] = b; state[2] = c; state[3] = d;
}

/// Hashes all, in their order: a lane that has ended its content takes the next one.
static void NAME(digest)(cmd5_content *const *contents, size_t count) {
    struct lane lanes[LANES];
    V state[4];
    const uint8_t *at[LANES];
    size_t step[LANES] = { 0 }, next = 0, busy = 0;
    for (int word = 0; word < 4; word++) state[word] = (V){ 0 };
    for (int lane = 0; lane < LANES; lane++) {
        at[lane] = idle_block;
        if (next == count) continue;
        at[lane] = begin(&lanes[lane], contents[next++]);
        for (int word = 0; word < 4; word++) WORD(state[word], lane) = initial_state[word];
        step[lane] = 64;
        busy++;
    }
    while (busy > 0) {
        size_t blocks = SIZE_MAX;
        for (int lane = 0; lane < LANES; lane++)
            if (step[lane] && lanes[lane].blocks < blocks) blocks = lanes[lane].blocks;
        NAME(take)(state, at, step, blocks);
        for (int lane = 0; lane < LANES; lane++) {
            if (!step[lane] || (lanes[lane].blocks -= blocks) > 0) continue;
            const uint8_t *tail = begin_tail(&lanes[lane]);
            if (tail) {
                at[lane] = tail;
                continue;
            }
            for (int word = 0; word < 4; word++) put(lanes[lane].content->digest + 4 * word, WORD(state[word], lane));
            if (next < count) {
                at[lane] = begin(&lanes[lane], contents[next++]);
                for (int word = 0; word < 4; word++) WORD(state[word], lane) = initial_state[word];
            } else {
                at[lane] = idle_block;
                step[lane] = 0;
                busy--;
            }
        }
#if LANES > 1
        // One lane alone is faster without vectors.
        for (int lane = 0; busy == 1 && lane < LANES; lane++) {
            if (!step[lane]) continue;
            uint32_t alone[4];
            for (int word = 0; word < 4; word++) alone[word] = state[word][lane];
            end_alone(&lanes[lane], at[lane], alone);
            busy = 0;
        }
#endif
    }
}

#undef STEP
#undef FOUR
#undef F
#undef G
#undef H
#undef I
#undef WORD
#undef V
#undef NAME
#undef JOIN
#undef JOIN2
#undef LANES
