#define _GNU_SOURCE
#include "cedit.h"

#include <dlfcn.h>
#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

// What is used of histedit.h: its types and numbers are the library's binary interface.
typedef struct editline EditLine;
typedef struct history History;
typedef struct { int num; const char *str; } HistEvent;
typedef struct { const char *buffer, *cursor, *lastchar; } LineInfo;
enum { EL_PROMPT = 0, EL_EDITOR = 2, EL_BIND = 4, EL_SETTY = 8, EL_ADDFN = 9, EL_HIST = 10, EL_GETCFN = 13, EL_PREP_TERM = 16 };
enum { CC_EOF = 2, CC_REFRESH = 4, CC_REDISPLAY = 8, CC_REFRESH_BEEP = 9 };
enum { H_SETSIZE = 1, H_ENTER = 10, H_SETUNIQUE = 20 };

struct cedit {
    void *library;
    EditLine *line;
    History *history;
    const char *prompt;
    cedit_completer completer;
    void *context;
    int (*must_stop)(void);
    int is_cleared;

    EditLine *(*el_init)(const char *, FILE *, FILE *, FILE *);
    void (*el_end)(EditLine *);
    const char *(*el_gets)(EditLine *, int *);
    int (*el_set)(EditLine *, int, ...);
    int (*el_wset)(EditLine *, int, ...);
    void (*el_resize)(EditLine *);
    const LineInfo *(*el_line)(EditLine *);
    int (*el_insertstr)(EditLine *, const char *);
    History *(*history_init)(void);
    void (*history_end)(History *);
    int (*change)(History *, HistEvent *, int, ...);
};

// A key's function is told its EditLine only, and not every version gives that its client data from there.
static cedit *current;

static int load(cedit *editor) {
    static const char *const names[] = {"libedit.so.2", "libedit.so.0", "libedit.3.dylib"};
    for (size_t i = 0; i < sizeof names / sizeof *names && !editor->library; i++)
        editor->library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    if (!editor->library) return 0;
    const struct { const char *name; void *place; } symbols[] = {
        {"el_init", &editor->el_init}, {"el_end", &editor->el_end}, {"el_gets", &editor->el_gets},
        {"el_set", &editor->el_set}, {"el_wset", &editor->el_wset}, {"el_resize", &editor->el_resize},
        {"el_line", &editor->el_line}, {"el_insertstr", &editor->el_insertstr},
        {"history_init", &editor->history_init}, {"history_end", &editor->history_end}, {"history", &editor->change},
    };
    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
        void *symbol = dlsym(editor->library, symbols[i].name);
        if (!symbol) return 0;
        memcpy(symbols[i].place, &symbol, sizeof symbol);
    }
    return 1;
}

static char *prompt(EditLine *line) {
    (void)line;
    return (char *)current->prompt;
}

/// One character of stdin: by poll, so that a signal that another thread gets ends the wait too.
static int read_character(EditLine *line, wchar_t *out) {
    mbstate_t state = {0};
    (void)line;
    for (;;) {
        struct pollfd wanted = {.fd = 0, .events = POLLIN};
        int ready = poll(&wanted, 1, 100);
        if (current->must_stop()) return 0;
        if (ready == 0 || (ready < 0 && errno == EINTR)) continue;
        char byte;
        ssize_t count = read(0, &byte, 1);
        if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (count <= 0) return (int)count;
        size_t used = mbrtowc(out, &byte, 1, &state);
        if (used == (size_t)-2) continue;
        if (used != (size_t)-1) return 1;
        // No character: dropped.
        memset(&state, 0, sizeof state);
    }
}

static unsigned char complete(EditLine *line, int key) {
    (void)key;
    const LineInfo *info = current->el_line(line);
    cedit_completion answer =
        current->completer(current->context, info->buffer, (size_t)(info->cursor - info->buffer));
    unsigned char result = CC_REFRESH_BEEP;
    if (answer.inserted && *answer.inserted) {
        if (current->el_insertstr(line, answer.inserted) == 0) result = CC_REFRESH;
    } else if (answer.choices && *answer.choices) {
        fprintf(stderr, "\n%s\n", answer.choices);
        result = CC_REDISPLAY;
    }
    free(answer.inserted);
    free(answer.choices);
    return result;
}

