/* Encoder and decoder of the control messages: one pair of functions per structure of the schema,
 * fields in its order. */
#include "common/ipc/msg_ctl.h"

#include "common/base/util.h"
#include "common/cbor/cursor.h"

void ctl_strv_done(struct ctl_strv *s)
{
	for (size_t i = 0; i < s->count; i++)
		free(s->v[i]);
	free(s->v);
	*s = (struct ctl_strv){0};
}

int ctl_strv_add(struct ctl_strv *s, const char *text)
{
	char **v = realloc(s->v, (s->count + 2) * sizeof(*v));

	if (!v)
		return -ENOMEM;
	s->v = v;
	v[s->count] = strdup(text);
	if (!v[s->count])
		return -ENOMEM;
	v[++s->count] = NULL;
	return 0;
}

static void mount_done(struct ctl_mount *m)
{
	free(m->target);
	free(m->type);
	free(m->source);
	free(m->data);
}

void ctl_config_free(struct ctl_config *c)
{
	if (!c)
		return;
	free(c->id);
	free(c->hostname);
	free(c->domainname);
	free(c->cgroup);
	for (size_t i = 0; i < c->mount_count; i++)
		mount_done(&c->mounts[i]);
	free(c->mounts);
	for (size_t i = 0; i < c->device_count; i++)
		free(c->devices[i].path);
	free(c->devices);
	ctl_strv_done(&c->masked);
	ctl_strv_done(&c->readonly);
	ctl_strv_done(&c->sysctl);
	free(c);
}

void ctl_process_free(struct ctl_process *p)
{
	if (!p)
		return;
	ctl_strv_done(&p->args);
	ctl_strv_done(&p->env);
	free(p->cwd);
	free(p->groups);
	free(p->rlimits);
	free(p->stdio);
	free(p->seccomp);
	free(p);
}

void ctl_msg_done(struct ctl_msg *m)
{
	free(m->text);
	ctl_config_free(m->config);
	ctl_process_free(m->process);
	free(m->limits);
	*m = (struct ctl_msg){0};
}

static void put_strv(struct cbor_w *w, const struct ctl_strv *s)
{
	cbor_w_array(w, s->count);
	for (size_t i = 0; i < s->count; i++)
		cbor_w_text(w, s->v[i]);
}

static void put_mount(struct cbor_w *w, const struct ctl_mount *m)
{
	cbor_w_array(w, 10);
	cbor_w_text(w, m->target);
	cbor_w_text(w, m->type);
	cbor_w_text(w, m->source);
	cbor_w_text(w, m->data);
	cbor_w_int(w, m->index);
	cbor_w_uint(w, m->flags);
	cbor_w_bool(w, m->file);
	cbor_w_bool(w, m->overlay);
	cbor_w_bool(w, m->shared);
	cbor_w_bool(w, m->recursive);
}

static void put_limits(struct cbor_w *w, const struct ctl_limits *l)
{
	cbor_w_array(w, 6);
	cbor_w_uint(w, l->memory);
	cbor_w_uint(w, l->swap);
	cbor_w_uint(w, l->pids);
	cbor_w_uint(w, l->cpu_quota);
	cbor_w_uint(w, l->cpu_period);
	cbor_w_uint(w, l->cpu_shares);
}

static void put_device(struct cbor_w *w, const struct ctl_device *d)
{
	cbor_w_array(w, 6);
	cbor_w_text(w, d->path);
	cbor_w_uint(w, d->mode);
	cbor_w_uint(w, d->uid);
	cbor_w_uint(w, d->gid);
	cbor_w_uint(w, d->major);
	cbor_w_uint(w, d->minor);
}

static void put_config(struct cbor_w *w, const struct ctl_config *c)
{
	cbor_w_array(w, 13);
	cbor_w_text(w, c->id);
	cbor_w_text(w, c->hostname);
	cbor_w_text(w, c->domainname);
	cbor_w_array(w, c->mount_count);
	for (size_t i = 0; i < c->mount_count; i++)
		put_mount(w, &c->mounts[i]);
	put_strv(w, &c->masked);
	put_strv(w, &c->readonly);
	put_strv(w, &c->sysctl);
	put_limits(w, &c->limits);
	cbor_w_array(w, c->device_count);
	for (size_t i = 0; i < c->device_count; i++)
		put_device(w, &c->devices[i]);
	cbor_w_bool(w, c->strace);
	cbor_w_bool(w, c->debug);
	cbor_w_uint(w, c->network);
	cbor_w_text(w, c->cgroup);
}

