/* uname(2) and the names of the UTS namespace. */
#include <linux/capability.h>
#include <stdio.h>
#include "common/base/util.h"
#include "services/sysd/abi/sys.h"
#include "services/sysd/mm/usercopy.h"
#include "services/sysd/sys/kinfo.h"
#include "services/sysd/syscall/syscall.h"
#include "services/sysd/task/nsproxy.h"
#include "services/sysd/task/task.h"

#define PER_UNAME26 0x0020000u

SYS_HANDLER(uname)
{
	struct abi_utsname u;
	const struct uts_ns *uts = t->ns->uts;

	memset(&u, 0, sizeof(u));
	strcpy(u.sysname, KINFO_SYSNAME);
	memcpy(u.nodename, uts->hostname, sizeof(u.nodename));
	strcpy(u.release, t->personality & PER_UNAME26 ? "2.6.61-sbx" : KINFO_RELEASE);
	snprintf(u.version, sizeof(u.version), "%s", KINFO_VERSION);
	strcpy(u.machine, (t->personality & 0xff) == 8 /* PER_LINUX32 */ ? "i686" : KINFO_MACHINE);
	memcpy(u.domainname, uts->domainname, sizeof(u.domainname));
	return user_put(t, u, a[0]);
}

static long set_name(struct task *t, char *name, uint64_t uaddr, uint64_t size)
{
	char buf[65] = {0};

	if (!capable(t, CAP_SYS_ADMIN))
		return -EPERM;
	if ((int64_t)size < 0 || size > 64)
		return -EINVAL;
	if (user_read(t, buf, uaddr, size))
		return -EFAULT;
	memcpy(name, buf, sizeof(buf));
	return 0;
}

SYS_HANDLER(sethostname)
{
	return set_name(t, t->ns->uts->hostname, a[0], (uint64_t)(int64_t)(int32_t)a[1]);
}

SYS_HANDLER(setdomainname)
{
	return set_name(t, t->ns->uts->domainname, a[0], (uint64_t)(int64_t)(int32_t)a[1]);
}
