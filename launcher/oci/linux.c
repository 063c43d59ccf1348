/* The linux object of config.json. */
#include <stdio.h>
#include "common/base/util.h"
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
 * another's, is what cannot be had; but the network, whose link is taken from a namespace of the host. */
static int read_namespaces(const struct node *n, struct spec *s, struct err *e)
{
	static const char *const needed[] = {"pid", "ipc", "uts", "mount"};
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
	for (size_t k = 0; r == 0 && k < ARRAY_SIZE(needed); k++)
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

static int read_devices(const struct node *n, struct err *e)
{
	static const struct {
		int64_t major, minor;
	} standard[] = {{1, 3}, {1, 5}, {1, 7}, {1, 8}, {1, 9}, {5, 0}, {5, 1}, {5, 2}};
	size_t count = 0;
	int r = node_array(n, &count, e);

	for (size_t i = 0; r == 0 && i < count; i++) {
		struct node item = node_at(n, i), major = node_get(&item, "major"),
			    minor = node_get(&item, "minor");
		int64_t ma = 0, mi = 0;
		bool known = false;

		if ((r = node_object(&item, "type path major minor fileMode uid gid", e)) ||
		    (r = node_int(&major, 0, INT32_MAX, &ma, e)) || (r = node_int(&minor, 0, INT32_MAX, &mi, e)))
			return r;
		for (size_t k = 0; k < ARRAY_SIZE(standard); k++)
			known |= standard[k].major == ma && standard[k].minor == mi;
		if (!known)
			return err_set(e, ENOTSUP, "%s: devices of the host are not passed into a sandbox",
				       item.path);
	}
	return r;
}

static int read_memory(const struct node *n, struct spec_resources *res, struct err *e)
{
	static const char *const unsupported[] = {"kernel", "kernelTCP", "swappiness", "disableOOMKiller"};
	struct node limit = node_get(n, "limit"), swap = node_get(n, "swap"),
		    reservation = node_get(n, "reservation"), check = node_get(n, "checkBeforeUpdate"),
		    hierarchy = node_get(n, "useHierarchy");
	bool ignored = false;
	int r;

	if ((r = node_object(n, "limit reservation swap kernel kernelTCP swappiness disableOOMKiller "
				"useHierarchy checkBeforeUpdate", e)) ||
	    (r = node_int(&limit, -1, INT64_MAX, &res->memory_limit, e)) ||
	    (r = node_int(&swap, -1, INT64_MAX, &res->memory_swap, e)) ||
	    (r = node_int(&reservation, -1, INT64_MAX, &res->memory_reservation, e)) ||
	    (r = node_bool(&check, &ignored, e)) || (r = node_bool(&hierarchy, &ignored, e)))
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(unsupported); i++) {
		struct node x = node_get(n, unsupported[i]);

		if ((r = node_unsupported(&x, NULL, e)))
			return r;
	}
	return 0;
}

static int read_cpu(const struct node *n, struct spec_resources *res, struct err *e)
{
	static const char *const unsupported[] = {"realtimeRuntime", "realtimePeriod", "idle", "burst"};
	struct node shares = node_get(n, "shares"), quota = node_get(n, "quota"),
		    period = node_get(n, "period"), cpus = node_get(n, "cpus"), mems = node_get(n, "mems");
	const char *c = NULL, *m = NULL;
	int r;

	if ((r = node_object(n, "shares quota burst period realtimeRuntime realtimePeriod cpus mems idle", e)) ||
	    (r = node_uint(&shares, INT64_MAX, &res->cpu_shares, e)) ||
	    (r = node_int(&quota, -1, INT64_MAX, &res->cpu_quota, e)) ||
	    (r = node_uint(&period, INT64_MAX, &res->cpu_period, e)) || (r = node_text(&cpus, &c, e)) ||
	    (r = node_text(&mems, &m, e)))
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(unsupported); i++) {
		struct node x = node_get(n, unsupported[i]);

		if ((r = node_unsupported(&x, NULL, e)))
			return r;
	}
	if (c && c[0])
		res->cpus = strdup(c);
	if (m && m[0])
		res->mems = strdup(m);
	return 0;
}

