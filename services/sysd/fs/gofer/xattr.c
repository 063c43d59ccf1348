/* Extended attributes and symbolic links of a gofer mount. That a file has no attributes at all is
 * remembered on exclusive mounts: ls and exec ask for some of every file. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/util.h"
#include "services/sysd/core/clock.h"
#include "services/sysd/fs/gofer/private.h"

#define LINK_AGE_NS 200000000ull

/* fsd serves these only: see xattr_to_host there. */
static bool served(const char *name)
{
	return !strncmp(name, "user.", 5) || !strncmp(name, "security.", 9) || !strncmp(name, "trusted.", 8) ||
	       !strncmp(name, "system.posix_acl_", 17);
}

static ssize_t copy_value(const struct fsd_str *v, void *buf, size_t size)
{
	if (!size)
		return (ssize_t)v->size;
	if (v->size > size)
		return -ERANGE;
	memcpy(buf, v->data, v->size);
	return (ssize_t)v->size;
}

ssize_t gofer_listxattr(struct inode *inode, char *buf, size_t size)
{
	struct fsd_req q = {.op = FSD_LISTXATTR};
	struct gofer_inode *gi = gofer_i(inode);
	struct gofer_call c;
	ssize_t ret;

	if (gi->xattrs == XATTR_NONE)
		return 0;
	ret = gofer_inode_call(inode, &c, &q);
	if (!ret) {
		if (!gofer_shared(inode))
			gi->xattrs = c.rep.value.size ? XATTR_SOME : XATTR_NONE;
		ret = copy_value(&c.rep.value, buf, size);
	}
	gofer_call_done(&c);
	return ret;
}

ssize_t gofer_getxattr(struct inode *inode, const char *name, void *buf, size_t size)
{
	struct fsd_req q = {.op = FSD_GETXATTR, .xname = {name, strlen(name)}};
	struct gofer_inode *gi = gofer_i(inode);
	struct gofer_call c;
	ssize_t ret;

	if (!served(name))
		return -ENODATA;
	if (gi->xattrs == XATTR_UNKNOWN && !gofer_shared(inode)) {
		ret = gofer_listxattr(inode, NULL, 0);
		if (ret < 0)
			return ret;
	}
	if (gi->xattrs == XATTR_NONE)
		return -ENODATA;
	ret = gofer_inode_call(inode, &c, &q);
	if (!ret)
		ret = copy_value(&c.rep.value, buf, size);
	gofer_call_done(&c);
	return ret;
}

int gofer_setxattr(struct inode *inode, const char *name, const void *value, size_t size, int flags)
{
	struct fsd_req q = {.op = FSD_SETXATTR, .xname = {name, strlen(name)}, .value = {value, size},
			    .flags = (uint32_t)flags};
	struct gofer_own own;
	struct gofer_call c;
	int ret;

	if (!served(name))
		return -EOPNOTSUPP;
	if (size > FSD_VALUE_MAX)
		return -E2BIG;
	own_begin(&own);
	own_inode(&own, inode, OWN_ATTR);
	ret = gofer_inode_call(inode, &c, &q);
	own_end(&own, ret);
	if (!ret) {
		gofer_i(inode)->xattrs = XATTR_UNKNOWN;
		gofer_i(inode)->attr_stale = true; /* an ACL changes the mode, anything changes ctime */
	}
	gofer_call_done(&c);
	return ret;
}

int gofer_removexattr(struct inode *inode, const char *name)
{
	struct fsd_req q = {.op = FSD_REMOVEXATTR, .xname = {name, strlen(name)}};
	struct gofer_own own;
	struct gofer_call c;
	int ret;

	if (!served(name))
		return -ENODATA;
	own_begin(&own);
	own_inode(&own, inode, OWN_ATTR);
	ret = gofer_inode_call(inode, &c, &q);
	own_end(&own, ret);
	if (!ret) {
		gofer_i(inode)->xattrs = XATTR_UNKNOWN;
		gofer_i(inode)->attr_stale = true;
	}
	gofer_call_done(&c);
	return ret;
}

static int gofer_readlink(struct inode *inode, char **ret_target)
{
	const struct gofer_inode *gi = gofer_i(inode);
	struct fsd_req q = {.op = FSD_READLINK};
	uint64_t now = clock_mono_ns(); /* before it is read */
	struct gofer_call c;
	char *target = NULL;
	int ret = gofer_inode_call(inode, &c, &q);

	if (!ret) {
		target = memchr(c.rep.value.data, 0, c.rep.value.size)
			     ? NULL
			     : strndup(c.rep.value.data, c.rep.value.size);
		if (!target)
			ret = -EIO;
	}
	gofer_call_done(&c);
	if (ret)
		return ret;
	*ret_target = target;
	/* A link that takes this one's place may have its number; it is another inode then (gofer_same) by the time of its birth,
	 * which the host counts in ticks of a clock. So what is read a while after the link was first seen is this link's for good. */
	inode->keeps_link |= (gi->btime.sec || gi->btime.nsec) && now - gi->met_ns > LINK_AGE_NS;
	return 0;
}

const struct inode_ops gofer_link_iops = {
    .readlink = gofer_readlink,
    .getattr = gofer_getattr,
    .setattr = gofer_setattr,
};

const struct inode_ops gofer_file_iops = {
    .getattr = gofer_getattr,
    .setattr = gofer_setattr,
    .getxattr = gofer_getxattr,
    .setxattr = gofer_setxattr,
    .listxattr = gofer_listxattr,
    .removexattr = gofer_removexattr,
};
