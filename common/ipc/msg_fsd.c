/* Encoder and decoder of the messages between sysd and fsd, driven by one table of fields. */
#include "common/ipc/msg_fsd.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "common/base/util.h"

enum field {
	F_END, F_MOUNT, F_NODE, F_NODE2, F_NAME, F_NAME_OPT, F_NAME2, F_XNAME, F_TARGET, F_VALUE, F_MODE, F_UID, F_GID,
	F_FLAGS, F_VALID, F_RDEV, F_SIZE, F_COOKIE, F_ATIME, F_MTIME, F_NAMES, F_NODES,
};

enum reply_field { R_END, R_NODE, R_ATTR, R_FLAGS, R_SIZE, R_VALUE, R_STATFS, R_WALKED, R_COOKIE };

#define FIELDS_MAX 12
static const struct fsd_msg {
	uint8_t req[FIELDS_MAX], reply[4];
} messages[FSD_OP_COUNT] = {
    [FSD_ATTACH] = {{F_MOUNT, F_FLAGS}, {R_NODE, R_ATTR, R_FLAGS}},
    [FSD_WALK] = {{F_NODE, F_NAMES, F_FLAGS}, {R_WALKED, R_VALUE, R_FLAGS}},
    [FSD_GETATTR] = {{F_NODE, F_NAME_OPT}, {R_ATTR}},
    [FSD_SETATTR] = {{F_NODE, F_NAME_OPT, F_VALID, F_MODE, F_UID, F_GID, F_SIZE, F_ATIME, F_MTIME},
		     {R_ATTR}},
    [FSD_OPEN] = {{F_NODE, F_NAME_OPT, F_FLAGS}, {R_ATTR}},
    [FSD_CREATE] = {{F_NODE, F_NAME, F_MODE, F_UID, F_GID, F_FLAGS}, {R_ATTR}},
    [FSD_MKDIR] = {{F_NODE, F_NAME, F_MODE, F_UID, F_GID}, {R_NODE, R_ATTR}},
    [FSD_MKNOD] = {{F_NODE, F_NAME, F_MODE, F_UID, F_GID, F_RDEV}, {R_ATTR}},
    [FSD_SYMLINK] = {{F_NODE, F_NAME, F_TARGET, F_UID, F_GID}, {R_ATTR}},
    [FSD_READLINK] = {{F_NODE, F_NAME_OPT}, {R_VALUE}},
    [FSD_LINK] = {{F_NODE, F_NAME_OPT, F_NODE2, F_NAME2}, {R_ATTR}},
    [FSD_UNLINK] = {{F_NODE, F_NAME, F_FLAGS}, {R_NODE}},
    [FSD_RMDIR] = {{F_NODE, F_NAME}, {R_END}},
    [FSD_RENAME] = {{F_NODE, F_NAME, F_NODE2, F_NAME2, F_FLAGS}, {R_NODE}},
    [FSD_READDIR] = {{F_NODE, F_NAME_OPT, F_COOKIE, F_FLAGS, F_SIZE}, {R_END}},
    [FSD_STATFS] = {{F_NODE}, {R_STATFS}},
    [FSD_GETXATTR] = {{F_NODE, F_NAME_OPT, F_XNAME}, {R_VALUE}},
    [FSD_SETXATTR] = {{F_NODE, F_NAME_OPT, F_XNAME, F_VALUE, F_FLAGS}, {R_END}},
    [FSD_LISTXATTR] = {{F_NODE, F_NAME_OPT}, {R_VALUE}},
    [FSD_REMOVEXATTR] = {{F_NODE, F_NAME_OPT, F_XNAME}, {R_END}},
    [FSD_FSYNC] = {{F_NODE, F_NAME_OPT, F_FLAGS}, {R_END}},
    [FSD_TMPFILE] = {{F_NODE, F_MODE, F_UID, F_GID}, {R_NODE, R_ATTR}},
    [FSD_FORGET] = {{F_NODES}, {R_END}},
    [FSD_SYNC] = {{F_MOUNT}, {R_END}},
    [FSD_POOL] = {{F_NODE, F_MODE, F_UID, F_GID, F_SIZE}, {R_WALKED}},
    [FSD_BIRTH] = {{F_NODE, F_NAME, F_NODE2, F_MODE, F_FLAGS, F_MTIME}, {R_END}},
    [FSD_WATCH] = {{F_NODE, F_NAME_OPT}, {R_COOKIE, R_FLAGS}},
    [FSD_UNWATCH] = {{F_COOKIE}, {R_END}},
    [FSD_CONNECT] = {{F_NODE, F_NAME_OPT}, {R_END}},
};

