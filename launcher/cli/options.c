#include "launcher/cli/options.h"

#include <stdio.h>
#include "common/base/util.h"

static const struct opt_def *find(const struct opt_def *defs, size_t count, const char *name, size_t size)
{
	for (size_t i = 0; i < count; i++)
		if ((strlen(defs[i].name) == size && !strncmp(defs[i].name, name, size)) ||
		    (size == 1 && defs[i].letter == name[0]))
			return &defs[i];
	return NULL;
}

static int store(const struct opt_def *d, const char *value, void *values, struct err *e)
{
	char *at = (char *)values + d->offset;
	char *end;
	unsigned long n;

	switch (d->kind) {
	case OPT_FLAG:
		if (value && strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
			return err_set(e, EINVAL, "--%s is a flag: true or false, not \"%s\"", d->name, value);
		*(bool *)at = !value || !strcmp(value, "true");
		return 0;
	case OPT_TEXT:
		*(const char **)at = value;
		return 0;
	case OPT_UINT:
		errno = 0;
		n = strtoul(value, &end, 10);
		if (errno || *end || end == value || value[0] == '-' || n > 1u << 30)
			return err_set(e, EINVAL, "--%s needs a number, not \"%s\"", d->name, value);
		*(unsigned *)at = (unsigned)n;
		return 0;
	case OPT_LIST:
		if (ctl_strv_add((struct ctl_strv *)at, value) < 0)
			return err_sys(e, ENOMEM, "--%s", d->name);
		return 0;
	}
	return 0;
}

int opt_parse(int argc, char **argv, const struct opt_def *defs, size_t count, void *values,
	      bool *ret_help, struct err *e)
{
	int i;

	*ret_help = false;
	for (i = 0; i < argc; i++) {
		const char *word = argv[i], *name, *equals, *value = NULL;
		const struct opt_def *d;
		size_t size;
		int r;

		if (word[0] != '-' || !word[1])
			break;
		if (!strcmp(word, "--"))
			return i + 1;
		name = word[1] == '-' ? word + 2 : word + 1;
		equals = strchr(name, '=');
		size = equals ? (size_t)(equals - name) : strlen(name);
		if ((size == 4 && !strncmp(name, "help", 4)) || (size == 1 && name[0] == 'h')) {
			*ret_help = true;
			return i;
		}
		d = find(defs, count, name, size);
		if (!d)
			return err_set(e, EINVAL, "unknown option %s (see --help)", word);
		if (equals) {
			value = equals + 1;
		} else if (d->kind != OPT_FLAG) {
			if (i + 1 >= argc)
				return err_set(e, EINVAL, "%s needs a value", word);
			value = argv[++i];
		}
		r = store(d, value, values, e);
		if (r < 0)
			return r;
	}
	return i;
}

void opt_print_help(const struct opt_def *defs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char left[64];
		int n = snprintf(left, sizeof(left), "--%s%s", defs[i].name,
				 defs[i].kind == OPT_FLAG ? "" : " value");

		if (defs[i].letter)
			snprintf(left + n, sizeof(left) - (size_t)n, ", -%c%s", defs[i].letter,
				 defs[i].kind == OPT_FLAG ? "" : " value");
		printf("   %-32s %s\n", left, defs[i].help);
	}
	printf("   %-32s %s\n", "--help, -h", "show this help");
}