static unsigned char clear_line(EditLine *line, int key) {
    (void)line;
    (void)key;
    current->is_cleared = 1;
    fputs("^C\n", stderr);
    return CC_EOF;
}

static unsigned char suspend(EditLine *line, int key) {
    (void)key;
    current->el_set(line, EL_PREP_TERM, 0);
    kill(0, SIGTSTP);
    current->el_set(line, EL_PREP_TERM, 1);
    return CC_REDISPLAY;
}

static int configure(cedit *editor, int history_size) {
    HistEvent event;
    editor->history = editor->history_init();
    editor->line = editor->el_init("snapcat", stdin, stderr, stderr);
    if (!editor->history || !editor->line) return 0;
    editor->change(editor->history, &event, H_SETSIZE, history_size);
    editor->change(editor->history, &event, H_SETUNIQUE, 1);
    EditLine *line = editor->line;
    editor->el_set(line, EL_PROMPT, prompt);
    editor->el_set(line, EL_EDITOR, "emacs");
    editor->el_set(line, EL_HIST, editor->change, editor->history);
    editor->el_wset(line, EL_GETCFN, read_character);
    editor->el_set(line, EL_ADDFN, "snapcat-complete", "Complete the word", complete);
    editor->el_set(line, EL_BIND, "^I", "snapcat-complete", NULL);
    // While a line is edited Ctrl-C is a key, not a signal; so is Ctrl-Z then.
    editor->el_set(line, EL_SETTY, "-d", "-isig", NULL);
    editor->el_set(line, EL_ADDFN, "snapcat-suspend", "Stop until the shell goes on with it", suspend);
    editor->el_set(line, EL_BIND, "^Z", "snapcat-suspend", NULL);
    editor->el_set(line, EL_ADDFN, "snapcat-clear", "Clear the line", clear_line);
    editor->el_set(line, EL_BIND, "^C", "snapcat-clear", NULL);
    editor->el_set(line, EL_BIND, "^R", "em-inc-search-prev", NULL);
    return 1;
}

cedit *cedit_open(int history_size, cedit_completer completer, void *context, int (*must_stop)(void)) {
    const char *terminal = getenv("TERM");
    if (current || !isatty(0) || !isatty(2) || !terminal || !strcmp(terminal, "dumb")) return NULL;
    cedit *editor = calloc(1, sizeof *editor);
    if (!editor) return NULL;
    // libedit edits characters: UTF-8 also where the environment has no locale.
    setlocale(LC_CTYPE, "");
    if (MB_CUR_MAX == 1) setlocale(LC_CTYPE, "C.UTF-8");
    editor->prompt = "";
    editor->completer = completer;
    editor->context = context;
    editor->must_stop = must_stop;
    current = editor;
    if (load(editor) && configure(editor, history_size)) return editor;
    cedit_close(editor);
    return NULL;
}

int cedit_read(cedit *editor, const char *prompt, const char **line) {
    int count = 0;
    editor->prompt = prompt;
    editor->is_cleared = 0;
    editor->el_resize(editor->line);
    // Before the prompt shows: else a Ctrl-D that comes with it is lost.
    editor->el_set(editor->line, EL_PREP_TERM, 1);
    *line = editor->el_gets(editor->line, &count);
    if (editor->is_cleared) return CEDIT_CLEARED;
    return *line && count > 0 ? CEDIT_LINE : CEDIT_END;
}

void cedit_remember(cedit *editor, const char *line) {
    HistEvent event;
    editor->change(editor->history, &event, H_ENTER, line);
}

void cedit_close(cedit *editor) {
    if (editor->line) editor->el_end(editor->line);
    if (editor->history) editor->history_end(editor->history);
    if (editor->library) dlclose(editor->library);
    current = NULL;
    free(editor);
}