bool fsd_name_ok(const char *name, size_t size)
{
	if (!size || size > FSD_NAME_MAX || memchr(name, '/', size) || memchr(name, 0, size))
		return false;
	return !(name[0] == '.' && (size == 1 || (size == 2 && name[1] == '.')));
}

static size_t field_count(const uint8_t *f, size_t max)
{
	size_t n = 0;

	while (n < max && f[n])
		n++;
	return n;
}

static void expect_array(struct cbor_r *r, size_t count)
{
	if (cbor_r_array(r, count) != count && !r->error)
		r->error = -EPROTO;
}

static void put_time(struct cbor_w *w, const struct fsd_time *t)
{
	cbor_w_int(w, t->sec);
	cbor_w_uint(w, t->nsec);
}

static void get_time(struct cbor_r *r, struct fsd_time *t)
{
	t->sec = cbor_r_int(r);
	t->nsec = (uint32_t)cbor_r_uint(r, 999999999);
}

static void put_str(struct cbor_w *w, const struct fsd_str *s)
{
	cbor_w_bytes(w, s->data, s->size);
}

static void get_str(struct cbor_r *r, struct fsd_str *s, size_t max)
{
	s->data = cbor_r_bytes(r, max, &s->size);
}

static void get_name(struct cbor_r *r, struct fsd_str *s)
{
	get_str(r, s, FSD_NAME_MAX);
	if (!r->error && !fsd_name_ok(s->data, s->size))
		r->error = -EPROTO;
}

/* A string that becomes a NUL-terminated one: xattr names, targets of links. */
static void get_text(struct cbor_r *r, struct fsd_str *s, size_t max)
{
	get_str(r, s, max);
	if (!r->error && (!s->size || memchr(s->data, 0, s->size)))
		r->error = -EPROTO;
}

#define ATTR_FIELDS 19
static void put_attr(struct cbor_w *w, const struct fsd_attr *a)
{
	cbor_w_array(w, ATTR_FIELDS);
	cbor_w_uint(w, a->mode);
	cbor_w_uint(w, a->uid);
	cbor_w_uint(w, a->gid);
	cbor_w_uint(w, a->nlink);
	cbor_w_uint(w, a->blksize);
	cbor_w_uint(w, a->flags);
	cbor_w_uint(w, a->dev);
	cbor_w_uint(w, a->ino);
	cbor_w_uint(w, a->rdev);
	cbor_w_uint(w, a->size);
	cbor_w_uint(w, a->blocks);
	put_time(w, &a->atime);
	put_time(w, &a->mtime);
	put_time(w, &a->ctime);
	put_time(w, &a->btime);
}

static void get_attr(struct cbor_r *r, struct fsd_attr *a)
{
	expect_array(r, ATTR_FIELDS);
	a->mode = (uint32_t)cbor_r_uint(r, UINT32_MAX);
	a->uid = (uint32_t)cbor_r_uint(r, UINT32_MAX);
	a->gid = (uint32_t)cbor_r_uint(r, UINT32_MAX);
	a->nlink = (uint32_t)cbor_r_uint(r, UINT32_MAX);
	a->blksize = (uint32_t)cbor_r_uint(r, UINT32_MAX);
	a->flags = (uint32_t)cbor_r_uint(r, FSD_ATTR_ALL);
	a->dev = cbor_r_uint(r, UINT64_MAX);
	a->ino = cbor_r_uint(r, UINT64_MAX);
	a->rdev = cbor_r_uint(r, UINT64_MAX);
	a->size = cbor_r_uint(r, INT64_MAX);
	a->blocks = cbor_r_uint(r, UINT64_MAX);
	get_time(r, &a->atime);
	get_time(r, &a->mtime);
	get_time(r, &a->ctime);
	get_time(r, &a->btime);
}

