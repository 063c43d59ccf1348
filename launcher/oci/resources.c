/* linux.resources of config.json, which is also what `update --resources` reads. */
#include "common/base/util.h"
#include "launcher/oci/spec.h"

void spec_resources_done(struct spec_resources *res)
{
	free(res->cpus);
	free(res->mems);
	free(res->rates);
	for (size_t i = 0; i < res->hugepage_count; i++)
		free(res->hugepages[i].size);
	free(res->hugepages);
	json_decref(res->unified);
	*res = (struct spec_resources){.swappiness = -1};
}

static int read_memory(const struct node *n, struct spec_resources *res, struct err *e)
{
	struct node limit = node_get(n, "limit"), swap = node_get(n, "swap"),
		    reservation = node_get(n, "reservation"), check = node_get(n, "checkBeforeUpdate"),
		    hierarchy = node_get(n, "useHierarchy"), kernel = node_get(n, "kernel"),
		    tcp = node_get(n, "kernelTCP"), swappiness = node_get(n, "swappiness"),
		    oom = node_get(n, "disableOOMKiller");
	bool ignored = false;
	int r;

	if ((r = node_object(n, "limit reservation swap kernel kernelTCP swappiness disableOOMKiller "
				"useHierarchy checkBeforeUpdate", e)) ||
	    (r = node_int(&limit, -1, INT64_MAX, &res->memory_limit, e)) ||
	    (r = node_int(&swap, -1, INT64_MAX, &res->memory_swap, e)) ||
	    (r = node_int(&reservation, -1, INT64_MAX, &res->memory_reservation, e)) ||
	    (r = node_int(&kernel, -1, INT64_MAX, &res->memory_kernel, e)) ||
	    (r = node_int(&tcp, -1, INT64_MAX, &res->memory_kernel_tcp, e)) ||
	    (r = node_int(&swappiness, -1, 100, &res->swappiness, e)) ||
	    (r = node_bool(&oom, &res->no_oom_kill, e)) || (r = node_bool(&check, &ignored, e)) ||
	    (r = node_bool(&hierarchy, &ignored, e)))
		return r;
	return 0;
}

static int set_text(char **to, const char *text, const char *path, struct err *e)
{
	if (!text || !text[0])
		return 0;
	free(*to);
	*to = strdup(text);
	return *to ? 0 : err_sys(e, ENOMEM, "%s", path);
}

static int read_cpu(const struct node *n, struct spec_resources *res, struct err *e)
{
	struct node shares = node_get(n, "shares"), quota = node_get(n, "quota"),
		    period = node_get(n, "period"), cpus = node_get(n, "cpus"), mems = node_get(n, "mems"),
		    burst = node_get(n, "burst"), idle = node_get(n, "idle"),
		    rt = node_get(n, "realtimeRuntime"), rt_period = node_get(n, "realtimePeriod");
	const char *c = NULL, *m = NULL;
	int r;

	if ((r = node_object(n, "shares quota burst period realtimeRuntime realtimePeriod cpus mems idle", e)) ||
	    (r = node_uint(&shares, INT64_MAX, &res->cpu_shares, e)) ||
	    (r = node_int(&quota, -1, INT64_MAX, &res->cpu_quota, e)) ||
	    (r = node_uint(&period, INT64_MAX, &res->cpu_period, e)) ||
	    (r = node_uint(&burst, INT64_MAX, &res->cpu_burst, e)) ||
	    (r = node_int(&idle, 0, 1, &res->cpu_idle, e)) ||
	    (r = node_int(&rt, -1, INT64_MAX, &res->cpu_rt_runtime, e)) ||
	    (r = node_uint(&rt_period, INT64_MAX, &res->cpu_rt_period, e)) || (r = node_text(&cpus, &c, e)) ||
	    (r = node_text(&mems, &m, e)) || (r = set_text(&res->cpus, c, cpus.path, e)))
		return r;
	return set_text(&res->mems, m, mems.path, e);
}

static int read_rates(const struct node *io, const char *key, enum rate_kind kind, struct spec_resources *res,
		      struct err *e)
{
	struct node list = node_get(io, key);
	bool weights = kind == RATE_WEIGHT;
	size_t count = 0;
	int r = node_array(&list, &count, e);

