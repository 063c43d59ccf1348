/* The linux object of config.json. */
#include <stdio.h>
#include <sys/stat.h>
#include "common/base/util.h"
#include "common/log/log.h"
#include "launcher/oci/spec.h"

static int set_netns(struct spec *s, const struct node *path, struct err *e)
{
	const char *p = NULL;
	int r = node_text(path, &p, e);

	if (r < 0)
		return r;
	if (s->netns != SPEC_NETNS_HOST)
		return err_set(e, EINVAL, "%s: a second network namespace", path->path);
	s->netns = p && p[0] ? SPEC_NETNS_PATH : SPEC_NETNS_NEW;
	if (s->netns == SPEC_NETNS_NEW)
		return 0;
	if (p[0] != '/')
		return err_set(e, EINVAL, "%s: must be an absolute path", path->path);
	s->netns_path = strdup(p);
	return s->netns_path ? 0 : err_sys(e, ENOMEM, "%s", path->path);
}

/* Every sandbox has namespaces of its own of every kind. Sharing one with the host, or joining
 * another's, is what cannot be had; but the network, whose link is taken from a namespace of the host, and
 * the host's names, which are copied. */
static int read_namespaces(const struct node *n, struct spec *s, struct err *e)
{
	static const char *const needed[] = {"pid", "ipc", "mount", "uts"};
	static const char *const others[] = {"user", "cgroup", "time"};
	bool seen[ARRAY_SIZE(needed)] = {0};
	size_t count = 0;
	int r = node_array(n, &count, e);

	if (!n->v)
		return 0;
	s->netns = SPEC_NETNS_HOST;
	for (size_t i = 0; r == 0 && i < count; i++) {
		struct node item = node_at(n, i), type = node_get(&item, "type"),
			    path = node_get(&item, "path");
		const char *name = "";
		bool known = false;

		if ((r = node_object(&item, "type path", e)) || (r = node_text(&type, &name, e)))
			return r;
		if (!strcmp(name, "network")) {
			r = set_netns(s, &path, e);
			continue;
		}
		r = node_unsupported(&path, "joining an existing namespace is not supported", e);
		if (r < 0)
			return r;
		for (size_t k = 0; k < ARRAY_SIZE(needed); k++)
			if (!strcmp(name, needed[k]))
				known = seen[k] = true;
		for (size_t k = 0; k < ARRAY_SIZE(others); k++)
			known |= !strcmp(name, others[k]);
		if (!known)
			return err_set(e, EINVAL, "%s: unknown namespace \"%s\"", type.path, name);
	}
	s->host_uts = !seen[ARRAY_SIZE(needed) - 1];
	for (size_t k = 0; r == 0 && k < ARRAY_SIZE(needed) - 1; k++)
		if (!seen[k])
			return err_set(e, ENOTSUP, "%s: without \"%s\" the container would share the host's, "
				       "which is not supported", n->path, needed[k]);
	return r;
}

static int read_id_mappings(const struct node *linux_node, const char *key, struct err *e)
{
	struct node n = node_get(linux_node, key);
	size_t count = 0;
	int r = node_array(&n, &count, e);

	/* Ids in the sandbox are virtual, and files keep the ids they have on the host. */
	for (size_t i = 0; r == 0 && i < count; i++) {
		struct node item = node_at(&n, i), c = node_get(&item, "containerID"),
			    h = node_get(&item, "hostID"), z = node_get(&item, "size");
		uint64_t inside = 0, outside = 0, size = 0;

		if ((r = node_object(&item, "containerID hostID size", e)) ||
		    (r = node_uint(&c, UINT32_MAX, &inside, e)) || (r = node_uint(&h, UINT32_MAX, &outside, e)) ||
		    (r = node_uint(&z, UINT32_MAX, &size, e)))
			return r;
		if (inside != outside)
			return err_set(e, ENOTSUP, "%s: only the identity mapping is supported", item.path);
	}
	return r;
}

static bool is_default(const char *path)
{
	static const char *const paths[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom",
					    "/dev/tty", "/dev/console", "/dev/ptmx"};

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (!strcmp(path, paths[i]))
			return true;
	return false;
}

static int add_device(struct spec *s, const char *path, uint32_t mode, uint64_t uid, uint64_t gid, int64_t major,
		      int64_t minor, struct err *e)
{
	struct ctl_config *c = s->config;
	struct ctl_device *d = realloc(c->devices, (c->device_count + 1) * sizeof(*d));

	if (!d)
		return err_sys(e, ENOMEM, "%s", path);
	c->devices = d;
	d += c->device_count++;
	*d = (struct ctl_device){.path = strdup(path), .mode = mode, .uid = (uint32_t)uid, .gid = (uint32_t)gid,
				 .major = (uint32_t)major, .minor = (uint32_t)minor};
	return d->path ? 0 : err_sys(e, ENOMEM, "%s", path);
}