static int read_resources(const struct node *n, struct spec_resources *res, struct err *e)
{
	static const char *const unsupported[] = {"blockIO", "hugepageLimits", "network", "rdma", "unified"};
	struct node memory = node_get(n, "memory"), cpu = node_get(n, "cpu"), pids = node_get(n, "pids"),
		    limit = node_get(&pids, "limit"), devices = node_get(n, "devices");
	size_t count;
	int r;

	/* devices: rules over the host's devices, of which a sandbox sees none */
	if ((r = node_object(n, "devices memory cpu pids blockIO hugepageLimits network rdma unified", e)) ||
	    (r = node_array(&devices, &count, e)) || (r = read_memory(&memory, res, e)) ||
	    (r = read_cpu(&cpu, res, e)) || (r = node_object(&pids, "limit", e)) ||
	    (r = node_int(&limit, -1, INT64_MAX, &res->pids_limit, e)))
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(unsupported); i++) {
		struct node x = node_get(n, unsupported[i]);

		if ((r = node_unsupported(&x, NULL, e)))
			return r;
	}
	res->any = res->memory_limit || res->memory_swap || res->memory_reservation || res->pids_limit ||
		   res->cpu_quota || res->cpu_period || res->cpu_shares || res->cpus || res->mems;
	return 0;
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
		{"seccomp", "a filter for the container's own system calls is not supported yet"},
		{"mountLabel", "SELinux labels are not supported"},
		{"intelRdt", NULL}, {"personality", NULL}, {"timeOffsets", NULL}, {"netDevices", NULL},
		{"memoryPolicy", NULL},
	};
	struct node ns = node_get(n, "namespaces"), devices = node_get(n, "devices"),
		    cgroups = node_get(n, "cgroupsPath"), resources = node_get(n, "resources"),
		    sysctl = node_get(n, "sysctl"), masked = node_get(n, "maskedPaths"),
		    readonly = node_get(n, "readonlyPaths"), propagation = node_get(n, "rootfsPropagation");
	const char *cgroup = NULL, *how = NULL;
	int r;

	if ((r = node_object(n, "namespaces uidMappings gidMappings devices cgroupsPath resources intelRdt "
				"sysctl seccomp rootfsPropagation maskedPaths readonlyPaths mountLabel "
				"personality timeOffsets netDevices memoryPolicy", e)))
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(unsupported); i++) {
		struct node x = node_get(n, unsupported[i][0]);

		if ((r = node_unsupported(&x, unsupported[i][1], e)))
			return r;
	}
	if ((r = read_namespaces(&ns, s, e)) || (r = read_id_mappings(n, "uidMappings", e)) ||
	    (r = read_id_mappings(n, "gidMappings", e)) || (r = read_devices(&devices, e)) ||
	    (r = node_text(&cgroups, &cgroup, e)) || (r = read_resources(&resources, &s->resources, e)) ||
	    (r = read_sysctl(&sysctl, s, e)) || (r = node_strv(&masked, &s->config->masked, e)) ||
	    (r = node_strv(&readonly, &s->config->readonly, e)) || (r = node_text(&propagation, &how, e)))
		return r;
	if (how && strcmp(how, "private") && strcmp(how, "rprivate") && strcmp(how, "slave") &&
	    strcmp(how, "rslave") && how[0])
		return err_set(e, ENOTSUP, "%s: \"%s\" is not supported", propagation.path, how);
	if (cgroup && cgroup[0]) {
		s->cgroup_path = strdup(cgroup);
		if (!s->cgroup_path)
			return err_sys(e, ENOMEM, "%s", cgroups.path);
	}
	if (s->resources.memory_limit > 0)
		s->config->memory_limit = (uint64_t)s->resources.memory_limit;
	if (s->resources.pids_limit > 0)
		s->config->pids_limit = (uint64_t)s->resources.pids_limit;
	return 0;
}
