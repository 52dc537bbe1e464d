// The work that cannot be left out, and nothing else, on two threads: what snapcat is measured against.
//   limit store HEAP < names      reads each file, takes its md5, compresses it with ISA-L level 1, writes it to HEAP
//   limit verify < names          reads each object, inflates it, takes the md5 of its content
#define _GNU_SOURCE
#include <fcntl.h>
#include <isa-l.h>
#include <openssl/md5.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { THREADS = 2, PATH_BYTES = 4096, SMALLEST_BUFFER = 1 << 20 };

static char **names;
static size_t name_count;
static atomic_size_t next_name;
static const char *heap;

static void fail(const char *what) {
    perror(what);
    exit(2);
}

static size_t read_file(const char *name, unsigned char **buffer, size_t *capacity) {
    int file = open(name, O_RDONLY);
    struct stat status;
    if (file < 0 || fstat(file, &status) != 0) fail(name);
    if ((size_t)status.st_size > *capacity) {
        *capacity = status.st_size;
        *buffer = realloc(*buffer, *capacity);
    }
    size_t filled = 0;
    while (filled < (size_t)status.st_size) {
        ssize_t count = read(file, *buffer + filled, status.st_size - filled);
        if (count < 0) fail(name);
        if (count == 0) break;
        filled += count;
    }
    close(file);
    return filled;
}

static void hex_of(const unsigned char *bytes, size_t count, char *hex) {
    unsigned char digest[MD5_DIGEST_LENGTH];
    MD5(bytes, count, digest);
    for (int at = 0; at < MD5_DIGEST_LENGTH; at++) sprintf(hex + 2 * at, "%02x", digest[at]);
}

static size_t compress_all(
    unsigned char *from, size_t count, unsigned char *to, size_t capacity, unsigned char *level) {
    struct isal_zstream stream;
    isal_deflate_init(&stream);
    stream.level = 1;
    stream.level_buf = level;
    stream.level_buf_size = ISAL_DEF_LVL1_DEFAULT;
    stream.end_of_stream = 1;
    stream.gzip_flag = IGZIP_GZIP;
    stream.next_in = from;
    stream.avail_in = count;
    stream.next_out = to;
    stream.avail_out = capacity;
    if (isal_deflate(&stream) != COMP_OK) fail("deflate");
    return stream.total_out;
}

static void *store(void *argument) {
    long thread = (long)argument;
    size_t capacity = SMALLEST_BUFFER, room = 0;
    unsigned char *content = malloc(capacity), *packed = NULL, *level = malloc(ISAL_DEF_LVL1_DEFAULT);
    char hex[33], temporary[PATH_BYTES], target[PATH_BYTES];
    for (size_t at; (at = next_name++) < name_count;) {
        size_t count = read_file(names[at], &content, &capacity);
        hex_of(content, count, hex);
        snprintf(target, sizeof target, "%s/%.2s/%s.gz", heap, hex, hex);
        if (access(target, F_OK) == 0) continue;
        if (room < count + count / 8 + 65536) {
            room = capacity + capacity / 8 + 65536;
            packed = realloc(packed, room);
        }
        size_t size = compress_all(content, count, packed, room, level);
        snprintf(temporary, sizeof temporary, "%s/temp/%ld.%zu", heap, thread, at);
        int file = open(temporary, O_WRONLY | O_CREAT | O_EXCL, 0644);
        if (file < 0 || write(file, packed, size) != (ssize_t)size) fail(temporary);
        close(file);
        if (rename(temporary, target) != 0) fail(target);
    }
    return NULL;
}

static void *verify(void *argument) {
    (void)argument;
    size_t capacity = SMALLEST_BUFFER, room = SMALLEST_BUFFER;
    unsigned char *packed = malloc(capacity), *content = malloc(room);
    char hex[33];
    for (size_t at; (at = next_name++) < name_count;) {
        size_t count = read_file(names[at], &packed, &capacity);
        unsigned int length;
        memcpy(&length, packed + count - 4, 4);
        if (length > room) content = realloc(content, room = length);
        struct inflate_state state;
        isal_inflate_init(&state);
        state.crc_flag = ISAL_GZIP;
        state.next_in = packed;
        state.avail_in = count;
        state.next_out = content;
        state.avail_out = room;
        if (isal_inflate(&state) != ISAL_DECOMP_OK) fail(names[at]);
        hex_of(content, state.total_out, hex);
        const char *slash = strrchr(names[at], '/');
        if (strncmp(slash ? slash + 1 : names[at], hex, 32) != 0) fail(names[at]);
    }
    return NULL;
}

static void make_folders(void) {
    char path[PATH_BYTES];
    mkdir(heap, 0755);
    snprintf(path, sizeof path, "%s/temp", heap);
    mkdir(path, 0755);
    for (int bucket = 0; bucket < 256; bucket++) {
        snprintf(path, sizeof path, "%s/%02x", heap, bucket);
        mkdir(path, 0755);
    }
}

int main(int count, char **arguments) {
    int stores = count == 3 && strcmp(arguments[1], "store") == 0;
    if (!stores && !(count == 2 && strcmp(arguments[1], "verify") == 0)) {
        fprintf(stderr, "usage: limit store HEAP < names | limit verify < names\n");
        return 64;
    }
    size_t capacity = 0, room = 0;
    char *line = NULL;
    for (ssize_t length; (length = getline(&line, &room, stdin)) > 0;) {
        if (line[length - 1] == '\n') line[length - 1] = 0;
        if (name_count == capacity) names = realloc(names, (capacity = 2 * capacity + 1024) * sizeof *names);
        names[name_count++] = strdup(line);
    }
    if (stores) {
        heap = arguments[2];
        make_folders();
    }
    pthread_t threads[THREADS];
    for (long at = 0; at < THREADS; at++) pthread_create(&threads[at], NULL, stores ? store : verify, (void *)at);
    for (int at = 0; at < THREADS; at++) pthread_join(threads[at], NULL);
    if (stores) {
        // As durable as what snapcat has stored.
        int folder = open(heap, O_RDONLY);
        if (folder < 0 || syncfs(folder) != 0) fail(heap);
    }
    return 0;
}
