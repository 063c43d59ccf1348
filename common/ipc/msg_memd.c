/* One table says which fields each kind has; encoder and decoder both follow it. */
#include "common/ipc/msg_memd.h"

#include "common/base/util.h"
#include "common/cbor/cursor.h"

enum field {
	F_END = 0,
	F_ERROR, F_REQ, F_COOKIE, F_PID, F_WHAT, F_WRITABLE,
	F_ID, F_OBJECT, F_TICKET, F_TICKET2, F_VALUE, F_VALUE2,
	F_ARGS4, F_ARGS6,
};

static const uint8_t fields[][8] = {
	[MEMD_START] = {F_TICKET, F_TICKET2, F_VALUE},
	[MEMD_FORK] = {F_ID, F_COOKIE, F_OBJECT},
	[MEMD_MAP] = {F_ID, F_OBJECT, F_TICKET, F_WRITABLE, F_ARGS6},
	[MEMD_KILL] = {F_ID, F_WHAT},
	[MEMD_FORGET] = {F_OBJECT},
	[MEMD_OPEN] = {F_REQ, F_ID, F_WHAT},
	[MEMD_LIMIT] = {F_REQ, F_ID, F_WHAT, F_VALUE, F_VALUE2},
	[MEMD_TAKEN] = {F_ID},
	[MEMD_CANCEL] = {F_COOKIE},
	[MEMD_GIVE] = {F_OBJECT, F_WHAT},
	[MEMD_WANT] = {F_VALUE},
	[MEMD_HEAR] = {F_COOKIE},
	[MEMD_UP] = {F_TICKET, F_ARGS4},
	[MEMD_BLANK] = {F_ID, F_PID, F_OBJECT, F_TICKET},
	[MEMD_FORKED] = {F_COOKIE, F_ERROR, F_ID, F_PID},
	[MEMD_DIED] = {F_ID, F_VALUE, F_WHAT, F_OBJECT, F_VALUE2},
	[MEMD_OPENED] = {F_REQ, F_ERROR, F_TICKET},
	[MEMD_DONE] = {F_REQ, F_ERROR},
	[MEMD_SLOTS] = {F_OBJECT, F_TICKET},
};

static bool known(uint8_t kind)
{
	return kind < ARRAY_SIZE(fields) && fields[kind][0] != F_END;
}

static size_t field_count(uint8_t kind)
{
	size_t n = 0;

	for (const uint8_t *f = fields[kind]; *f; f++)
		n += *f == F_ARGS4 ? 4 : *f == F_ARGS6 ? 6 : 1;
	return n;
}

long memd_msg_encode(const struct memd_msg *m, void *buf, size_t size)
{
	struct cbor_w w;

	if (!known(m->kind))
		return -EINVAL;
	cbor_w_init(&w, buf, size);
	cbor_w_array(&w, 1 + field_count(m->kind));
	cbor_w_uint(&w, m->kind);
	for (const uint8_t *f = fields[m->kind]; *f; f++) {
		switch ((enum field)*f) {
		case F_END: break;
		case F_ERROR: cbor_w_int(&w, m->error); break;
		case F_REQ: cbor_w_uint(&w, m->req); break;
		case F_COOKIE: cbor_w_uint(&w, m->cookie); break;
		case F_PID: cbor_w_uint(&w, m->pid); break;
		case F_WHAT: cbor_w_uint(&w, m->what); break;
		case F_WRITABLE: cbor_w_bool(&w, m->writable); break;
		case F_ID: cbor_w_uint(&w, m->id); break;
		case F_OBJECT: cbor_w_uint(&w, m->object); break;
		case F_TICKET: cbor_w_uint(&w, m->ticket); break;
		case F_TICKET2: cbor_w_uint(&w, m->ticket2); break;
		case F_VALUE: cbor_w_uint(&w, m->value); break;
		case F_VALUE2: cbor_w_uint(&w, m->value2); break;
		case F_ARGS4:
		case F_ARGS6:
			for (int i = 0; i < (*f == F_ARGS4 ? 4 : 6); i++)
				cbor_w_uint(&w, m->args[i]);
			break;
		}
	}
	return cbor_w_done(&w);
}

int memd_msg_decode(const void *buf, size_t size, struct memd_msg *ret_msg)
{
	struct memd_msg m = {0};
	struct cbor_r r;
	int64_t error;

	cbor_r_init(&r, buf, size);
	size_t count = cbor_r_array(&r, 16);
	m.kind = (uint8_t)cbor_r_uint(&r, UINT8_MAX);
	if (r.error || !known(m.kind) || count != 1 + field_count(m.kind))
		return -EPROTO;
	for (const uint8_t *f = fields[m.kind]; *f; f++) {
		switch ((enum field)*f) {
		case F_END: break;
		case F_ERROR:
			error = cbor_r_int(&r);
			if (error > 0 || error < -4095)
				return -EPROTO;
			m.error = (int32_t)error;
			break;
		case F_REQ: m.req = (uint32_t)cbor_r_uint(&r, UINT32_MAX); break;
		case F_COOKIE: m.cookie = (uint32_t)cbor_r_uint(&r, UINT32_MAX); break;
		case F_PID: m.pid = (uint32_t)cbor_r_uint(&r, INT32_MAX); break;
		case F_WHAT: m.what = (uint32_t)cbor_r_uint(&r, UINT32_MAX); break;
		case F_WRITABLE: m.writable = cbor_r_bool(&r); break;
		case F_ID: m.id = cbor_r_uint(&r, UINT64_MAX); break;
		case F_OBJECT: m.object = cbor_r_uint(&r, UINT64_MAX); break;
		case F_TICKET: m.ticket = cbor_r_uint(&r, UINT64_MAX); break;
		case F_TICKET2: m.ticket2 = cbor_r_uint(&r, UINT64_MAX); break;
		case F_VALUE: m.value = cbor_r_uint(&r, UINT64_MAX); break;
		case F_VALUE2: m.value2 = cbor_r_uint(&r, UINT64_MAX); break;
		case F_ARGS4:
		case F_ARGS6:
			for (int i = 0; i < (*f == F_ARGS4 ? 4 : 6); i++)
				m.args[i] = cbor_r_uint(&r, UINT64_MAX);
			break;
		}
	}
	if (cbor_r_done(&r))
		return -EPROTO;
	*ret_msg = m;
	return 0;
}