static void put_field(struct cbor_w *w, const struct fsd_req *q, enum field f)
{
	switch (f) {
	case F_END: break;
	case F_MOUNT: cbor_w_uint(w, q->mount); break;
	case F_NODE: cbor_w_uint(w, q->node); break;
	case F_NODE2: cbor_w_uint(w, q->node2); break;
	case F_NAME:
	case F_NAME_OPT: put_str(w, &q->name); break;
	case F_XNAME: put_str(w, &q->xname); break;
	case F_NAME2: put_str(w, &q->name2); break;
	case F_TARGET:
	case F_VALUE: put_str(w, &q->value); break;
	case F_MODE: cbor_w_uint(w, q->mode); break;
	case F_UID: cbor_w_uint(w, q->uid); break;
	case F_GID: cbor_w_uint(w, q->gid); break;
	case F_FLAGS: cbor_w_uint(w, q->flags); break;
	case F_VALID: cbor_w_uint(w, q->valid); break;
	case F_RDEV: cbor_w_uint(w, q->rdev); break;
	case F_SIZE: cbor_w_uint(w, q->size); break;
	case F_COOKIE: cbor_w_uint(w, q->cookie); break;
	case F_ATIME:
		cbor_w_array(w, 2);
		put_time(w, &q->atime);
		break;
	case F_MTIME:
		cbor_w_array(w, 2);
		put_time(w, &q->mtime);
		break;
	case F_NAMES:
		cbor_w_array(w, q->name_count);
		for (size_t i = 0; i < q->name_count; i++)
			put_str(w, &q->names[i]);
		break;
	case F_NODES:
		cbor_w_array(w, q->node_count);
		for (size_t i = 0; i < q->node_count; i++)
			cbor_w_uint(w, q->nodes[i]);
		break;
	}
}

static void get_field(struct cbor_r *r, struct fsd_req *q, enum field f)
{
	switch (f) {
	case F_END: break;
	case F_MOUNT: q->mount = (uint32_t)cbor_r_uint(r, FSD_MOUNTS_MAX - 1); break;
	case F_NODE: q->node = cbor_r_uint(r, UINT64_MAX); break;
	case F_NODE2: q->node2 = cbor_r_uint(r, UINT64_MAX); break;
	case F_NAME: get_name(r, &q->name); break;
	case F_NAME_OPT:
		get_str(r, &q->name, FSD_NAME_MAX);
		if (!r->error && q->name.size && !fsd_name_ok(q->name.data, q->name.size))
			r->error = -EPROTO;
		break;
	case F_XNAME: get_text(r, &q->xname, FSD_NAME_MAX); break;
	case F_NAME2: get_name(r, &q->name2); break;
	case F_TARGET: get_text(r, &q->value, FSD_TARGET_MAX - 1); break;
	case F_VALUE: get_str(r, &q->value, FSD_VALUE_MAX); break;
	case F_MODE: q->mode = (uint32_t)cbor_r_uint(r, 0177777); break;
	case F_UID: q->uid = (uint32_t)cbor_r_uint(r, UINT32_MAX); break;
	case F_GID: q->gid = (uint32_t)cbor_r_uint(r, UINT32_MAX); break;
	case F_FLAGS: q->flags = (uint32_t)cbor_r_uint(r, UINT32_MAX); break;
	case F_VALID: q->valid = (uint32_t)cbor_r_uint(r, FSD_SET_ALL); break;
	case F_RDEV: q->rdev = cbor_r_uint(r, UINT64_MAX); break;
	case F_SIZE: q->size = cbor_r_uint(r, INT64_MAX); break;
	case F_COOKIE: q->cookie = cbor_r_uint(r, INT64_MAX); break;
	case F_ATIME:
		expect_array(r, 2);
		get_time(r, &q->atime);
		break;
	case F_MTIME:
		expect_array(r, 2);
		get_time(r, &q->mtime);
		break;
	case F_NAMES:
		q->name_count = cbor_r_array(r, FSD_WALK_MAX);
		for (size_t i = 0; i < q->name_count && !r->error; i++)
			get_name(r, &q->names[i]);
		break;
	case F_NODES:
		q->node_count = cbor_r_array(r, FSD_FORGET_MAX);
		for (size_t i = 0; i < q->node_count && !r->error; i++) {
			uint64_t node = cbor_r_uint(r, UINT64_MAX);

			if (q->nodes)
				q->nodes[i] = node;
		}
		break;
	}
}