static void put_process(struct cbor_w *w, const struct ctl_process *p)
{
	cbor_w_array(w, 20);
	put_strv(w, &p->args);
	put_strv(w, &p->env);
	cbor_w_text(w, p->cwd);
	cbor_w_uint(w, p->uid);
	cbor_w_uint(w, p->gid);
	cbor_w_uint(w, p->umask);
	cbor_w_array(w, p->group_count);
	for (size_t i = 0; i < p->group_count; i++)
		cbor_w_uint(w, p->groups[i]);
	cbor_w_uint(w, p->cap_bounding);
	cbor_w_uint(w, p->cap_effective);
	cbor_w_uint(w, p->cap_inheritable);
	cbor_w_uint(w, p->cap_permitted);
	cbor_w_uint(w, p->cap_ambient);
	cbor_w_bool(w, p->no_new_privs);
	cbor_w_bool(w, p->terminal);
	cbor_w_uint(w, p->rows);
	cbor_w_uint(w, p->cols);
	cbor_w_int(w, p->oom_score_adj);
	cbor_w_array(w, p->rlimit_count);
	for (size_t i = 0; i < p->rlimit_count; i++) {
		cbor_w_array(w, 3);
		cbor_w_uint(w, p->rlimits[i].resource);
		cbor_w_uint(w, p->rlimits[i].soft);
		cbor_w_uint(w, p->rlimits[i].hard);
	}
	cbor_w_array(w, p->stdio_count);
	for (size_t i = 0; i < p->stdio_count; i++)
		cbor_w_uint(w, p->stdio[i]);
	if (p->seccomp)
		cbor_w_bytes(w, p->seccomp, p->seccomp_size);
	else
		cbor_w_null(w);
}

static void put_msg(struct cbor_w *w, const struct ctl_msg *m)
{
	cbor_w_array(w, 11);
	cbor_w_uint(w, m->type);
	cbor_w_uint(w, m->id);
	cbor_w_uint(w, m->pid);
	cbor_w_int(w, m->value);
	cbor_w_bool(w, m->flag);
	cbor_w_uint(w, m->rows);
	cbor_w_uint(w, m->cols);
	cbor_w_text(w, m->text);
	if (m->config)
		put_config(w, m->config);
	else
		cbor_w_null(w);
	if (m->process)
		put_process(w, m->process);
	else
		cbor_w_null(w);
	if (m->limits)
		put_limits(w, m->limits);
	else
		cbor_w_null(w);
}

long ctl_encode(const struct ctl_msg *m, uint8_t **ret_buf)
{
	for (size_t size = 4096;; size *= 4) {
		CLEANUP_FREE uint8_t *buf = malloc(size);
		struct cbor_w w;
		long r;

		if (!buf)
			return -ENOMEM;
		cbor_w_init(&w, buf, size);
		put_msg(&w, m);
		r = cbor_w_done(&w);
		if (r >= 0) {
			*ret_buf = STEAL_PTR(buf);
			return r;
		}
		if (size >= 64u * 1024 * 1024)
			return -EMSGSIZE;
	}
}

/* An array of `count` structures of `size` bytes, or NULL and an error. Every element is at least one
 * byte of input, so memory stays in proportion to the message. */
static void *get_array(struct cbor_r *r, size_t max, size_t size, size_t *ret_count)
{
	size_t count = cbor_r_array(r, max);
	void *p;

	*ret_count = 0;
	if (r->error)
		return NULL;
	if (count > r->size - r->pos) {
		r->error = -EPROTO;
		return NULL;
	}
	p = calloc(count + 1, size);
	if (!p)
		r->error = -ENOMEM;
	else
		*ret_count = count;
	return p;
}

/* A text that must be there. */
static char *get_text(struct cbor_r *r)
{
	char *s = cbor_r_text_dup(r, CTL_STRING_MAX);

	if (!s && !r->error)
		r->error = -EPROTO;
	return s;
}

static void get_strv(struct cbor_r *r, struct ctl_strv *s)
{
	s->v = get_array(r, CTL_STRV_MAX, sizeof(*s->v), &s->count);
	for (size_t i = 0; i < s->count && !r->error; i++)
		s->v[i] = get_text(r);
}

