/* System V shared memory. A segment is a memory file; its descriptor is lent to the guest process that
 * attaches it. Who has it mapped is the host's knowledge (munmap and exit do not come by here), so the
 * number of attachments is counted in the processes' maps when somebody asks. */
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include "common/base/util.h"
#include "services/sysd/fs/memfd/backing.h"
#include "services/sysd/fs/proc/seqbuf.h"
#include "services/sysd/ipc/ipc_ns.h"
#include "services/sysd/ipc/ipc_proc.h"
#include "services/sysd/mm/mm.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/sys/sysctl.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/task.h"
#include "services/sysd/vfs/file.h"
#include "services/sysd/vfs/inode.h"

struct shm {
	struct ipc_perm perm; /* must be first; ABI_SHM_DEST and _LOCKED in mode */
	uint64_t size;
	int64_t atime, dtime, ctime;
	uint32_t cpid, lpid;
	struct backing mem;
	struct file *file;    /* names it in maps */
};

static int shm_open_file(struct inode *inode, struct file *file)
{
	return -ENXIO;
}

/* Marks the inode of a segment, which cannot be opened by its name in maps. */
static const struct file_ops shm_fops = {.open = shm_open_file};

static void shm_free(struct ipc_perm *p)
{
	struct shm *shm = (struct shm *)p;

	file_unref(shm->file);
	backing_done(&shm->mem);
	free(shm);
}

static struct ipc_ids *ids_of(struct task *t)
{
	return &ipc_ns_of(t)->ids[IPC_SHM];
}

/* ---- who is attached ---------------------------------------------------------------------- */

struct count_arg {
	const struct dentry *dentry;
	uint64_t count, rss, last_end, last_off;
};

static int count_region(const struct mm_region *r, void *arg)
{
	struct count_arg *c = arg;

	if (!r->path || r->path->dentry != c->dentry)
		return 0;
	/* pieces that mprotect or munmap made of one attachment count once */
	if (!c->last_end || r->offset - c->last_off != r->start - c->last_end)
		c->count++;
	c->last_end = r->end;
	c->last_off = r->offset + (r->end - r->start);
	return 0;
}

/* Sleeps. */
static uint64_t count_attached(const struct shm *shm)
{
	struct mm *mms[256];
	struct count_arg c = {.dentry = shm->file->path.dentry};
	struct signal *sig;
	unsigned n = 0;

	LIST_FOR_EACH (sig, signal_all(), all_node) {
		struct task *t = sig->leader;

		if (t && t->mm && !t->vfork_borrowed && t->mm->hp && !t->mm->hp->dead && n < ARRAY_SIZE(mms))
			mms[n++] = mm_ref(t->mm);
	}
	for (unsigned i = 0; i < n; i++) {
		c.last_end = 0;
		mm_walk(mms[i], false, count_region, &c);
		mm_unref(mms[i]);
	}
	return c.count;
}

/* A segment marked for destruction goes with its last attachment. Sleeps; true: it is gone. */
static bool reap(struct ipc_ids *ids, struct shm *shm)
{
	bool gone;

	if (!(shm->perm.mode & ABI_SHM_DEST))
		return false;
	ipc_get(&shm->perm);
	gone = shm->perm.deleted || !count_attached(shm);
	if (gone && !shm->perm.deleted)
		ipc_remove(ids, &shm->perm);
	ipc_put(&shm->perm);
	return gone;
}

/* Of those whose processes ended without shmdt. Sleeps. */
static void reap_all(struct ipc_ids *ids)
{
	for (unsigned i = 0; i < ids->count; i++)
		if (ids->slot[i])
			reap(ids, (struct shm *)ids->slot[i]);
}

/* ---- calls -------------------------------------------------------------------------------- */

