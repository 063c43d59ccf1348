/* Messages between the launcher and sysd, and between the command line and the supervisor of a
 * sandbox (section ctl of sbx.cddl). A message is decoded into a tree of its own memory; nothing
 * points into the buffer it came from. */
#ifndef SBX_IPC_MSG_CTL_H
#define SBX_IPC_MSG_CTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ctl_type {
	CTL_CONFIGURE = 1,  /* config: root, mounts, names; before anything else */
	CTL_START = 2,      /* process: makes and starts pid 1; reply value = guest pid */
	CTL_EXEC = 3,       /* process: one more process; reply value = guest pid */
	CTL_SIGNAL = 4,     /* pid, value = signal, flag = all processes; pid 1 stands for init */
	CTL_PS = 5,         /* reply: text = a JSON array of processes */
	CTL_STATS = 6,      /* reply: text = figures in OpenMetrics text */
	CTL_RESIZE = 7,     /* pid, rows, cols: size of its terminal */
	CTL_STOP = 8,       /* ends all processes; sysd leaves after the last */
	CTL_SERVICE = 9,    /* pid = CTL_SERVICE_*, which was started again; value = the ticket of its ring, the
			     * next ticket is that of its pass socket */
	CTL_DEBUG = 10,     /* reply: text = a line for each task with the call that it is in */
	CTL_UPDATE = 11,    /* limits: new ones for the sandbox */
	CTL_NET = 12,       /* reply: text = a table of sockets */
	CTL_CHECK = 13,     /* process: whether its program is there; nothing is made */
	CTL_REPLY = 32,     /* id of the request; value: result or -errno; text: why, or content */
	CTL_EXIT = 33,      /* pid, value = status as wait4 reports it; of init and exec'd processes */
	/* only between the command line and the supervisor */
	CTL_STATE = 64,     /* reply: text = the state as JSON */
	CTL_WAIT = 65,      /* pid: reply at its end, value = status; flag: it ends when the asker does */
	CTL_DELETE = 66,    /* ends the supervisor; reply when all is cleaned */
	CTL_BEGIN = 67,     /* starts the process of a created container */
	CTL_SERVICES = 68,  /* reply: text = a line for each service of the sandbox */
	CTL_TYPE_MAX = CTL_SERVICES,
};

enum ctl_service { CTL_SERVICE_MEMD = 1, CTL_SERVICE_FSD = 2, CTL_SERVICE_NETD = 3, CTL_SERVICE_COUNT };

/* A list of strings; v is NULL-terminated beside its count. */
struct ctl_strv {
	char **v;
	size_t count;
};

struct ctl_mount {
	char *target;       /* absolute path in the container */
	char *type;         /* file system in sysd: "gofer", "tmpfs", "proc"... or "bind" */
	char *source;       /* as /proc/mounts shows it */
	char *data;         /* options of the file system, comma-separated; may be NULL */
	int64_t index;      /* source of fsd (its ticket), or -1 */
	uint64_t flags;     /* MS_* */
	bool file;          /* the source is not a directory */
	bool overlay;       /* writes stay in memory above it */
	bool shared;        /* others may change the source: revalidate */
	bool recursive;
};

/* What the sandbox may use; 0: no limit. The host enforces those of memory and CPU by its control
 * groups, sysd those of processes; the guest sees them all. */
struct ctl_limits {
	uint64_t memory, swap;    /* bytes; swap: of memory and swap together */
	uint64_t pids;
	uint64_t cpu_quota, cpu_period, cpu_shares; /* us, us, as cgroup v1 has shares */
};

#define CTL_LIMIT_NONE ((uint64_t)INT64_MAX) /* from the command line: no limit; there 0 is "as it was" */

/* A device of the kernel's own (null, zero...) under another name. */
struct ctl_device {
	char *path;
	uint32_t mode, uid, gid, major, minor; /* mode: with S_IFMT */
};

struct ctl_config {
	char *id, *hostname, *domainname;
	struct ctl_mount *mounts; /* the first is the root ("/") */
	size_t mount_count;
	struct ctl_strv masked, readonly;
	struct ctl_strv sysctl;   /* "kernel.shmmax=1234" */
	struct ctl_limits limits;
	struct ctl_device *devices;
	size_t device_count;
	bool strace, debug;
	uint32_t network;         /* 0 none, 1 sandbox, 2 host */
	char *cgroup;             /* as /proc/PID/cgroup shows it; may be NULL */
};

struct ctl_rlimit {
	uint32_t resource;
	uint64_t soft, hard;
};

struct ctl_process {
	struct ctl_strv args, env;
	char *cwd;
	uint32_t uid, gid, umask;
	uint32_t *groups;
	size_t group_count;
	uint64_t cap_bounding, cap_effective, cap_inheritable, cap_permitted, cap_ambient;
	bool no_new_privs, terminal;
	uint16_t rows, cols;      /* 0: unknown */
	int32_t oom_score_adj;
	struct ctl_rlimit *rlimits;
	size_t rlimit_count;
	/* A filter for its system calls: struct sock_filter[], or NULL. */
	uint8_t *seccomp;
	size_t seccomp_size;
	/* Tickets of descriptors 0, 1, 2... of the process on the pass socket; 0: not given. With a
	 * terminal the first is the host side of it and stands for 0, 1 and 2. */
	uint64_t *stdio;
	size_t stdio_count;
};

struct ctl_msg {
	enum ctl_type type;
	uint64_t id;              /* of the request; 0: a notification */
	uint32_t pid;
	int64_t value;
	bool flag;
	uint16_t rows, cols;
	char *text;
	struct ctl_config *config;
	struct ctl_process *process;
	struct ctl_limits *limits;
};

#define CTL_STRING_MAX (128u * 1024)
#define CTL_TEXT_MAX (4u * 1024 * 1024)
#define CTL_STRV_MAX 65536u
#define CTL_MOUNTS_MAX 4096u
#define CTL_STDIO_MAX 1024u
#define CTL_SECCOMP_MAX (4096u * 8)

/* Encodes into a fresh buffer. Its size, or -ENOMEM. */
long ctl_encode(const struct ctl_msg *m, uint8_t **ret_buf);
/* Decodes; on success the message owns its memory until ctl_msg_done. 0, -EPROTO or -ENOMEM. */
int ctl_decode(const void *buf, size_t size, struct ctl_msg *ret);
void ctl_msg_done(struct ctl_msg *m);

void ctl_config_free(struct ctl_config *c);
void ctl_process_free(struct ctl_process *p);
void ctl_strv_done(struct ctl_strv *s);
/* Appends a copy. 0 or -ENOMEM. */
int ctl_strv_add(struct ctl_strv *s, const char *text);

#endif
