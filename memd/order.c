/* What sysd ordered and the guest processes have not done yet. */
#include "common/log/log.h"
#include "memd/memd.h"

int order_add_map(struct memd *m, struct proc *p, const struct memd_msg *msg, int fd)
{
	if (p->order_count >= MAP_ORDERS_PER_PROC) {
		/* The oldest will not come true any more: sysd never has so many at once. */
		order_free_map(LIST_FIRST(&p->orders, struct map_order, proc_node));
	}
	struct map_order *o = calloc(1, sizeof(*o));

	if (!o)
		return -ENOMEM;
	o->proc = p;
	memcpy(o->args, msg->args, sizeof(o->args));
	o->object = fd >= 0 ? 0 : msg->object;
	o->fd = fd;
	o->writable = msg->writable;
	o->deadline_ns = mono_ns() + ORDER_TIMEOUT_NS;
	list_add_tail(&m->map_orders, &o->node);
	list_add_tail(&p->orders, &o->proc_node);
	p->order_count++;
	return 0;
}

struct map_order *order_find_map(struct proc *p, const uint64_t args[6])
{
	struct map_order *o;

	LIST_FOR_EACH(o, &p->orders, proc_node)
		if (!memcmp(o->args, args, sizeof(o->args)))
			return o;
	return NULL;
}

void order_free_map(struct map_order *o)
{
	if (!o)
		return;
	o->proc->order_count--;
	list_del(&o->node);
	list_del(&o->proc_node);
	close_fd(&o->fd);
	free(o);
}

int order_add_fork(struct memd *m, struct proc *parent, uint32_t cookie, bool blank, struct slots *slots)
{
	if (m->fork_order_count >= FORK_ORDERS_MAX)
		return -EAGAIN;
	if (order_find_fork(m, cookie))
		return -EEXIST;
	struct fork_order *o = calloc(1, sizeof(*o));

	if (!o)
		return -ENOMEM;
	o->parent_id = parent->id;
	o->cookie = cookie;
	o->blank = blank;
	o->slots = slots;
	o->deadline_ns = mono_ns() + ORDER_TIMEOUT_NS;
	list_add_tail(&m->fork_orders, &o->node);
	m->fork_order_count++;
	return 0;
}

struct fork_order *order_find_fork(struct memd *m, uint32_t cookie)
{
	struct fork_order *o;

	LIST_FOR_EACH(o, &m->fork_orders, node)
		if (o->cookie == cookie)
			return o;
	return NULL;
}

void order_free_fork(struct memd *m, struct fork_order *o)
{
	if (!o)
		return;
	if (o->cloned && (!o->child_came || o->clones > 1))
		m->strays = true;
	list_del(&o->node);
	m->fork_order_count--;
	if (o->blank)
		slots_lose(m, o->slots);
	else
		slots_free(o->slots);
	free(o);
}

uint64_t order_expire(struct memd *m, uint64_t now_ns)
{
	uint64_t next = UINT64_MAX;

	while (!list_empty(&m->map_orders)) {
		struct map_order *o = LIST_FIRST(&m->map_orders, struct map_order, node);

		if (o->deadline_ns > now_ns) {
			next = o->deadline_ns;
			break;
		}
		log_debug("process %d: an ordered mapping never came", o->proc->pid);
		order_free_map(o);
	}
	while (!list_empty(&m->fork_orders)) {
		struct fork_order *o = LIST_FIRST(&m->fork_orders, struct fork_order, node);

		if (o->deadline_ns > now_ns) {
			next = MIN(next, o->deadline_ns);
			break;
		}
		log_debug("an ordered fork never came");
		if (o->blank) {
			m->blank_pending -= m->blank_pending > 0;
			m->refill_at_ns = now_ns + 1000000000ull;
		} else if (!o->cancelled) {
			memd_send(m, &(struct memd_msg){.kind = MEMD_FORKED, .cookie = o->cookie,
							.error = -ETIMEDOUT});
		}
		order_free_fork(m, o);
	}
	return next;
}
