/* Command line options as tables: parsing and --help come from the same lines. Accepted as runc's:
 * --name value, --name=value, -n value, one dash for long names too; the first word that is no option
 * ends them. */
#ifndef LAUNCHER_CLI_OPTIONS_H
#define LAUNCHER_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include "common/ipc/msg_ctl.h"
#include "launcher/error.h"

enum opt_kind {
	OPT_FLAG,  /* bool */
	OPT_TEXT,  /* const char * */
	OPT_UINT,  /* unsigned */
	OPT_LIST,  /* struct ctl_strv, one entry each time */
};
struct opt_def {
	const char *name;
	char letter;        /* 0: none */
	enum opt_kind kind;
	size_t offset;      /* of the value in the caller's structure */
	const char *help;
};

/* Returns the index of the first word after the options, or -errno. *ret_help: --help was given. */
int opt_parse(int argc, char **argv, const struct opt_def *defs, size_t count, void *values,
	      bool *ret_help, struct err *e);
void opt_print_help(const struct opt_def *defs, size_t count);

#endif