static int shm_create(struct task *t, int32_t key, uint64_t size, int flags)
{
	struct ipc_ids *ids = ids_of(t);
	struct shm *shm;
	char name[32];
	int err;

	if (size < 1 || size > (uint64_t)sysctl_shmmax || ALIGN_UP(size, SBX_PAGE_SIZE) < size)
		return -EINVAL;
	if (flags & ABI_SHM_HUGETLB)
		return -ENOMEM; /* no huge page is reserved */
	reap_all(ids);
	shm = calloc(1, sizeof(*shm));
	if (!shm)
		return -ENOMEM;
	backing_init(&shm->mem);
	snprintf(name, sizeof(name), "/SYSV%08x (deleted)", (unsigned)key);
	err = backing_truncate(&shm->mem, ALIGN_UP(size, SBX_PAGE_SIZE));
	if (!err)
		err = file_new_anon(name, S_IFREG | (flags & 0777), &shm_fops, O_RDWR, NULL, &shm->file);
	shm->perm.free = shm_free;
	shm->size = size;
	shm->cpid = t->signal->pid;
	shm->ctime = ipc_time();
	if (!err)
		err = ipc_add(ids, &shm->perm, key, (uint32_t)flags, t, (unsigned)sysctl_shmmni);
	if (err) {
		if (shm->file)
			file_unref(shm->file);
		backing_done(&shm->mem);
		free(shm);
		return err;
	}
	shm->file->inode->ino = (uint64_t)shm->perm.id;
	return shm->perm.id;
}

SYS_HANDLER(shmget)
{
	struct ipc_perm *p;
	struct shm *shm;
	int flags = (int)a[2];
	int ret = ipc_get_common(ids_of(t), t, (int32_t)a[0], flags, &p);

	if (ret > 0)
		return shm_create(t, (int32_t)a[0], a[1], flags);
	if (ret < 0)
		return ret;
	shm = (struct shm *)p;
	if (a[1] > shm->size)
		return -EINVAL;
	return ipc_permitted(t, p, flags & 0777) ? p->id : -EACCES;
}

SYS_HANDLER(shmat)
{
	uint64_t addr = a[1], size;
	int flags = (int)a[2], map = MAP_SHARED, prot = PROT_READ;
	struct ipc_ids *ids = ids_of(t);
	struct shm *shm;
	int64_t ret;
	int fd, want = 0444;

	if (addr) {
		if (addr & (SBX_PAGE_SIZE - 1)) {
			if (!(flags & ABI_SHM_RND))
				return -EINVAL;
			addr = ALIGN_DOWN(addr, SBX_PAGE_SIZE);
			if (!addr && flags & ABI_SHM_REMAP)
				return -EINVAL;
		}
		map |= flags & ABI_SHM_REMAP ? MAP_FIXED : MAP_FIXED_NOREPLACE;
	} else if (flags & ABI_SHM_REMAP) {
		return -EINVAL;
	}
	shm = (struct shm *)ipc_find(ids, (int32_t)a[0]);
	if (!shm)
		return -EINVAL;
	if (!(flags & ABI_SHM_RDONLY)) {
		prot |= PROT_WRITE;
		want |= 0222;
	}
	if (flags & ABI_SHM_EXEC) {
		prot |= PROT_EXEC;
		want |= 0111;
	}
	if (!ipc_permitted(t, &shm->perm, want))
		return -EACCES;
	ipc_get(&shm->perm);
	if (reap(ids, shm)) {
		ipc_put(&shm->perm);
		return -EIDRM;
	}
	size = ALIGN_UP(shm->size, SBX_PAGE_SIZE);
	fd = backing_host_fd(&shm->mem);
	if (addr && addr + size < addr)
		ret = -EINVAL;
	else if (fd < 0)
		ret = fd;
	else
		ret = mm_map_host_fd(t, addr, size, (uint32_t)prot, (uint32_t)map, fd, 0, shm->mem.object_id,
				     true, &shm->file->path);
	if (ret == -EEXIST)
		ret = -EINVAL;
	if (ret >= 0 || ret < -4095) {
		shm->atime = ipc_time();
		shm->lpid = t->signal->pid;
	}
	ipc_put(&shm->perm);
	return ret;
}