	for (size_t i = 0; r == 0 && i < count; i++) {
		struct node item = node_at(&list, i), major = node_get(&item, "major"),
			    minor = node_get(&item, "minor"), rate = node_get(&item, weights ? "weight" : "rate"),
			    leaf = node_get(&item, "leafWeight");
		uint64_t ma = 0, mi = 0, value = 0, leaf_weight = 0;
		struct spec_device_rate *p;

		if ((r = node_object(&item, weights ? "major minor weight leafWeight" : "major minor rate", e)) ||
		    (r = node_uint(&major, UINT32_MAX, &ma, e)) || (r = node_uint(&minor, UINT32_MAX, &mi, e)) ||
		    (r = node_uint(&rate, INT64_MAX, &value, e)) || (r = node_uint(&leaf, 1000, &leaf_weight, e)))
			return r;
		p = realloc(res->rates, (res->rate_count + 2) * sizeof(*p));
		if (!p)
			return err_sys(e, ENOMEM, "%s", item.path);
		res->rates = p;
		if (value)
			p[res->rate_count++] = (struct spec_device_rate){kind, (unsigned)ma, (unsigned)mi, value};
		if (leaf_weight)
			p[res->rate_count++] = (struct spec_device_rate){RATE_LEAF_WEIGHT, (unsigned)ma, (unsigned)mi,
									 leaf_weight};
	}
	return r;
}

static int read_io(const struct node *n, struct spec_resources *res, struct err *e)
{
	struct node weight = node_get(n, "weight"), leaf = node_get(n, "leafWeight");
	int r;

	if ((r = node_object(n, "weight leafWeight weightDevice throttleReadBpsDevice throttleWriteBpsDevice "
				"throttleReadIOPSDevice throttleWriteIOPSDevice", e)) ||
	    (r = node_uint(&weight, 1000, &res->io_weight, e)) ||
	    (r = node_uint(&leaf, 1000, &res->io_leaf_weight, e)) ||
	    (r = read_rates(n, "weightDevice", RATE_WEIGHT, res, e)) ||
	    (r = read_rates(n, "throttleReadBpsDevice", RATE_READ_BPS, res, e)) ||
	    (r = read_rates(n, "throttleWriteBpsDevice", RATE_WRITE_BPS, res, e)) ||
	    (r = read_rates(n, "throttleReadIOPSDevice", RATE_READ_IOPS, res, e)) ||
	    (r = read_rates(n, "throttleWriteIOPSDevice", RATE_WRITE_IOPS, res, e)))
		return r;
	return 0;
}

static int read_hugepages(const struct node *n, struct spec_resources *res, struct err *e)
{
	size_t count = 0;
	int r = node_array(n, &count, e);

	if (r < 0 || !count)
		return r;
	res->hugepages = calloc(count, sizeof(*res->hugepages));
	if (!res->hugepages)
		return err_sys(e, ENOMEM, "%s", n->path);
	for (size_t i = 0; i < count; i++) {
		struct node item = node_at(n, i), size = node_get(&item, "pageSize"), limit = node_get(&item, "limit");
		struct spec_hugepage *h = &res->hugepages[res->hugepage_count++];
		const char *text = NULL;

		if ((r = node_object(&item, "pageSize limit", e)) || (r = node_text(&size, &text, e)) ||
		    (r = node_uint(&limit, UINT64_MAX, &h->limit, e)))
			return r;
		if (!text || !text[0] || strspn(text, "0123456789KMGB") != strlen(text))
			return err_set(e, EINVAL, "%s: not a size of pages", size.path);
		h->size = strdup(text);
		if (!h->size)
			return err_sys(e, ENOMEM, "%s", size.path);
	}
	return 0;
}

static int read_network(const struct node *n, struct spec_resources *res, struct err *e)
{
	struct node class = node_get(n, "classID"), priorities = node_get(n, "priorities");
	int r;

	if ((r = node_object(n, "classID priorities", e)) || (r = node_uint(&class, UINT32_MAX, &res->net_class, e)) ||
	    (r = node_unsupported(&priorities, NULL, e)))
		return r;
	return 0;
}