static void get_fields(struct cbor_r *r, size_t count)
{
	if (cbor_r_array(r, count) != count && !r->error)
		r->error = -EPROTO;
}

static void get_mount(struct cbor_r *r, struct ctl_mount *m)
{
	get_fields(r, 10);
	m->target = get_text(r);
	m->type = get_text(r);
	m->source = get_text(r);
	m->data = cbor_r_text_dup(r, CTL_STRING_MAX);
	m->index = cbor_r_int(r);
	m->flags = cbor_r_uint(r, UINT32_MAX);
	m->file = cbor_r_bool(r);
	m->overlay = cbor_r_bool(r);
	m->shared = cbor_r_bool(r);
	m->recursive = cbor_r_bool(r);
	if (!r->error && (m->target[0] != '/' || m->index < -1 || m->index >= CTL_MOUNTS_MAX))
		r->error = -EPROTO;
}

static void get_limits(struct cbor_r *r, struct ctl_limits *l)
{
	get_fields(r, 6);
	l->memory = cbor_r_uint(r, INT64_MAX);
	l->swap = cbor_r_uint(r, INT64_MAX);
	l->pids = cbor_r_uint(r, INT64_MAX);
	l->cpu_quota = cbor_r_uint(r, INT64_MAX);
	l->cpu_period = cbor_r_uint(r, INT64_MAX);
	l->cpu_shares = cbor_r_uint(r, INT64_MAX);
}

static struct ctl_limits *get_limits_or_null(struct cbor_r *r)
{
	struct ctl_limits *l;

	if (cbor_r_null(r))
		return NULL;
	l = calloc(1, sizeof(*l));
	if (l)
		get_limits(r, l);
	else
		r->error = -ENOMEM;
	return l;
}

static void get_device(struct cbor_r *r, struct ctl_device *d)
{
	get_fields(r, 6);
	d->path = get_text(r);
	d->mode = (uint32_t)cbor_r_uint(r, 0177777);
	d->uid = (uint32_t)cbor_r_uint(r, UINT32_MAX - 1);
	d->gid = (uint32_t)cbor_r_uint(r, UINT32_MAX - 1);
	d->major = (uint32_t)cbor_r_uint(r, 4095);
	d->minor = (uint32_t)cbor_r_uint(r, 1048575);
	if (!r->error && d->path[0] != '/')
		r->error = -EPROTO;
}

static struct ctl_config *get_config(struct cbor_r *r)
{
	struct ctl_config *c;

	if (cbor_r_null(r))
		return NULL;
	c = calloc(1, sizeof(*c));
	if (!c) {
		r->error = -ENOMEM;
		return NULL;
	}
	get_fields(r, 13);
	c->id = get_text(r);
	c->hostname = get_text(r);
	c->domainname = cbor_r_text_dup(r, CTL_STRING_MAX);
	c->mounts = get_array(r, CTL_MOUNTS_MAX, sizeof(*c->mounts), &c->mount_count);
	for (size_t i = 0; i < c->mount_count && !r->error; i++)
		get_mount(r, &c->mounts[i]);
	get_strv(r, &c->masked);
	get_strv(r, &c->readonly);
	get_strv(r, &c->sysctl);
	get_limits(r, &c->limits);
	c->devices = get_array(r, CTL_MOUNTS_MAX, sizeof(*c->devices), &c->device_count);
	for (size_t i = 0; i < c->device_count && !r->error; i++)
		get_device(r, &c->devices[i]);
	c->strace = cbor_r_bool(r);
	c->debug = cbor_r_bool(r);
	c->network = (uint32_t)cbor_r_uint(r, 2);
	c->cgroup = cbor_r_text_dup(r, CTL_STRING_MAX);
	return c;
}

static void get_ids(struct cbor_r *r, struct ctl_process *p)
{
	p->uid = (uint32_t)cbor_r_uint(r, UINT32_MAX - 1);
	p->gid = (uint32_t)cbor_r_uint(r, UINT32_MAX - 1);
	p->umask = (uint32_t)cbor_r_uint(r, 0777);
	p->groups = get_array(r, 65536, sizeof(*p->groups), &p->group_count);
	for (size_t i = 0; i < p->group_count && !r->error; i++)
		p->groups[i] = (uint32_t)cbor_r_uint(r, UINT32_MAX - 1);
	p->cap_bounding = cbor_r_uint(r, UINT64_MAX);
	p->cap_effective = cbor_r_uint(r, UINT64_MAX);
	p->cap_inheritable = cbor_r_uint(r, UINT64_MAX);
	p->cap_permitted = cbor_r_uint(r, UINT64_MAX);
	p->cap_ambient = cbor_r_uint(r, UINT64_MAX);
}

