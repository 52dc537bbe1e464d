// Line editing and history by libedit, loaded when a prompt is opened: linking it would cost every command a quarter
// of a millisecond, and a machine without it would run none.
#ifndef CEDIT_H
#define CEDIT_H

#include <stddef.h>

typedef struct cedit cedit;

enum { CEDIT_END = 0, CEDIT_LINE = 1, CEDIT_CLEARED = 2 };

/// What a completer answers. Both texts are from malloc, or NULL.
typedef struct {
    /// To be inserted at the cursor.
    char *inserted;
    /// Where nothing is to be inserted: the choices, in lines.
    char *choices;
} cedit_completion;

typedef cedit_completion (*cedit_completer)(void *context, const char *text, size_t length);

/// NULL where there is no libedit, or no terminal that can be edited on. Reads from stdin, shows on stderr.
/// `completer` gets what stands before the cursor; `must_stop` is asked while the user thinks: then the line ends.
/// One editor at a time, used by one thread at a time.
cedit *cedit_open(int history_size, cedit_completer completer, void *context, int (*must_stop)(void));
/// CEDIT_LINE with a line that is valid until the next call, CEDIT_CLEARED after Ctrl-C, CEDIT_END.
int cedit_read(cedit *editor, const char *prompt, const char **line);
/// Adds a line to the history.
void cedit_remember(cedit *editor, const char *line);
void cedit_close(cedit *editor);

#endif
