/* The files of --debug-log: one for each command and each process, named
 * sbx.log.<yyyymmdd-hhmmss.uuuuuu>.<command or process>. The first line says whose it is, which is how
 * `sbx-launch logs` finds those of one container among others in the same folder. */
#ifndef LAUNCHER_SANDBOX_LOGFILE_H
#define LAUNCHER_SANDBOX_LOGFILE_H

#include <stdbool.h>
#include <stdio.h>
#include "launcher/error.h"

#define LOGFILE_PREFIX "sbx.log."
#define LOGFILE_HEAD "this is the log of container " /* then its id; "-": a command without one */

/* Makes the file and writes its head. The descriptor, or -errno. */
int logfile_open(const char *dir, const char *name, const char *id, bool json, struct err *e);
/* All lines about container `id` in `dir`, in the order of their times, to `out`; those that were written as JSON
 * (engines ask for it) as text, unless `json`. The number of files, or -errno (-ENOENT: there is none). */
int logfile_merge(const char *dir, const char *id, bool json, FILE *out, struct err *e);

#endif
