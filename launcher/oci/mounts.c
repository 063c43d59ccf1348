/* mounts[] of config.json: options become MS_* flags and the data of the file system; bind sources
 * become sources of fsd. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include "common/base/util.h"
#include "launcher/oci/spec.h"

/* What the sandbox's own kernel makes of them (services/sysd/vfs/mount.h); no mount crosses the border to the host, either
 * way. */
#define PROPAGATION (MS_SHARED | MS_SLAVE | MS_PRIVATE | MS_UNBINDABLE)

static const struct {
	const char *name;
	uint64_t set, clear;
} flag_options[] = {
	{"defaults", 0, 0}, {"ro", MS_RDONLY, 0}, {"rw", 0, MS_RDONLY},
	{"nosuid", MS_NOSUID, 0}, {"suid", 0, MS_NOSUID}, {"nodev", MS_NODEV, 0}, {"dev", 0, MS_NODEV},
	{"noexec", MS_NOEXEC, 0}, {"exec", 0, MS_NOEXEC}, {"sync", MS_SYNCHRONOUS, 0},
	{"async", 0, MS_SYNCHRONOUS}, {"dirsync", MS_DIRSYNC, 0}, {"noatime", MS_NOATIME, 0},
	{"atime", 0, MS_NOATIME}, {"nodiratime", MS_NODIRATIME, 0}, {"diratime", 0, MS_NODIRATIME},
	{"relatime", MS_RELATIME, 0}, {"norelatime", 0, MS_RELATIME},
	{"strictatime", MS_STRICTATIME, MS_RELATIME | MS_NOATIME}, {"nostrictatime", 0, MS_STRICTATIME},
	{"bind", MS_BIND, 0}, {"rbind", MS_BIND | MS_REC, 0}, {"nosymfollow", 256, 0},
	{"private", 0, PROPAGATION}, {"rprivate", 0, PROPAGATION},
	{"slave", MS_SLAVE, PROPAGATION}, {"rslave", MS_SLAVE, PROPAGATION},
	{"shared", MS_SHARED, PROPAGATION}, {"rshared", MS_SHARED, PROPAGATION},
	{"unbindable", MS_UNBINDABLE, PROPAGATION}, {"runbindable", MS_UNBINDABLE, PROPAGATION},
	{"newinstance", 0, 0},
};

static const char *const unsupported_options[] = {"idmap", "ridmap", "remount", "move", "rmove"};

static int add_data(char **data, const char *option)
{
	char *joined;

	if (asprintf(&joined, "%s%s%s", *data ? *data : "", *data ? "," : "", option) < 0)
		return -ENOMEM;
	free(*data);
	*data = joined;
	return 0;
}

static int read_options(const struct node *n, uint64_t *flags, char **data, struct err *e)
{
	size_t count = 0;
	int r = node_array(n, &count, e);

	for (size_t i = 0; r == 0 && i < count; i++) {
		struct node item = node_at(n, i);
		const char *o = "";
		bool known = false;

		r = node_text(&item, &o, e);
		if (r)
			return r;
		for (size_t k = 0; k < ARRAY_SIZE(unsupported_options); k++)
			if (!strcmp(o, unsupported_options[k]))
				return err_set(e, ENOTSUP, "%s: option \"%s\" is not supported", item.path, o);
		for (size_t k = 0; k < ARRAY_SIZE(flag_options) && !known; k++) {
			if (strcmp(o, flag_options[k].name) != 0)
				continue;
			*flags = (*flags & ~flag_options[k].clear) | flag_options[k].set;
			known = true;
		}
		if (!known && add_data(data, o) < 0)
			return err_sys(e, ENOMEM, "%s", item.path);
	}
	return r;
}

int spec_add_source(struct spec *s, const char *path, bool readonly, bool recursive, struct err *e)
{
	struct spec_source *p;
	struct stat st;

	if (stat(path, &st) < 0)
		return err_sys(e, errno, "%s", path);
	if (s->source_count >= 256)
		return err_set(e, E2BIG, "more than 256 mounts of host files");
	p = realloc(s->sources, (s->source_count + 1) * sizeof(*p));
	if (!p)
		return err_sys(e, ENOMEM, "%s", path);
	s->sources = p;
	p[s->source_count] = (struct spec_source){.path = strdup(path), .readonly = readonly,
						  .recursive = recursive, .file = !S_ISDIR(st.st_mode)};
	if (!p[s->source_count].path)
		return err_sys(e, ENOMEM, "%s", path);
	return (int)s->source_count++;
}