/* A device of a kind that sysd has itself can be had under any name. */
static int read_device(const struct node *n, struct spec *s, bool *ret_known, struct err *e)
{
	static const struct {
		int64_t major, minor;
	} standard[] = {{1, 3}, {1, 5}, {1, 7}, {1, 8}, {1, 9}, {5, 0}, {5, 1}, {5, 2}};
	struct node major = node_get(n, "major"), minor = node_get(n, "minor"), type = node_get(n, "type"),
		    path = node_get(n, "path"), mode = node_get(n, "fileMode"), uid = node_get(n, "uid"),
		    gid = node_get(n, "gid");
	const char *t = "c", *p = NULL;
	uint64_t m = 0666, u = 0, g = 0;
	int64_t ma = 0, mi = 0;
	int r;

	if ((r = node_object(n, "type path major minor fileMode uid gid", e)) ||
	    (r = node_int(&major, 0, INT32_MAX, &ma, e)) || (r = node_int(&minor, 0, INT32_MAX, &mi, e)) ||
	    (r = node_text(&type, &t, e)) || (r = node_text(&path, &p, e)) ||
	    (r = node_uint(&mode, UINT32_MAX, &m, e)) || (r = node_uint(&uid, UINT32_MAX - 1, &u, e)) ||
	    (r = node_uint(&gid, UINT32_MAX - 1, &g, e)))
		return r;
	if (!p || p[0] != '/')
		return err_set(e, EINVAL, "%s: must be an absolute path", path.path);
	*ret_known = false;
	if (!strcmp(t, "p")) {
		*ret_known = true;
		return add_device(s, p, S_IFIFO | (m & 0777), u, g, 0, 0, e);
	}
	for (size_t k = 0; k < ARRAY_SIZE(standard); k++)
		*ret_known |= standard[k].major == ma && standard[k].minor == mi && (t[0] == 'c' || t[0] == 'u');
	if (!*ret_known || is_default(p))
		return 0;
	return add_device(s, p, S_IFCHR | (m & 0777), u, g, ma, mi, e);
}

/* A privileged container asks for all devices of the host: it gets none of them, which is said in the log;
 * one that was named is an error. */
static int read_devices(const struct node *n, struct spec *s, bool all, struct err *e)
{
	size_t count = 0, left_out = 0;
	int r = node_array(n, &count, e);

	if (count > CTL_MOUNTS_MAX)
		return err_set(e, E2BIG, "%s: too many", n->path);
	for (size_t i = 0; r == 0 && i < count; i++) {
		struct node item = node_at(n, i);
		bool known = true;

		r = read_device(&item, s, &known, e);
		left_out += !known;
		if (r == 0 && !known && !all)
			return err_set(e, ENOTSUP, "%s: devices of the host are not passed into a sandbox",
				       item.path);
	}
	if (left_out)
		log_info("%zu devices of the host are not passed into the sandbox", left_out);
	return r;
}

static int read_sysctl(const struct node *n, struct spec *s, struct err *e)
{
	const char *key;
	json_t *value;

	if (!n->v)
		return 0;
	if (!json_is_object(n->v))
		return err_set(e, EINVAL, "%s: must be an object", n->path);
	json_object_foreach ((json_t *)n->v, key, value) {
		CLEANUP_FREE char *line = NULL;

		if (!json_is_string(value))
			return err_set(e, EINVAL, "%s.%.100s: must be a string", n->path, key);
		if (asprintf(&line, "%s=%s", key, json_string_value(value)) < 0 ||
		    ctl_strv_add(&s->config->sysctl, line) < 0)
			return err_sys(e, ENOMEM, "%s", n->path);
	}
	return 0;
}

int spec_read_linux(const struct node *n, struct spec *s, struct err *e)
{
	static const char *const unsupported[][2] = {
		{"intelRdt", NULL}, {"personality", NULL}, {"timeOffsets", NULL}, {"netDevices", NULL},
		{"memoryPolicy", NULL},
	};
	struct node ns = node_get(n, "namespaces"), devices = node_get(n, "devices"),
		    cgroups = node_get(n, "cgroupsPath"), resources = node_get(n, "resources"),
		    sysctl = node_get(n, "sysctl"), masked = node_get(n, "maskedPaths"),
		    readonly = node_get(n, "readonlyPaths"), propagation = node_get(n, "rootfsPropagation");
	struct node seccomp = node_get(n, "seccomp"), label = node_get(n, "mountLabel");
	const char *cgroup = NULL, *ignored = NULL;
	uint64_t root_flags = 0;
	int r;

	/* mountLabel: labels of SELinux are for processes of the host's kernel */
	if ((r = node_text(&label, &ignored, e)) || (r = node_object(n, "namespaces uidMappings gidMappings devices cgroupsPath resources intelRdt "
				"sysctl seccomp rootfsPropagation maskedPaths readonlyPaths mountLabel "
				"personality timeOffsets netDevices memoryPolicy", e)))
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(unsupported); i++) {
		struct node x = node_get(n, unsupported[i][0]);

		if ((r = node_unsupported(&x, unsupported[i][1], e)))
			return r;
	}
	if ((r = read_namespaces(&ns, s, e)) || (r = read_id_mappings(n, "uidMappings", e)) ||
	    (r = read_id_mappings(n, "gidMappings", e)) || (r = spec_read_resources(&resources, &s->resources, e)) ||
	    (r = read_devices(&devices, s, s->resources.all_devices, e)) ||
	    (r = node_text(&cgroups, &cgroup, e)) || (r = spec_read_seccomp(&seccomp, s->process, e)) ||
	    (r = read_sysctl(&sysctl, s, e)) || (r = node_strv(&masked, &s->config->masked, e)) ||
	    (r = node_strv(&readonly, &s->config->readonly, e)) ||
	    (r = spec_read_propagation(&propagation, &root_flags, e)))
		return r;
	if (s->config->mount_count > 0)
		s->config->mounts[0].flags |= root_flags;
	if (cgroup && cgroup[0]) {
		s->cgroup_path = strdup(cgroup);
		if (!s->cgroup_path)
			return err_sys(e, ENOMEM, "%s", cgroups.path);
	}
	spec_fill_limits(&s->resources, &s->config->limits);
	return 0;
}