static void get_seccomp(struct cbor_r *r, struct ctl_process *p)
{
	const void *data;

	if (cbor_r_null(r))
		return;
	data = cbor_r_bytes(r, CTL_SECCOMP_MAX, &p->seccomp_size);
	if (!r->error && (p->seccomp_size == 0 || p->seccomp_size % 8))
		r->error = -EPROTO;
	if (r->error)
		return;
	p->seccomp = malloc(p->seccomp_size);
	if (p->seccomp)
		memcpy(p->seccomp, data, p->seccomp_size);
	else
		r->error = -ENOMEM;
}

static struct ctl_process *get_process(struct cbor_r *r)
{
	struct ctl_process *p;

	if (cbor_r_null(r))
		return NULL;
	p = calloc(1, sizeof(*p));
	if (!p) {
		r->error = -ENOMEM;
		return NULL;
	}
	get_fields(r, 20);
	get_strv(r, &p->args);
	get_strv(r, &p->env);
	p->cwd = get_text(r);
	get_ids(r, p);
	p->no_new_privs = cbor_r_bool(r);
	p->terminal = cbor_r_bool(r);
	p->rows = (uint16_t)cbor_r_uint(r, UINT16_MAX);
	p->cols = (uint16_t)cbor_r_uint(r, UINT16_MAX);
	p->oom_score_adj = (int32_t)cbor_r_int(r);
	p->rlimits = get_array(r, 64, sizeof(*p->rlimits), &p->rlimit_count);
	for (size_t i = 0; i < p->rlimit_count && !r->error; i++) {
		get_fields(r, 3);
		p->rlimits[i].resource = (uint32_t)cbor_r_uint(r, 15);
		p->rlimits[i].soft = cbor_r_uint(r, UINT64_MAX);
		p->rlimits[i].hard = cbor_r_uint(r, UINT64_MAX);
	}
	p->stdio = get_array(r, CTL_STDIO_MAX, sizeof(*p->stdio), &p->stdio_count);
	for (size_t i = 0; i < p->stdio_count && !r->error; i++)
		p->stdio[i] = cbor_r_uint(r, UINT64_MAX);
	get_seccomp(r, p);
	if (!r->error && (p->args.count == 0 || p->cwd[0] != '/' || p->oom_score_adj < -1000 ||
			  p->oom_score_adj > 1000))
		r->error = -EPROTO;
	return p;
}

int ctl_decode(const void *buf, size_t size, struct ctl_msg *ret)
{
	struct ctl_msg m = {0};
	struct cbor_r r;
	int error;

	cbor_r_init(&r, buf, size);
	get_fields(&r, 11);
	m.type = (enum ctl_type)cbor_r_uint(&r, CTL_TYPE_MAX);
	m.id = cbor_r_uint(&r, UINT64_MAX);
	m.pid = (uint32_t)cbor_r_uint(&r, INT32_MAX);
	m.value = cbor_r_int(&r);
	m.flag = cbor_r_bool(&r);
	m.rows = (uint16_t)cbor_r_uint(&r, UINT16_MAX);
	m.cols = (uint16_t)cbor_r_uint(&r, UINT16_MAX);
	m.text = cbor_r_text_dup(&r, CTL_TEXT_MAX);
	m.config = get_config(&r);
	m.process = get_process(&r);
	m.limits = get_limits_or_null(&r);
	error = cbor_r_done(&r);
	if (!error && ((m.type == CTL_CONFIGURE) != (m.config != NULL) ||
		       (m.type == CTL_UPDATE) != (m.limits != NULL) ||
		       (m.type == CTL_START || m.type == CTL_EXEC || m.type == CTL_CHECK) != (m.process != NULL)))
		error = -EPROTO;
	if (error) {
		ctl_msg_done(&m);
		return error;
	}
	*ret = m;
	return 0;
}