long fsd_req_encode(const struct fsd_req *req, void *buf, size_t size)
{
	const struct fsd_msg *m;
	struct cbor_w w;
	size_t n;

	if (!req->op || req->op >= FSD_OP_COUNT || req->name_count > FSD_WALK_MAX ||
	    req->node_count > FSD_FORGET_MAX)
		return -EINVAL;
	m = &messages[req->op];
	n = field_count(m->req, FIELDS_MAX);
	cbor_w_init(&w, buf, size);
	cbor_w_array(&w, 2 + n);
	cbor_w_uint(&w, req->op);
	cbor_w_uint(&w, req->id);
	for (size_t i = 0; i < n; i++)
		put_field(&w, req, m->req[i]);
	return cbor_w_done(&w);
}

int fsd_req_decode(struct fsd_req *req, const void *buf, size_t size)
{
	const struct fsd_msg *m;
	struct cbor_r r;
	size_t items, n;

	req->op = 0;
	req->id = 0;
	req->name_count = req->node_count = 0;
	cbor_r_init(&r, buf, size);
	items = cbor_r_array(&r, 2 + FIELDS_MAX);
	req->op = (uint32_t)cbor_r_uint(&r, FSD_OP_COUNT - 1);
	req->id = cbor_r_uint(&r, UINT64_MAX);
	if (r.error || !req->op)
		return -EPROTO;
	m = &messages[req->op];
	n = field_count(m->req, FIELDS_MAX);
	if (items != 2 + n)
		return -EPROTO;
	for (size_t i = 0; i < n; i++)
		get_field(&r, req, m->req[i]);
	return cbor_r_done(&r);
}

int fsd_peek(const void *buf, size_t size, uint32_t *ret_op, uint64_t *ret_id)
{
	struct cbor_r r;
	uint32_t op;
	uint64_t id;

	cbor_r_init(&r, buf, size);
	cbor_r_array(&r, 64);
	op = (uint32_t)cbor_r_uint(&r, FSD_OP_COUNT - 1);
	id = cbor_r_uint(&r, UINT64_MAX);
	if (r.error || !op)
		return -EPROTO;
	*ret_op = op;
	*ret_id = id;
	return 0;
}

static void put_reply_field(struct cbor_w *w, const struct fsd_reply *p, enum reply_field f)
{
	switch (f) {
	case R_END: break;
	case R_NODE: cbor_w_uint(w, p->node); break;
	case R_ATTR: put_attr(w, &p->attr); break;
	case R_FLAGS: cbor_w_uint(w, p->flags); break;
	case R_SIZE: cbor_w_uint(w, p->size); break;
	case R_COOKIE: cbor_w_uint(w, p->cookie); break;
	case R_VALUE: put_str(w, &p->value); break;
	case R_STATFS:
		cbor_w_array(w, 8);
		cbor_w_uint(w, p->statfs.bsize);
		cbor_w_uint(w, p->statfs.blocks);
		cbor_w_uint(w, p->statfs.bfree);
		cbor_w_uint(w, p->statfs.bavail);
		cbor_w_uint(w, p->statfs.files);
		cbor_w_uint(w, p->statfs.ffree);
		cbor_w_uint(w, p->statfs.namelen);
		cbor_w_uint(w, p->statfs.frsize);
		break;
	case R_WALKED:
		cbor_w_array(w, p->walked_count);
		for (size_t i = 0; i < p->walked_count; i++) {
			cbor_w_array(w, 2);
			cbor_w_uint(w, p->walked[i].node);
			put_attr(w, &p->walked[i].attr);
		}
		break;
	}
}

