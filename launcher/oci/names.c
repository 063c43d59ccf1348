/* Names of capabilities and resource limits, as the runtime specification spells them. */
#include <linux/capability.h>
#include <string.h>
#include <sys/resource.h>
#include "common/base/util.h"
#include "launcher/oci/spec.h"

static const char *const cap_names[] = {
	"CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID",
	"SETPCAP", "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW",
	"IPC_LOCK", "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT",
	"SYS_ADMIN", "SYS_BOOT", "SYS_NICE", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD",
	"LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP", "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG",
	"WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF", "CHECKPOINT_RESTORE",
};

int spec_cap_from_name(const char *name)
{
	if (!strncmp(name, "CAP_", 4))
		for (size_t i = 0; i < ARRAY_SIZE(cap_names); i++)
			if (!strcmp(name + 4, cap_names[i]))
				return (int)i;
	return -1;
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
