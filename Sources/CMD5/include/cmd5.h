// md5 (RFC 1321) of several contents at once, one in each lane of the processor's vectors.
//
// One md5 alone cannot use vectors: each of its steps waits for the one before.
#ifndef CMD5_H
#define CMD5_H

#include <stddef.h>
#include <stdint.h>

/// A content in memory, and its md5 once it is known.
typedef struct {
    const uint8_t *bytes;
    size_t count;
    uint8_t digest[16];
} cmd5_content;

/// Sets the digest of each content.
void cmd5_digest(cmd5_content *contents, size_t count);

/// The same with so many lanes: 1, 4, 8 or 16. 0 where this processor has no vectors of that width.
int cmd5_digest_with(cmd5_content *contents, size_t count, int lanes);

#endif
