/* "#! interpreter [argument]": the first line of a script. */
#ifndef SYSD_EXEC_SCRIPT_H
#define SYSD_EXEC_SCRIPT_H
#include <stddef.h>

#define EXEC_HEAD_SIZE 256 /* how much of a file decides what it is */

/* head: the first bytes of the file, at most EXEC_HEAD_SIZE. 0 with *ret_interp and *ret_arg (NULL: none),
 * both fresh; -ENOEXEC when it is no script or a broken one; -ENOMEM. */
int script_parse(const char *head, size_t size, char **ret_interp, char **ret_arg);
#endif
