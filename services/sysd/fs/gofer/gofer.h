/* The gofer file system: files of the host, through fsd. */
#ifndef SYSD_FS_GOFER_GOFER_H
#define SYSD_FS_GOFER_GOFER_H

#include <stdbool.h>
#include <stdint.h>

struct super_block;

struct gofer_options {
	bool readonly;     /* fsd refuses writes too, by its own flag of the mount */
	bool shared;       /* somebody else changes the files: revalidate */
	uint32_t attr_timeout_ms; /* shared: how long attributes are believed; 0: not at all */
};

/* Connects to fsd: a ring and the descriptor-passing socket (SYSD_FD_FSD_*), which stay the
 * caller's. Call once, on the executor's stack, before the first mount. Registers the file system type
 * "gofer" as well (source "N", data "ro,shared"). 0 or -errno. */
int gofer_connect(int ring_fd, int pass_fd);
/* A file system over mount `index` of fsd. Its root's dentry is (*ret_sb)->root. Sleeps: needs a
 * strand. 0 or -errno. */
int gofer_mount(uint32_t index, const struct gofer_options *opt, struct super_block **ret_sb);

/* fsd died and was started anew; takes the descriptors, also on failure. Requests under way are sent again
 * by who waits for them (address.c); nodes are walked again by name at their next use. */
int gofer_reconnect(int ring_fd, int pass_fd);

/* Changes that the guest has made and fsd perhaps not yet: are there any? Waits for them (on a strand). */
bool gofer_unsettled(void);
void gofer_settle(void);

struct gofer_stats {
	uint64_t requests, later, lookups, opens, readdirs, fds_open, fds_evicted;
};
const struct gofer_stats *gofer_get_stats(void);

#endif