static int read_unified(const struct node *n, struct spec_resources *res, struct err *e)
{
	const char *key;
	json_t *value;

	if (!n->v)
		return 0;
	if (!json_is_object(n->v))
		return err_set(e, EINVAL, "%s: must be an object", n->path);
	json_object_foreach ((json_t *)n->v, key, value) {
		if (!json_is_string(value))
			return err_set(e, EINVAL, "%s.%.100s: must be a string", n->path, key);
		if (strchr(key, '/') || !strchr(key, '.'))
			return err_set(e, EINVAL, "%s.%.100s: must be a file name with no slashes", n->path, key);
	}
	if (json_object_size(n->v))
		res->unified = json_incref((json_t *)n->v);
	return 0;
}

/* Rules over the host's devices, of which a sandbox sees none; the one that allows them all tells a
 * privileged container. */
static int read_device_rules(const struct node *n, struct spec_resources *res, struct err *e)
{
	size_t count = 0;
	int r = node_array(n, &count, e);

	for (size_t i = 0; r == 0 && i < count; i++) {
		struct node item = node_at(n, i), allow = node_get(&item, "allow"), type = node_get(&item, "type"),
			    major = node_get(&item, "major"), minor = node_get(&item, "minor");
		const char *t = "a";
		bool allowed = false;
		int64_t ma = -1, mi = -1;

		if ((r = node_object(&item, "allow type major minor access", e)) || (r = node_bool(&allow, &allowed, e)) ||
		    (r = node_text(&type, &t, e)) || (r = node_int(&major, -1, UINT32_MAX, &ma, e)) ||
		    (r = node_int(&minor, -1, UINT32_MAX, &mi, e)))
			return r;
		res->all_devices |= allowed && (t[0] == 'a' || !t[0]) && ma == -1 && mi == -1;
	}
	return r;
}

int spec_read_resources(const struct node *n, struct spec_resources *res, struct err *e)
{
	struct node memory = node_get(n, "memory"), cpu = node_get(n, "cpu"), pids = node_get(n, "pids"),
		    limit = node_get(&pids, "limit"), devices = node_get(n, "devices"), io = node_get(n, "blockIO"),
		    huge = node_get(n, "hugepageLimits"), network = node_get(n, "network"),
		    rdma = node_get(n, "rdma"), unified = node_get(n, "unified");
	int r;

	res->swappiness = -1;
	if ((r = node_object(n, "devices memory cpu pids blockIO hugepageLimits network rdma unified", e)) ||
	    (r = read_device_rules(&devices, res, e)) || (r = read_memory(&memory, res, e)) ||
	    (r = read_cpu(&cpu, res, e)) || (r = node_object(&pids, "limit", e)) ||
	    (r = node_int(&limit, -1, INT64_MAX, &res->pids_limit, e)) || (r = read_io(&io, res, e)) ||
	    (r = read_hugepages(&huge, res, e)) || (r = read_network(&network, res, e)) ||
	    (r = node_unsupported(&rdma, "a sandbox has no RDMA devices", e)) || (r = read_unified(&unified, res, e)))
		return r;
	res->any = res->memory_limit || res->memory_swap || res->memory_reservation || res->pids_limit ||
		   res->cpu_quota || res->cpu_period || res->cpu_shares || res->cpus || res->mems || res->io_weight ||
		   res->rate_count || res->hugepage_count || res->net_class || res->unified || res->cpu_idle ||
		   res->cpu_burst || res->cpu_rt_runtime || res->cpu_rt_period || res->no_oom_kill ||
		   res->swappiness >= 0 || res->memory_kernel || res->memory_kernel_tcp;
	return 0;
}

static uint64_t positive(int64_t v)
{
	return v > 0 ? (uint64_t)v : 0;
}

void spec_fill_limits(const struct spec_resources *res, struct ctl_limits *ret)
{
	*ret = (struct ctl_limits){
		.memory = positive(res->memory_limit), .swap = positive(res->memory_swap),
		.pids = positive(res->pids_limit), .cpu_quota = positive(res->cpu_quota),
		.cpu_period = res->cpu_period, .cpu_shares = res->cpu_shares,
	};
}
