/* Text that a guest chose, or a service that a guest may have taken over, on its way to the operator's terminal: nothing
 * in it may steer the terminal or stand for another text than the eye sees. */
#ifndef LAUNCHER_CLI_CLEAN_H
#define LAUNCHER_CLI_CLEAN_H

#include <stdbool.h>
#include <stdio.h>

/* Prints s with '?' for each control character (of ASCII, and those that a terminal takes from U+0080 to U+009F), each
 * that turns the direction of writing, and each byte that is no UTF-8. lines: '\n' and '\t' pass. What putc says
 * of out stays with out. */
void clean_print(FILE *out, const char *s, bool lines);

#endif
