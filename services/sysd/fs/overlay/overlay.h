/* The overlay file system: read-only layers below, a writable one (tmpfs) on top. */
#ifndef SYSD_FS_OVERLAY_OVERLAY_H
#define SYSD_FS_OVERLAY_OVERLAY_H

#include <stdint.h>

struct super_block;

/* An overlay over `count` lower file systems, the topmost first (references are taken), with an upper
 * layer in memory of at most upper_size bytes (0: the default of tmpfs). Sleeps. 0 or -errno. */
int overlay_mount(struct super_block *const *lower, unsigned count, uint64_t upper_size,
		  struct super_block **ret_sb);
void overlay_init(void);

#endif