struct detach {
	uint64_t addr;
	const struct dentry *dentry;
	struct {
		uint64_t start, size;
	} piece[64];
	unsigned count;
};

static int find_pieces(const struct mm_region *r, void *arg)
{
	struct detach *d = arg;

	if (r->start < d->addr || !r->path || !r->path->dentry->inode ||
	    r->path->dentry->inode->fop != &shm_fops || r->start - d->addr != r->offset)
		return 0;
	/* the first piece says which segment it is */
	if (!d->dentry)
		d->dentry = r->path->dentry;
	if (r->path->dentry != d->dentry || d->count == ARRAY_SIZE(d->piece))
		return d->count == ARRAY_SIZE(d->piece);
	d->piece[d->count].start = r->start;
	d->piece[d->count++].size = r->end - r->start;
	return 0;
}

SYS_HANDLER(shmdt)
{
	struct detach d = {.addr = a[0]};
	struct ipc_ids *ids = ids_of(t);

	if (a[0] & (SBX_PAGE_SIZE - 1))
		return -EINVAL;
	mm_walk(t->mm, false, find_pieces, &d);
	if (!d.count)
		return -EINVAL;
	for (unsigned i = 0; i < d.count; i++)
		mm_unmap(t, d.piece[i].start, d.piece[i].size);
	for (unsigned i = 0; i < ids->count; i++) {
		struct shm *shm = (struct shm *)ids->slot[i];

		if (!shm || shm->file->path.dentry != d.dentry)
			continue;
		shm->dtime = ipc_time();
		shm->lpid = t->signal->pid;
		reap(ids, shm);
		break;
	}
	return 0;
}

static long shm_stat(struct task *t, int id, int cmd, uint64_t ubuf)
{
	struct ipc_ids *ids = ids_of(t);
	struct abi_shmid64_ds ds = {0};
	struct shm *shm = (struct shm *)(cmd == ABI_IPC_STAT ? ipc_find(ids, id) : ipc_at(ids, id));
	long ret;

	if (!shm)
		return -EINVAL;
	if (cmd != ABI_SHM_STAT_ANY && !ipc_permitted(t, &shm->perm, 0444))
		return -EACCES;
	ipc_get(&shm->perm);
	if (reap(ids, shm)) {
		ipc_put(&shm->perm);
		return cmd == ABI_IPC_STAT ? -EIDRM : -EINVAL;
	}
	ds.nattch = count_attached(shm);
	ipc_perm_out(&shm->perm, &ds.perm);
	ds.segsz = shm->size;
	ds.atime = shm->atime;
	ds.dtime = shm->dtime;
	ds.ctime = shm->ctime;
	ds.cpid = (int32_t)shm->cpid;
	ds.lpid = (int32_t)shm->lpid;
	ret = cmd == ABI_IPC_STAT ? 0 : shm->perm.id;
	ipc_put(&shm->perm);
	return user_put(t, ds, ubuf) ? -EFAULT : ret;
}

static long shm_info(struct task *t, int cmd, uint64_t ubuf)
{
	struct ipc_ids *ids = ids_of(t);
	struct abi_shminfo64 limits = {(uint64_t)sysctl_shmmax, 1, (uint64_t)sysctl_shmmni,
				       (uint64_t)sysctl_shmmni, (uint64_t)sysctl_shmall, {0}};
	struct abi_shm_info info = {.used_ids = (int32_t)ids->used};

	reap_all(ids);
	if (cmd == ABI_IPC_INFO)
		return user_put(t, limits, ubuf) ? -EFAULT : ipc_highest(ids);
	for (unsigned i = 0; i < ids->count; i++) {
		struct shm *shm = (struct shm *)ids->slot[i];

		if (!shm)
			continue;
		info.tot += ALIGN_UP(shm->size, SBX_PAGE_SIZE) / SBX_PAGE_SIZE;
		info.rss += backing_allocated(&shm->mem) / SBX_PAGE_SIZE;
	}
	return user_put(t, info, ubuf) ? -EFAULT : ipc_highest(ids);
}