static void get_reply_field(struct cbor_r *r, struct fsd_reply *p, enum reply_field f)
{
	uint64_t *sf[8] = {&p->statfs.bsize, &p->statfs.blocks, &p->statfs.bfree,   &p->statfs.bavail,
			   &p->statfs.files, &p->statfs.ffree,  &p->statfs.namelen, &p->statfs.frsize};

	switch (f) {
	case R_END: break;
	case R_NODE: p->node = cbor_r_uint(r, UINT64_MAX); break;
	case R_ATTR: get_attr(r, &p->attr); break;
	case R_FLAGS: p->flags = (uint32_t)cbor_r_uint(r, UINT32_MAX); break;
	case R_SIZE: p->size = cbor_r_uint(r, INT64_MAX); break;
	case R_COOKIE: p->cookie = cbor_r_uint(r, INT32_MAX); break;
	case R_VALUE: get_str(r, &p->value, FSD_VALUE_MAX); break;
	case R_STATFS:
		expect_array(r, 8);
		for (int i = 0; i < 8; i++)
			*sf[i] = cbor_r_uint(r, UINT64_MAX);
		break;
	case R_WALKED:
		p->walked_count = cbor_r_array(r, FSD_WALK_MAX);
		for (size_t i = 0; i < p->walked_count && !r->error; i++) {
			expect_array(r, 2);
			p->walked[i].node = cbor_r_uint(r, UINT64_MAX);
			get_attr(r, &p->walked[i].attr);
		}
		break;
	}
}

/* Only a walk that failed half-way has fields beside its error. */
static bool has_fields(uint32_t op, uint32_t err)
{
	return !err || op == FSD_WALK;
}

long fsd_reply_encode(const struct fsd_reply *rep, void *buf, size_t size)
{
	const struct fsd_msg *m;
	struct cbor_w w;
	size_t n;

	if (!rep->op || rep->op >= FSD_OP_COUNT || rep->walked_count > FSD_WALK_MAX)
		return -EINVAL;
	m = &messages[rep->op];
	n = has_fields(rep->op, rep->err) ? field_count(m->reply, ARRAY_SIZE(m->reply)) : 0;
	cbor_w_init(&w, buf, size);
	cbor_w_array(&w, 3 + n);
	cbor_w_uint(&w, rep->op);
	cbor_w_uint(&w, rep->id);
	cbor_w_uint(&w, rep->err);
	for (size_t i = 0; i < n; i++)
		put_reply_field(&w, rep, m->reply[i]);
	return cbor_w_done(&w);
}

int fsd_reply_decode(struct fsd_reply *rep, const void *buf, size_t size)
{
	const struct fsd_msg *m;
	struct cbor_r r;
	size_t items, n;

	rep->walked_count = 0;
	cbor_r_init(&r, buf, size);
	items = cbor_r_array(&r, 3 + ARRAY_SIZE(m->reply));
	rep->op = (uint32_t)cbor_r_uint(&r, FSD_OP_COUNT - 1);
	rep->id = cbor_r_uint(&r, UINT64_MAX);
	rep->err = (uint32_t)cbor_r_uint(&r, 4095);
	if (r.error || !rep->op)
		return -EPROTO;
	m = &messages[rep->op];
	n = has_fields(rep->op, rep->err) ? field_count(m->reply, ARRAY_SIZE(m->reply)) : 0;
	if (items != 3 + n)
		return -EPROTO;
	for (size_t i = 0; i < n; i++)
		get_reply_field(&r, rep, m->reply[i]);
	return cbor_r_done(&r);
}

