/* A guest address space. The mappings themselves are the host process's; this keeps what only the
 * guest knows: where the heap and the stack are, which file stands where, how it was started. */
#ifndef SYSD_MM_MM_H
#define SYSD_MM_MM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "common/base/list.h"
#include "services/sysd/platform/hthread.h"

struct task;
struct file;
struct inode;
struct path;

struct mm {
	unsigned refs;          /* tasks that share it */
	uint64_t serial;        /* no other has had it */
	struct hprocess *hp;
	uint64_t start_code, end_code, start_data, end_data;
	uint64_t start_brk, brk, start_stack, stack_end;
	uint64_t arg_start, arg_end, env_start, env_end;
	uint64_t vdso_base, entry;
	uint64_t auxv[64];      /* pairs, ended by AT_NULL */
	unsigned auxv_count;
	struct list file_vmas;  /* mm/vma.h: file mappings, to name them in maps */
	unsigned file_vma_count;
	uint64_t file_vma_serial;
	unsigned file_vma_prune; /* at this count stale ones are looked for; 0: the default */
	struct mm_whole {       /* a private file mapping that nobody has changed or written to since: mmap.c */
		uint64_t start, end, offset, object_id;
		uint32_t changes; /* slot.map_changes when it was made */
	} whole;
	int maps_fd;            /* the host's maps of hp, -1: not opened yet */
	struct list aio_contexts; /* aio/private.h; not inherited */
	struct inode *exe_inode;/* a reference; writing to it is denied (ETXTBSY) while it runs */
};

struct mm *mm_new(struct hprocess *hp);
struct mm *mm_ref(struct mm *mm);
/* The last reference orders memd to end the host process. May sleep. */
void mm_unref(struct mm *mm);
/* The program that runs in mm, for once. */
void mm_deny_write(struct mm *mm, struct inode *inode);

/* fork(2): what a child with a copy of t's memory needs, but for its host process: t's host thread is to clone that, by
 * mm_fork_now or hthread_reply_fork. The child's host thread has t's index (hthread_new_forked). Sleeps. Returns 0,
 * -EAGAIN or -ENOMEM. */
int mm_fork(struct task *t, struct mm **ret_mm, struct hthread **ret_child_ht);
/* Has t's host thread clone it, and waits until it has. 0, -EAGAIN or -ENOMEM, as fork(2) says it. */
int mm_fork_now(struct task *t, const struct hthread *child_ht);
/* The same of a clone's result as the host thread tells it. */
int mm_fork_result(int64_t op_ret);
/* A further host thread in t's process, whose HELLO is due. */
int mm_clone_thread(struct task *t, struct hthread **ret_child_ht);

/* /proc/PID/maps and its kin: one walk over the mappings in address order. fn returns non-zero to
 * stop. Sleeps. */
struct mm_region {
	uint64_t start, end, offset;
	uint32_t prot, flags;   /* PROT_*, MAP_SHARED or MAP_PRIVATE */
	const struct path *path;/* of the mapped file, no reference; NULL: anonymous */
	const char *name;       /* "[heap]", "[stack]", "[vdso]"..., or NULL */
	uint64_t rss, pss, dirty, locked; /* bytes, only when `stats` was asked */
};
int mm_walk(struct mm *mm, bool stats, int (*fn)(const struct mm_region *r, void *arg), void *arg);
struct mm_usage {
	uint64_t size, rss, shared, locked, text, data, stack, peak_size, peak_rss; /* bytes */
};
int mm_usage(struct mm *mm, struct mm_usage *ret_usage);

/* The guest's limit on a resource changed (RLIMIT_AS, DATA, STACK, MEMLOCK): tells the host. Sleeps. */
void mm_limit_changed(struct mm *mm, unsigned resource, uint64_t soft, uint64_t hard);
/* The same before the first file is mapped into mm; does not sleep. */
void mm_limit_first(struct mm *mm, unsigned resource, uint64_t soft, uint64_t hard);

/* Maps a host descriptor that belongs to no file of the VFS (shared memory segments) into t's memory.
 * addr, size, prot and flags as mmap(2)'s, the descriptor's content from `offset` on. object_id as in
 * mmap_req. `path` (optional) names it in maps. The address or -errno. Sleeps. */
int64_t mm_map_host_fd(struct task *t, uint64_t addr, uint64_t size, uint32_t prot, uint32_t flags,
		       int host_fd, uint64_t offset, uint64_t object_id, bool writable,
		       const struct path *path);
/* Private anonymous memory in t's address space, wherever there is room. The address or -errno. Sleeps. */
int64_t mm_map_anonymous(struct task *t, uint64_t size, uint32_t prot);
/* munmap(2) of t's memory by the kernel itself. */
int64_t mm_unmap(struct task *t, uint64_t addr, uint64_t size);

#endif