static long shm_change(struct task *t, int id, int cmd, uint64_t ubuf)
{
	struct ipc_ids *ids = ids_of(t);
	struct abi_shmid64_ds ds;
	struct shm *shm;

	if (cmd == ABI_IPC_SET && user_get(t, ds, ubuf))
		return -EFAULT;
	shm = (struct shm *)ipc_find(ids, id);
	if (!shm)
		return -EINVAL;
	if (cmd == ABI_SHM_LOCK || cmd == ABI_SHM_UNLOCK) {
		if (!capable(t, CAP_IPC_LOCK) &&
		    (!ipc_owner(t, &shm->perm) ||
		     (cmd == ABI_SHM_LOCK && !t->signal->rlim[RLIMIT_MEMLOCK].rlim_cur)))
			return -EPERM;
		/* memory of a sandbox is never written to swap by name; the mark is all there is */
		if (cmd == ABI_SHM_LOCK)
			shm->perm.mode |= ABI_SHM_LOCKED;
		else
			shm->perm.mode &= ~(uint32_t)ABI_SHM_LOCKED;
		return 0;
	}
	if (!ipc_owner(t, &shm->perm))
		return -EPERM;
	if (cmd == ABI_IPC_SET) {
		ipc_perm_set(&shm->perm, &ds.perm);
		shm->ctime = ipc_time();
		return 0;
	}
	shm->perm.mode |= ABI_SHM_DEST;
	shm->perm.key = ABI_IPC_PRIVATE;
	reap(ids, shm);
	return 0;
}

SYS_HANDLER(shmctl)
{
	int id = (int)a[0], cmd = (int)a[1];

	if (id < 0 || cmd < 0)
		return -EINVAL;
	switch (cmd) {
	case ABI_IPC_STAT:
	case ABI_SHM_STAT:
	case ABI_SHM_STAT_ANY:
		return shm_stat(t, id, cmd, a[2]);
	case ABI_IPC_INFO:
	case ABI_SHM_INFO:
		return shm_info(t, cmd, a[2]);
	case ABI_IPC_SET:
	case ABI_IPC_RMID:
	case ABI_SHM_LOCK:
	case ABI_SHM_UNLOCK:
		return shm_change(t, id, cmd, a[2]);
	}
	return -EINVAL;
}

int proc_show_sysvipc_shm(struct seqbuf *s, struct task *t, const struct proc_inode *pi)
{
	struct task *cur = current_task();
	struct ipc_ids *ids;

	seq_puts(s, "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid"
		    "      atime      dtime      ctime                   rss                  swap\n");
	if (!cur)
		return 0;
	ids = ids_of(cur);
	reap_all(ids);
	for (unsigned i = 0; i < ids->count; i++) {
		struct shm *shm = (struct shm *)ids->slot[i];
		uint64_t attached;

		if (!shm)
			continue;
		ipc_get(&shm->perm);
		attached = count_attached(shm);
		seq_printf(s, "%10d %10d  %4o %21llu %5u %5u  %5llu %5u %5u %5u %5u %10lld %10lld %10lld %21llu %21llu\n",
			   shm->perm.key, shm->perm.id, shm->perm.mode, (unsigned long long)shm->size,
			   shm->cpid, shm->lpid, (unsigned long long)attached, shm->perm.uid, shm->perm.gid,
			   shm->perm.cuid, shm->perm.cgid, (long long)shm->atime, (long long)shm->dtime,
			   (long long)shm->ctime, (unsigned long long)backing_allocated(&shm->mem), 0ull);
		ipc_put(&shm->perm);
	}
	return 0;
}
