/* All tasks and thread groups, found by id. Ids are given in sequence and wrap at pid_max; one that is
 * still a process group or session is not reused. */
#include "common/base/util.h"
#include "services/sysd/sys/sysctl.h"
#include "services/sysd/task/internal.h"

#define HASH_SIZE 1024u
#define RESERVED_IDS 300u

static struct list tasks = LIST_INIT(tasks), signals = LIST_INIT(signals);
static struct list hash[HASH_SIZE];
static unsigned task_count;
static uint32_t last_id;
static bool wrapped;

static struct list *bucket(uint32_t tid)
{
	struct list *b = &hash[tid % HASH_SIZE];

	if (!b->next)
		list_init(b);
	return b;
}

struct list *task_all(void)
{
	return &tasks;
}

struct list *signal_all(void)
{
	return &signals;
}

struct task *task_find(uint32_t tid)
{
	struct task *t;

	LIST_FOR_EACH (t, bucket(tid), hash_node)
		if (t->tid == tid)
			return t;
	return NULL;
}

struct signal *signal_find(uint32_t pid)
{
	struct task *t = task_find(pid);

	return t && t->signal->pid == pid ? t->signal : NULL;
}

struct signal *init_signal(void)
{
	return signal_find(1);
}

static bool in_use(uint32_t id)
{
	struct signal *sig;

	if (task_find(id))
		return true;
	if (!wrapped)
		return false;
	LIST_FOR_EACH (sig, &signals, all_node)
		if (sig->pid == id || sig->pgid == id || sig->sid == id)
			return true;
	return false;
}

uint32_t tid_alloc(uint32_t want)
{
	uint32_t max = (uint32_t)MAX(MIN(sysctl_pid_max, (int64_t)SYSCTL_PID_MAX_LIMIT),
				     (int64_t)RESERVED_IDS + 1);

	if (want)
		return want < max && !in_use(want) ? want : 0;
	for (uint32_t tries = 0; tries < max; tries++) {
		if (++last_id >= max) {
			last_id = RESERVED_IDS;
			wrapped = true;
		}
		if (!in_use(last_id))
			return last_id;
	}
	return 0;
}

void registry_add_task(struct task *t)
{
	list_add_tail(&tasks, &t->all_node);
	list_add(bucket(t->tid), &t->hash_node);
	task_count++;
}

void registry_remove_task(struct task *t)
{
	list_del(&t->all_node);
	list_del(&t->hash_node);
	task_count--;
}

void registry_add_signal(struct signal *sig)
{
	list_add_tail(&signals, &sig->all_node);
}

void registry_swap_ids(struct task *a, struct task *b)
{
	uint32_t id = a->tid;

	list_del(&a->hash_node);
	list_del(&b->hash_node);
	a->tid = b->tid;
	b->tid = id;
	list_add(bucket(a->tid), &a->hash_node);
	list_add(bucket(b->tid), &b->hash_node);
}

unsigned registry_task_count(void)
{
	return task_count;
}