struct ctl_mount *spec_add_mount(struct spec *s, const char *target, const char *type, const char *source,
				 const char *data, uint64_t flags, struct err *e)
{
	struct ctl_config *c = s->config;
	struct ctl_mount *m;

	if (c->mount_count >= CTL_MOUNTS_MAX) {
		err_set(e, E2BIG, "more than %u mounts", CTL_MOUNTS_MAX);
		return NULL;
	}
	m = realloc(c->mounts, (c->mount_count + 1) * sizeof(*m));
	if (!m) {
		err_sys(e, ENOMEM, "%s", target);
		return NULL;
	}
	c->mounts = m;
	m += c->mount_count++;
	*m = (struct ctl_mount){.target = strdup(target), .type = strdup(type), .source = strdup(source),
				.data = data ? strdup(data) : NULL, .index = -1, .flags = flags};
	if (!m->target || !m->type || !m->source || (data && !m->data)) {
		err_sys(e, ENOMEM, "%s", target);
		return NULL;
	}
	return m;
}

static int add_bind(struct spec *s, const char *target, const char *source, const char *data,
		    uint64_t flags, const struct spec_options *opt, struct err *e)
{
	char path[PATH_MAX], real[PATH_MAX];
	struct ctl_mount *m;
	int index;

	if (data)
		return err_set(e, ENOTSUP, "option \"%s\" is not supported for a bind mount", data);
	if (flags & MS_SHARED)
		return err_set(e, ENOTSUP, "option \"shared\" or \"rshared\" is not supported for a bind mount: "
			       "what the container mounts does not appear on the host");
	if ((size_t)snprintf(path, sizeof(path), "%s%s%s", source[0] == '/' ? "" : s->bundle,
			     source[0] == '/' ? "" : "/", source) >= sizeof(path))
		return err_sys(e, ENAMETOOLONG, "%s", source);
	if (!realpath(path, real))
		return err_sys(e, errno, "%s", path);
	index = spec_add_source(s, real, flags & MS_RDONLY, flags & MS_REC, e);
	if (index < 0)
		return index;
	m = spec_add_mount(s, target, "gofer", real, NULL, flags & ~(uint64_t)(MS_BIND | MS_REC), e);
	if (!m)
		return -e->code;
	m->index = index;
	m->file = s->sources[index].file;
	m->recursive = (flags & MS_REC) != 0;
	m->shared = true; /* the host works in it as well */
	(void)opt;
	return 0;
}

static int read_mount(const struct node *n, struct spec *s, const struct spec_options *opt, struct err *e)
{
	static const char *const types[] = {"tmpfs", "proc", "sysfs", "devpts", "mqueue", "cgroup",
					    "cgroup2", "ramfs", "devtmpfs"};
	struct node dest = node_get(n, "destination"), type = node_get(n, "type"),
		    source = node_get(n, "source"), options = node_get(n, "options"),
		    uids = node_get(n, "uidMappings"), gids = node_get(n, "gidMappings");
	const char *target = NULL, *fs = NULL, *from = NULL;
	CLEANUP_FREE char *data = NULL;
	char absolute[PATH_MAX];
	uint64_t flags = 0;
	int r;

	if ((r = node_object(n, "destination type source options uidMappings gidMappings", e)) ||
	    (r = node_text(&dest, &target, e)) || (r = node_text(&type, &fs, e)) ||
	    (r = node_text(&source, &from, e)) || (r = node_unsupported(&uids, NULL, e)) ||
	    (r = node_unsupported(&gids, NULL, e)) || (r = read_options(&options, &flags, &data, e)))
		return r;
	if (!target || !target[0])
		return err_set(e, EINVAL, "%s: missing", dest.path);
	snprintf(absolute, sizeof(absolute), "%s%s", target[0] == '/' ? "" : "/", target);
	if (flags & MS_BIND || (fs && (!strcmp(fs, "bind") || !strcmp(fs, "rbind")))) {
		if (!from)
			return err_set(e, EINVAL, "%s: missing", source.path);
		if (fs && !strcmp(fs, "rbind"))
			flags |= MS_REC;
		r = add_bind(s, absolute, from, data, flags, opt, e);
		return r < 0 ? err_wrap(e, "%s", n->path) : 0;
	}
	if (!fs)
		return err_set(e, EINVAL, "%s: missing", type.path);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (!strcmp(fs, types[i]))
			return spec_add_mount(s, absolute, fs, from ? from : fs, data, flags, e) ? 0 : -e->code;
	return err_set(e, ENOTSUP, "%s: file system \"%s\" is not supported", type.path, fs);
}

int spec_read_propagation(const struct node *n, uint64_t *flags, struct err *e)
{
	const char *how = NULL;
	int r = node_text(n, &how, e);

	if (r || !how || !how[0])
		return r;
	for (size_t k = 0; k < ARRAY_SIZE(flag_options); k++) {
		if (flag_options[k].clear != PROPAGATION || strcmp(how, flag_options[k].name) != 0)
			continue;
		*flags |= flag_options[k].set;
		return 0;
	}
	return err_set(e, EINVAL, "%s: \"%s\" is not a kind of propagation", n->path, how);
}

int spec_read_mounts(const struct node *n, struct spec *s, const struct spec_options *opt, struct err *e)
{
	size_t count = 0;
	int r = node_array(n, &count, e);

	for (size_t i = 0; r == 0 && i < count; i++) {
		struct node item = node_at(n, i);

		r = read_mount(&item, s, opt, e);
	}
	return r;
}
