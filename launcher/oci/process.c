/* The process object of config.json, and of exec --process. */
#include <stdio.h>
#include "common/base/util.h"
#include "launcher/oci/spec.h"

static int read_user(const struct node *n, struct ctl_process *p, struct err *e)
{
	struct node uid = node_get(n, "uid"), gid = node_get(n, "gid"), umask = node_get(n, "umask"),
		    groups = node_get(n, "additionalGids"), name = node_get(n, "username");
	uint64_t v[3] = {p->uid, p->gid, p->umask};
	size_t count = 0;
	int r;

	if ((r = node_object(n, "uid gid umask additionalGids username", e)) ||
	    (r = node_uint(&uid, UINT32_MAX - 1, &v[0], e)) ||
	    (r = node_uint(&gid, UINT32_MAX - 1, &v[1], e)) || (r = node_uint(&umask, 0777, &v[2], e)) ||
	    (r = node_unsupported(&name, "users by name are for Windows", e)) ||
	    (r = node_array(&groups, &count, e)))
		return r;
	p->uid = (uint32_t)v[0];
	p->gid = (uint32_t)v[1];
	p->umask = (uint32_t)v[2];
	if (count > 65536)
		return err_set(e, EINVAL, "%s: too many groups", groups.path);
	free(p->groups);
	p->group_count = 0;
	p->groups = calloc(count + 1, sizeof(*p->groups));
	if (!p->groups)
		return err_sys(e, ENOMEM, "%s", groups.path);
	for (size_t i = 0; i < count; i++) {
		struct node item = node_at(&groups, i);
		uint64_t g = 0;

		if ((r = node_uint(&item, UINT32_MAX - 1, &g, e)))
			return r;
		p->groups[p->group_count++] = (uint32_t)g;
	}
	return 0;
}

static int read_cap_set(const struct node *caps, const char *key, uint64_t *ret, struct err *e)
{
	struct node n = node_get(caps, key);
	size_t count = 0;
	uint64_t set = 0;
	int r = node_array(&n, &count, e);

	for (size_t i = 0; r == 0 && i < count; i++) {
		struct node item = node_at(&n, i);
		const char *name = NULL;
		int cap;

		r = node_text(&item, &name, e);
		if (r)
			return r;
		cap = name ? spec_cap_from_name(name) : -1;
		if (cap < 0)
			return err_set(e, EINVAL, "%s: unknown capability \"%s\"", item.path, name ? name : "");
		set |= 1ull << cap;
	}
	*ret = set;
	return r;
}

static int read_caps(const struct node *n, struct ctl_process *p, struct err *e)
{
	int r = node_object(n, "bounding effective inheritable permitted ambient", e);

	if (r || !n->v)
		return r;
	if ((r = read_cap_set(n, "bounding", &p->cap_bounding, e)) ||
	    (r = read_cap_set(n, "effective", &p->cap_effective, e)) ||
	    (r = read_cap_set(n, "inheritable", &p->cap_inheritable, e)) ||
	    (r = read_cap_set(n, "permitted", &p->cap_permitted, e)) ||
	    (r = read_cap_set(n, "ambient", &p->cap_ambient, e)))
		return r;
	return 0;
}

static int read_rlimits(const struct node *n, struct ctl_process *p, struct err *e)
{
	size_t count = 0;
	int r = node_array(n, &count, e);

	for (size_t i = 0; r == 0 && i < count; i++) {
		struct node item = node_at(n, i), type = node_get(&item, "type"),
			    hard = node_get(&item, "hard"), soft = node_get(&item, "soft");
		const char *name = "";
		uint64_t h = 0, s = 0;
		int resource;

		if ((r = node_object(&item, "type hard soft", e)) || (r = node_text(&type, &name, e)) ||
		    (r = node_uint(&hard, UINT64_MAX, &h, e)) || (r = node_uint(&soft, UINT64_MAX, &s, e)))
			return r;
		resource = spec_rlimit_from_name(name);
		if (resource < 0)
			return err_set(e, EINVAL, "%s: unknown limit \"%s\"", type.path, name);
		if (s > h)
			return err_set(e, EINVAL, "%s: the soft limit is above the hard one", item.path);
		if (spec_set_rlimit(p, (uint32_t)resource, s, h) < 0)
			return err_sys(e, ENOMEM, "%s", item.path);
	}
	return r;
}

static int read_rest(const struct node *n, struct ctl_process *p, struct err *e)
{
	static const char *const unsupported[][2] = {
		{"scheduler", NULL}, {"ioPriority", NULL}, {"execCPUAffinity", NULL}, {"commandLine", NULL},
	};
	struct node size = node_get(n, "consoleSize"), h = node_get(&size, "height"),
		    w = node_get(&size, "width"), adj = node_get(n, "oomScoreAdj"),
		    nnp = node_get(n, "noNewPrivileges"), term = node_get(n, "terminal");
	uint64_t rows = p->rows, cols = p->cols;
	/* for processes of the host's kernel; engines on hosts that have them set them for every container */
	struct node apparmor = node_get(n, "apparmorProfile"), selinux = node_get(n, "selinuxLabel");
	const char *ignored = NULL;
	int64_t score = p->oom_score_adj;
	int r;

	if ((r = node_text(&apparmor, &ignored, e)) || (r = node_text(&selinux, &ignored, e)))
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(unsupported); i++) {
		struct node x = node_get(n, unsupported[i][0]);

		if ((r = node_unsupported(&x, unsupported[i][1], e)))
			return r;
	}
	if ((r = node_object(&size, "height width", e)) || (r = node_uint(&h, UINT16_MAX, &rows, e)) ||
	    (r = node_uint(&w, UINT16_MAX, &cols, e)) || (r = node_int(&adj, -1000, 1000, &score, e)) ||
	    (r = node_bool(&nnp, &p->no_new_privs, e)) || (r = node_bool(&term, &p->terminal, e)))
		return r;
	p->rows = (uint16_t)rows;
	p->cols = (uint16_t)cols;
	p->oom_score_adj = (int32_t)score;
	return 0;
}

int spec_read_process(const struct node *n, struct ctl_process *p, struct err *e)
{
	struct node args = node_get(n, "args"), env = node_get(n, "env"), cwd = node_get(n, "cwd"),
		    user = node_get(n, "user"), caps = node_get(n, "capabilities"),
		    rlimits = node_get(n, "rlimits");
	const char *dir = NULL;
	int r;

	if (!n->v)
		return err_set(e, EINVAL, "process: missing");
	if ((r = node_object(n, "terminal consoleSize cwd env args commandLine rlimits apparmorProfile "
				"capabilities noNewPrivileges oomScoreAdj scheduler selinuxLabel ioPriority "
				"execCPUAffinity user", e)) ||
	    (r = node_strv(&args, &p->args, e)) || (r = node_strv(&env, &p->env, e)) ||
	    (r = node_text(&cwd, &dir, e)) || (r = read_user(&user, p, e)) || (r = read_caps(&caps, p, e)) ||
	    (r = read_rlimits(&rlimits, p, e)) || (r = read_rest(n, p, e)))
		return r;
	if (p->args.count == 0)
		return err_set(e, EINVAL, "%s: must not be empty", args.path);
	if (!dir || dir[0] != '/')
		return err_set(e, EINVAL, "%s: must be an absolute path", cwd.path);
	free(p->cwd);
	p->cwd = strdup(dir);
	return p->cwd ? 0 : err_sys(e, ENOMEM, "%s", cwd.path);
}
