/* Docker's daemon.json: "runtimes": {NAME: {"path": ..., "runtimeArgs": [...]}}. The other settings keep
 * their order and values. `uninstall` puts back the very bytes that were there when nothing else has
 * changed since; otherwise it takes the one entry out. */
#include <jansson.h>
#include <limits.h>
#include "common/base/util.h"
#include "launcher/install/install.h"

static int parse(const char *file, const char *text, size_t size, json_t **ret, struct err *e)
{
	json_error_t je;

	/* an empty file is what dockerd takes for no settings */
	if (!text || strspn(text, " \t\r\n") == size)
		*ret = json_object();
	else
		*ret = json_loadb(text, size, JSON_REJECT_DUPLICATES, &je);
	if (!*ret)
		return err_set(e, EINVAL, "%s: line %d: %s", file, je.line, je.text);
	if (json_is_object(*ret) &&
	    (!json_object_get(*ret, "runtimes") || json_is_object(json_object_get(*ret, "runtimes"))))
		return 0;
	json_decref(*ret);
	return err_set(e, EINVAL, "%s: not the settings of dockerd", file);
}

/* The indent of the first line that has one; tabs become what they are often taken for. */
static size_t indent_of(const char *text)
{
	for (const char *s = text ? strchr(text, '\n') : NULL; s; s = strchr(s + 1, '\n')) {
		size_t n = strspn(s + 1, " ");

		if (s[1] == '\t')
			return 8;
		if (n)
			return MIN(n, 8ul);
	}
	return 4;
}

static int save(const char *file, const json_t *json, const char *old, struct err *e)
{
	CLEANUP_FREE char *text = json_dumps(json, JSON_INDENT(indent_of(old)));
	CLEANUP_FREE char *line = NULL;

	if (!text || asprintf(&line, "%s\n", text) < 0)
		return err_sys(e, ENOMEM, "%s", file);
	return text_write(file, line, strlen(line), e);
}

static json_t *entry(const struct install_options *o)
{
	json_t *v = json_pack("{s:s}", "path", o->program), *args = json_array();

	for (size_t i = 0; o->args && o->args[i]; i++)
		json_array_append_new(args, json_string(o->args[i]));
	if (json_array_size(args))
		json_object_set(v, "runtimeArgs", args);
	json_decref(args);
	return v;
}

static bool is_ours(const json_t *v)
{
	const char *path = json_string_value(json_object_get(v, "path")), *slash = path ? strrchr(path, '/') : NULL;

	return path && !strcmp(slash ? slash + 1 : path, "sbx-launch");
}

/* The file's text (NULL: there is none) and what it says. */
static int load(const char *file, char **ret_text, size_t *ret_size, json_t **ret, struct err *e)
{
	CLEANUP_FREE char *text = NULL;
	int r = text_read(file, &text, ret_size, e);

	if (r == 0)
		r = parse(file, text, *ret_size, ret, e);
	if (r < 0)
		return r;
	*ret_text = STEAL_PTR(text);
	return 0;
}

static int add(const char *file, const struct install_options *o, enum install_result *ret, struct err *e)
{
	CLEANUP_FREE char *text = NULL;
	json_t *json, *runtimes, *old, *new;
	bool first;
	size_t size;
	int r = load(file, &text, &size, &json, e);

	if (r < 0)
		return r;
	runtimes = json_object_get(json, "runtimes");
	old = json_object_get(runtimes, o->name);
	first = !is_ours(old);
	new = entry(o);
	*ret = INSTALL_DONE;
	if (!new) {
		r = err_sys(e, ENOMEM, "%s", file);
	} else if (old && json_equal(old, new)) {
		*ret = INSTALL_NOTHING;
	} else if (old && first && !o->force) {
		r = err_set(e, EEXIST, "%s: the runtime \"%s\" is another program (--force replaces it)", file, o->name);
	} else {
		if (text && first)
			r = text_backup(file, text, size, e);
		if (!runtimes)
			json_object_set_new(json, "runtimes", runtimes = json_object());
		if (json_object_set(runtimes, o->name, new) < 0)
			r = err_sys(e, ENOMEM, "%s", file);
		if (r == 0)
			r = save(file, json, text, e);
	}
	json_decref(new);
	json_decref(json);
	return r;
}

static void take_out(json_t *json, const char *name)
{
	json_t *runtimes = json_object_get(json, "runtimes");

	json_object_del(runtimes, name);
	if (json_object_size(runtimes) == 0)
		json_object_del(json, "runtimes");
}

/* Puts the backup back when the two differ in nothing but our entry. 1: done, 0: they differ, or -errno. */
static int restore(const char *file, const json_t *now, const char *name, struct err *e)
{
	CLEANUP_FREE char *text = NULL;
	char backup[PATH_MAX];
	json_t *then = NULL;
	struct err ignored;
	size_t size;
	bool same;
	int r = text_backup_name(file, backup, sizeof(backup), e);

	if (r == 0)
		r = text_read(backup, &text, &size, e);
	if (r < 0 || !text || parse(backup, text, size, &then, &ignored) < 0)
		return r;
	take_out(then, name);
	same = json_equal(then, now);
	json_decref(then);
	if (!same)
		return 0;
	r = text_write(file, text, size, e);
	if (r == 0)
		r = text_remove(backup, e);
	return r < 0 ? r : 1;
}

static int drop(const char *file, const struct install_options *o, enum install_result *ret, struct err *e)
{
	CLEANUP_FREE char *text = NULL;
	const char *dflt;
	char backup[PATH_MAX];
	json_t *json;
	size_t size;
	int r = load(file, &text, &size, &json, e);

	if (r < 0)
		return r;
	*ret = INSTALL_NOTHING;
	if (!is_ours(json_object_get(json_object_get(json, "runtimes"), o->name))) {
		json_decref(json);
		return 0;
	}
	*ret = INSTALL_DONE;
	dflt = json_string_value(json_object_get(json, "default-runtime"));
	if (dflt && !strcmp(dflt, o->name) && !o->force)
		r = err_set(e, EBUSY, "%s: \"%s\" is the default-runtime, without which dockerd would not start "
			    "(--force removes it all the same)", file, o->name);
	take_out(json, o->name);
	if (r == 0)
		r = restore(file, json, o->name, e);
	if (r == 0) {
		r = text_backup_name(file, backup, sizeof(backup), e);
		if (r == 0 && json_object_size(json) == 0 && access(backup, F_OK) < 0)
			r = text_remove(file, e); /* there was none before */
		else if (r == 0)
			r = save(file, json, text, e);
		if (r == 0)
			r = text_remove(backup, e);
	}
	json_decref(json);
	return r < 0 ? r : 0;
}

const struct install_engine install_docker = {
	.name = "docker", .file = "/etc/docker/daemon.json",
	.hint = "Docker reads it at: systemctl reload docker (or kill -HUP of dockerd). Then: docker run --runtime=%s ...",
	.add = add, .remove = drop,
};
