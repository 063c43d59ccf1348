/* Entering the confinement that the launcher prepared. The namespaces exist already; what is left
 * needs code that runs after exec, because the dynamic linker has to find its libraries first: the
 * pivot into the empty root, and giving up every capability. */
#include "common/confine/confine.h"

#include <sys/capability.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include "common/base/util.h"
#include "common/log/log.h"

static int take_root(const struct confine_options *opt)
{
	/* without it the working directory is the host's, which must stay as it is */
	if (!opt->jail)
		return -ENOENT;
	/* pivot_root(2), NOTES: the old root is stacked on the new one and detached from there */
	if (syscall(SYS_pivot_root, ".", ".") < 0)
		return -errno;
	if (umount2(".", MNT_DETACH) < 0)
		return -errno;
	if (chdir("/") < 0)
		return -errno;
	return 0;
}

int confine_keep_caps(uint64_t keep)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {0};

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return -errno;
	for (int cap = 0; cap < 64; cap++) {
		if ((keep >> cap) & 1)
			continue;
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0) {
			if (errno == EINVAL)
				break; /* past the last one */
			return -errno;
		}
	}
	for (int i = 0; i < 2; i++)
		data[i].permitted = data[i].effective = (uint32_t)(keep >> (32 * i));
	if (capset(&head, data) < 0)
		return -errno;
	return 0;
}

static int limit(int resource, uint64_t value)
{
	struct rlimit rl;

	if (value == 0)
		return 0;
	if (getrlimit((__rlimit_resource_t)resource, &rl) < 0)
		return -errno;
	rl.rlim_cur = rl.rlim_max = MIN(rl.rlim_max, (rlim_t)value);
	return setrlimit((__rlimit_resource_t)resource, &rl) < 0 ? -errno : 0;
}

static int step(int r, const struct confine_options *opt, const char *service, const char *what)
{
	if (r == 0)
		return 0;
	if (opt->unsafe) {
		log_warn("%s: %s: %s; goes on because confinement was switched off", service, what,
			 strerror(-r));
		return 0;
	}
	log_error("%s: %s: %s", service, what, strerror(-r));
	return r;
}

int confine_enter(const struct confine_policy *p, const struct confine_options *opt)
{
	const struct rlimit no_core = {0, 0};
	int r;

	r = step(take_root(opt), opt, p->service, "entering the empty root (pivot_root)");
	if (r == 0)
		r = step(confine_keep_caps(p->caps), opt, p->service, "dropping capabilities");
	if (r == 0)
		r = step(limit(RLIMIT_NOFILE, p->nofile), opt, p->service, "RLIMIT_NOFILE");
	if (r == 0)
		r = step(limit(RLIMIT_NPROC, p->nproc), opt, p->service, "RLIMIT_NPROC");
	if (r == 0)
		r = step(limit(RLIMIT_STACK, p->stack), opt, p->service, "RLIMIT_STACK");
	if (r == 0)
		r = step(limit(RLIMIT_AS, p->as), opt, p->service, "RLIMIT_AS");
	if (r == 0)
		r = step(setrlimit(RLIMIT_CORE, &no_core) < 0 ? -errno : 0, opt, p->service, "RLIMIT_CORE");
	if (r == 0)
		r = step(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0, opt, p->service,
			 "no_new_privs");
	return r;
}
