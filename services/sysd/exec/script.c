/* As execve(2), "Interpreter scripts": one optional argument, which may contain blanks. A line that does
 * not end within the head is cut, but a name that may be cut is refused. */
#include "services/sysd/exec/script.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include "common/base/util.h"

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

int script_parse(const char *head, size_t size, char **ret_interp, char **ret_arg)
{
	const char *p = head + 2, *end, *name, *name_end;
	bool cut;

	if (size < 2 || head[0] != '#' || head[1] != '!')
		return -ENOEXEC;
	end = memchr(p, '\n', size - 2);
	cut = !end && size == EXEC_HEAD_SIZE;
	if (!end)
		end = head + size;
	const char *nul = memchr(p, '\0', (size_t)(end - p));

	if (nul) {
		end = nul;
		cut = false;
	}
	while (p < end && blank(*p))
		p++;
	name = p;
	while (p < end && !blank(*p))
		p++;
	name_end = p;
	if (name == name_end || (cut && p == end))
		return -ENOEXEC;
	while (p < end && blank(*p))
		p++;
	while (end > p && blank(end[-1]))
		end--;
	CLEANUP_FREE char *interp = strndup(name, (size_t)(name_end - name));
	CLEANUP_FREE char *arg = p < end ? strndup(p, (size_t)(end - p)) : NULL;

	if (!interp || (p < end && !arg))
		return -ENOMEM;
	*ret_interp = STEAL_PTR(interp);
	*ret_arg = STEAL_PTR(arg);
	return 0;
}
