/* Donated descriptors: kept after the last close of a file, so that opening it again needs nobody; closed in
 * order of last use when there are many. */
#include <errno.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/util.h"
#include "services/sysd/fs/gofer/private.h"
#include "services/sysd/mm/mmap_req.h"

#define FDS_DEFAULT 256u
#define FDS_MAX 8192u

static struct list lru = LIST_INIT(lru);
static unsigned fds_max = FDS_DEFAULT, fds_open;

void gofer_fds_init(void)
{
	struct rlimit rl;

	/* The rest is for memory files, memd's lending, and what the guest passes around. */
	if (getrlimit(RLIMIT_NOFILE, &rl) == 0)
		fds_max = (unsigned)MIN((uint64_t)rl.rlim_cur / 2, (uint64_t)FDS_MAX);
}

static void close_one(int *fd)
{
	if (*fd < 0)
		return;
	close_fd(fd);
	fds_open--;
	gofer_stats.fds_open = fds_open;
}

/* The host takes the close of a descriptor for writing for news. */
static void close_both(struct gofer_inode *gi)
{
	struct gofer_own own;

	close_one(&gi->ro_fd);
	if (gi->rw_fd < 0)
		return;
	own_begin(&own);
	own_inode(&own, gi->vfs, IN_CLOSE_WRITE);
	close_one(&gi->rw_fd);
	own_end(&own, 0);
}

void gofer_close_fds(struct inode *inode)
{
	struct gofer_inode *gi = gofer_i(inode);

	close_both(gi);
	list_del(&gi->lru);
	if (gi->ro_object)
		mmap_object_forget(gi->ro_object);
	if (gi->rw_object)
		mmap_object_forget(gi->rw_object);
	gi->ro_object = gi->rw_object = 0;
}

static void trim(void)
{
	struct gofer_inode *gi, *tmp;
	unsigned looked = 0;

	if (fds_open < fds_max)
		return;
	LIST_FOR_EACH_SAFE(gi, tmp, &lru, lru) {
		if (fds_open < fds_max || ++looked > 64)
			return;
		/* What lost its name cannot be opened again. */
		if (gi->busy || gi->pinned || gi->unlinked || !gi->vfs->nlink) {
			list_del(&gi->lru);
			list_add_tail(&lru, &gi->lru);
			continue;
		}
		close_both(gi);
		list_del(&gi->lru);
		gofer_stats.fds_evicted++;
	}
}

void gofer_adopt_fd(struct inode *inode, int fd, bool write)
{
	struct gofer_inode *gi = gofer_i(inode);
	int *slot = write ? &gi->rw_fd : &gi->ro_fd;

	if (*slot >= 0) { /* another task was faster */
		struct gofer_own own;

		own_begin(&own);
		own_inode(&own, inode, IN_CLOSE_WRITE);
		close(fd);
		own_end(&own, 0);
		return;
	}
	if (write && gofer_alias(inode))
		gi->name_hash = gofer_alias(inode)->hash;
	trim();
	*slot = fd;
	gofer_stats.fds_open = ++fds_open;
	if (list_empty(&gi->lru))
		list_add_tail(&lru, &gi->lru);
}

static int ask(struct inode *inode, bool write)
{
	struct gofer_inode *gi = gofer_i(inode);
	struct fsd_req q = {.op = FSD_OPEN, .flags = write ? FSD_OPEN_WRITE : 0};
	struct gofer_call c;
	struct stat st;
	int ret = gofer_inode_call(inode, &c, &q);

	if (!ret && (fstat(c.fd, &st) < 0 || (uint64_t)st.st_ino != gi->ino))
		ret = -ESTALE; /* another file has the name now */
	if (!ret) {
		gofer_stats.opens++;
		if (gofer_shared(inode))
			gofer_apply(inode, &c.rep.attr);
		gofer_adopt_fd(inode, STEAL_FD(c.fd), write);
	}
	gofer_call_done(&c);
	return ret;
}

int gofer_connect_socket(struct inode *inode, int *ret_fd)
{
	struct fsd_req q = {.op = FSD_CONNECT};
	struct gofer_call c;
	int ret = gofer_inode_call(inode, &c, &q);

	if (!ret)
		*ret_fd = STEAL_FD(c.fd);
	gofer_call_done(&c);
	return ret == -ESTALE ? -ECONNREFUSED : ret;
}

static void touch(struct gofer_inode *gi)
{
	if (lru.prev != &gi->lru) {
		list_del(&gi->lru);
		list_add_tail(&lru, &gi->lru);
	}
}

int gofer_get_fd(struct inode *inode, bool write)
{
	struct gofer_inode *gi = gofer_i(inode);
	int fd;

	for (;;) {
		fd = gi->rw_fd >= 0 || write ? gi->rw_fd : gi->ro_fd;
		if (fd >= 0)
			break;
		gi->busy++; /* keeps what it has already */
		fd = ask(inode, write);
		gi->busy--;
		if (fd < 0)
			return fd;
	}
	touch(gi);
	gi->busy++;
	return fd;
}

int gofer_get_ro_fd(struct inode *inode)
{
	struct gofer_inode *gi = gofer_i(inode);

	while (gi->ro_fd < 0) {
		int ret;

		gi->busy++;
		ret = ask(inode, false);
		gi->busy--;
		if (ret < 0)
			return ret;
	}
	touch(gi);
	gi->busy++;
	return gi->ro_fd;
}
