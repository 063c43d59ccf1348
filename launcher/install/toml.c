/* containerd and Podman have TOML files. We add tables at the end, between two lines of comment, and take out
 * what stands between them: the rest of the file is not touched, not in a byte. */
#include <limits.h>
#include <stdio.h>
#include "common/base/util.h"
#include "launcher/install/install.h"

/* With `joined`: the file had no line feed at its end, and got one. */
static void marks(const struct install_options *o, bool joined, char begin[128], char end[128])
{
	snprintf(begin, 128, "#%s begin of runtime %s, made by sbx-launch install\n", joined ? "+" : "", o->name);
	snprintf(end, 128, "# end of runtime %s\n", o->name);
}

/* Where our block is, with the line feed before it if that is ours too; false when there is none. */
static bool find_block(const char *text, const struct install_options *o, size_t *ret_from, size_t *ret_to)
{
	char begin[128], end[128];
	const char *a, *b;

	marks(o, false, begin, end);
	a = text ? strstr(text, begin) : NULL;
	if (text && !a) {
		marks(o, true, begin, end);
		a = strstr(text, begin);
		if (a && a > text && a[-1] == '\n')
			a--;
	}
	b = a ? strstr(a, end) : NULL;
	if (!b)
		return false;
	*ret_from = (size_t)(a - text);
	*ret_to = (size_t)(b - text) + strlen(end);
	return true;
}

static bool mentions(const char *text, size_t from, size_t to, const char *table)
{
	const char *at = text ? strstr(text, table) : NULL;

	return at && ((size_t)(at - text) < from || (size_t)(at - text) >= to);
}

/* Replaces or appends our block. */
static int put_block(const char *file, const struct install_options *o, const char *table, const char *block,
		     const char *new_file, enum install_result *ret, struct err *e)
{
	CLEANUP_FREE char *text = NULL;
	CLEANUP_FREE char *out = NULL;
	char begin[128], end[128];
	size_t size, from, to;
	bool joined;
	int r = text_read(file, &text, &size, e);

	if (r < 0)
		return r;
	if (text && strlen(text) != size)
		return err_set(e, EINVAL, "%s: not a text", file);
	if (!find_block(text, o, &from, &to))
		from = to = size;
	joined = text && from && text[from - 1] != '\n';
	marks(o, joined, begin, end);
	if (mentions(text, from, to, table))
		return err_set(e, EEXIST, "%s: the runtime \"%s\" is there already, by another hand", file, o->name);
	if (asprintf(&out, "%.*s%s%s%s%s%s", (int)from, text ? text : "",
		     !text ? new_file : joined ? "\n" : "", begin, block, end,
		     text ? text + to : "") < 0)
		return err_sys(e, ENOMEM, "%s", file);
	*ret = text && !strcmp(out, text) ? INSTALL_NOTHING : INSTALL_DONE;
	if (*ret == INSTALL_NOTHING)
		return 0;
	if (text && from == to)
		r = text_backup(file, text, size, e);
	return r < 0 ? r : text_write(file, out, strlen(out), e);
}

static int take_block(const char *file, const struct install_options *o, const char *new_file,
		      enum install_result *ret, struct err *e)
{
	CLEANUP_FREE char *text = NULL;
	char backup[PATH_MAX];
	size_t size, from, to;
	int r = text_read(file, &text, &size, e);

	*ret = INSTALL_NOTHING;
	if (r < 0 || !find_block(text, o, &from, &to))
		return r;
	*ret = INSTALL_DONE;
	memmove(text + from, text + to, size - to + 1);
	r = text_backup_name(file, backup, sizeof(backup), e);
	if (r == 0 && access(backup, F_OK) < 0 && !strcmp(text, new_file))
		r = text_remove(file, e); /* there was none before */
	else if (r == 0)
		r = text_write(file, text, strlen(text), e);
	return r < 0 ? r : text_remove(backup, e);
}

static int no_args(const struct install_options *o, const char *why, struct err *e)
{
	return o->args && o->args[0] ? err_set(e, ENOTSUP, "arguments after --: %s", why) : 0;
}

/* The file's version decides what the plugin is called. */
static const char *cri_plugin(const char *text)
{
	for (const char *s = text; s; s = strchr(s, '\n')) {
		int version;

		s += strspn(s, " \t\n");
		if (*s == '[')
			break;
		if (sscanf(s, "version = %d", &version) == 1 || sscanf(s, "version=%d", &version) == 1)
			return version >= 3 ? "'io.containerd.cri.v1.runtime'"
			       : version == 2 ? "\"io.containerd.grpc.v1.cri\"" : "cri";
	}
	return "cri";
}

#define CONTAINERD_NEW "version = 2\n"

static int containerd_add(const char *file, const struct install_options *o, enum install_result *ret, struct err *e)
{
	CLEANUP_FREE char *text = NULL;
	char block[2 * PATH_MAX], table[256];
	const char *plugin;
	size_t size;
	int r = no_args(o, "containerd's shim passes none; set BinaryName to a script that does", e);

	if (r == 0)
		r = text_read(file, &text, &size, e);
	if (r < 0)
		return r;
	plugin = cri_plugin(text ? text : CONTAINERD_NEW);
	snprintf(table, sizeof(table), "containerd.runtimes.%s]", o->name);
	snprintf(block, sizeof(block),
		 "[plugins.%s.containerd.runtimes.%s]\n  runtime_type = \"io.containerd.runc.v2\"\n"
		 "[plugins.%s.containerd.runtimes.%s.options]\n  BinaryName = \"%s\"\n",
		 plugin, o->name, plugin, o->name, o->program);
	return put_block(file, o, table, block, CONTAINERD_NEW, ret, e);
}

static int containerd_remove(const char *file, const struct install_options *o, enum install_result *ret,
			     struct err *e)
{
	return take_block(file, o, CONTAINERD_NEW, ret, e);
}

/* A file of its own in the folder that Podman reads beside containers.conf. */
static int podman_add(const char *file, const struct install_options *o, enum install_result *ret, struct err *e)
{
	char block[2 * PATH_MAX], table[256];
	int r = no_args(o, "Podman passes its own: podman --runtime-flag", e);

	if (r < 0)
		return r;
	snprintf(table, sizeof(table), "\n%s = [", o->name);
	snprintf(block, sizeof(block), "[engine.runtimes]\n%s = [\"%s\"]\n", o->name, o->program);
	return put_block(file, o, table, block, "", ret, e);
}

static int podman_remove(const char *file, const struct install_options *o, enum install_result *ret, struct err *e)
{
	return take_block(file, o, "", ret, e);
}

const struct install_engine install_containerd = {
	.name = "containerd", .file = "/etc/containerd/config.toml",
	.hint = "containerd reads it at: systemctl restart containerd. Pods choose it by a RuntimeClass whose handler is %s",
	.add = containerd_add, .remove = containerd_remove,
};
const struct install_engine install_podman = {
	.name = "podman", .file = "/etc/containers/containers.conf.d/sbx.conf",
	.hint = "Then: podman run --runtime=%s ...", .add = podman_add, .remove = podman_remove,
};