/* [op, id, 0, node, cookie, flags, count] and then the entries, behind the array and not in it:
 * the count is not known before the last entry, and a CBOR sequence needs no patching. */
#define DIR_HEADER 64

void fsd_dir_start(struct fsd_dir_writer *d, void *buf, size_t size)
{
	cbor_w_init(&d->w, (uint8_t *)buf + DIR_HEADER, size - DIR_HEADER);
	d->count = 0;
}

bool fsd_dir_add(struct fsd_dir_writer *d, const struct fsd_dirent *e)
{
	size_t used = d->w.used;

	cbor_w_array(&d->w, e->has_attr ? 5 : 4);
	put_str(&d->w, &e->name);
	cbor_w_uint(&d->w, e->ino);
	cbor_w_uint(&d->w, e->cookie);
	cbor_w_uint(&d->w, e->type);
	if (e->has_attr)
		put_attr(&d->w, &e->attr);
	if (d->w.failed) {
		d->w.used = used;
		d->w.failed = false;
		return false;
	}
	d->count++;
	return true;
}

size_t fsd_dir_finish(struct fsd_dir_writer *d, uint64_t id, uint64_t node, uint64_t cookie,
		      uint32_t flags, uint8_t **ret_msg)
{
	uint8_t head[DIR_HEADER];
	struct cbor_w w;

	cbor_w_init(&w, head, sizeof(head));
	cbor_w_array(&w, 7);
	cbor_w_uint(&w, FSD_READDIR);
	cbor_w_uint(&w, id);
	cbor_w_uint(&w, 0);
	cbor_w_uint(&w, node);
	cbor_w_uint(&w, cookie);
	cbor_w_uint(&w, flags);
	cbor_w_uint(&w, d->count);
	*ret_msg = d->w.buf - w.used;
	memcpy(*ret_msg, head, w.used);
	return w.used + d->w.used;
}

int fsd_dir_open(struct fsd_dir_reader *d, const void *buf, size_t size)
{
	size_t items;
	uint32_t op, err;

	cbor_r_init(&d->r, buf, size);
	items = cbor_r_array(&d->r, 7);
	op = (uint32_t)cbor_r_uint(&d->r, FSD_OP_COUNT - 1);
	cbor_r_uint(&d->r, UINT64_MAX);
	err = (uint32_t)cbor_r_uint(&d->r, 4095);
	if (d->r.error || op != FSD_READDIR)
		return -EPROTO;
	if (err)
		return items == 3 ? -(int)err : -EPROTO;
	if (items != 7)
		return -EPROTO;
	d->node = cbor_r_uint(&d->r, UINT64_MAX);
	d->cookie = cbor_r_uint(&d->r, INT64_MAX);
	d->flags = (uint32_t)cbor_r_uint(&d->r, UINT32_MAX);
	d->count = (uint32_t)cbor_r_uint(&d->r, FSD_READDIR_MAX);
	return d->r.error;
}

int fsd_dir_next(struct fsd_dir_reader *d, struct fsd_dirent *e)
{
	size_t items;

	if (d->r.error)
		return d->r.error;
	if (!d->count)
		return cbor_r_done(&d->r);
	d->count--;
	items = cbor_r_array(&d->r, 5);
	if (items != 4 && items != 5 && !d->r.error)
		d->r.error = -EPROTO;
	get_name(&d->r, &e->name);
	e->ino = cbor_r_uint(&d->r, UINT64_MAX);
	e->cookie = cbor_r_uint(&d->r, INT64_MAX);
	e->type = (uint32_t)cbor_r_uint(&d->r, 15);
	e->has_attr = items == 5;
	if (e->has_attr)
		get_attr(&d->r, &e->attr);
	return d->r.error ? d->r.error : 1;
}
