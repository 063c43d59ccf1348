/* Names of capabilities and resource limits, as the runtime specification spells them. */
#include <linux/capability.h>
#include <string.h>
#include <sys/resource.h>
#include "common/base/util.h"
#include "launcher/oci/spec.h"

static const char *const cap_names[] = {
	"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID",
	"CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW",
	"CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT",
	"CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD",
	"CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG",
	"CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
};

int spec_cap_from_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(cap_names); i++)
		if (!strcmp(name, cap_names[i]))
			return (int)i;
	return -1;
}

const char *spec_cap_name(int cap)
{
	return cap >= 0 && cap < (int)ARRAY_SIZE(cap_names) ? cap_names[cap] : NULL;
}

uint64_t spec_cap_all(void)
{
	return (1ull << ARRAY_SIZE(cap_names)) - 1;
}

static const char *const rlimit_names[] = {
	[RLIMIT_CPU] = "CPU", [RLIMIT_FSIZE] = "FSIZE", [RLIMIT_DATA] = "DATA", [RLIMIT_STACK] = "STACK",
	[RLIMIT_CORE] = "CORE", [RLIMIT_RSS] = "RSS", [RLIMIT_NPROC] = "NPROC",
	[RLIMIT_NOFILE] = "NOFILE", [RLIMIT_MEMLOCK] = "MEMLOCK", [RLIMIT_AS] = "AS",
	[RLIMIT_LOCKS] = "LOCKS", [RLIMIT_SIGPENDING] = "SIGPENDING", [RLIMIT_MSGQUEUE] = "MSGQUEUE",
	[RLIMIT_NICE] = "NICE", [RLIMIT_RTPRIO] = "RTPRIO", [RLIMIT_RTTIME] = "RTTIME",
};

int spec_rlimit_from_name(const char *name)
{
	if (!strncmp(name, "RLIMIT_", 7))
		for (size_t i = 0; i < ARRAY_SIZE(rlimit_names); i++)
			if (!strcmp(name + 7, rlimit_names[i]))
				return (int)i;
	return -1;
}

int spec_set_rlimit(struct ctl_process *p, uint32_t resource, uint64_t soft, uint64_t hard)
{
	struct ctl_rlimit *r;

	for (size_t i = 0; i < p->rlimit_count; i++) {
		if (p->rlimits[i].resource == resource) {
			p->rlimits[i].soft = soft;
			p->rlimits[i].hard = hard;
			return 0;
		}
	}
	r = realloc(p->rlimits, (p->rlimit_count + 1) * sizeof(*r));
	if (!r)
		return -ENOMEM;
	p->rlimits = r;
	r[p->rlimit_count++] = (struct ctl_rlimit){resource, soft, hard};
	return 0;
}

int spec_inherit_rlimits(struct ctl_process *p)
{
	for (uint32_t i = 0; i < ARRAY_SIZE(rlimit_names); i++) {
		struct rlimit rl;

		if (getrlimit((__rlimit_resource_t)i, &rl) == 0 &&
		    spec_set_rlimit(p, i, rl.rlim_cur, rl.rlim_max) < 0)
			return -ENOMEM;
	}
	return 0;
}
