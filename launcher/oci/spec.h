/* A bundle's config.json, read and checked in whole: what it says is either in here or was an error
 * that names the field. */
#ifndef LAUNCHER_OCI_SPEC_H
#define LAUNCHER_OCI_SPEC_H

#include <jansson.h>
#include "common/ipc/msg_ctl.h"
#include "launcher/error.h"
#include "launcher/oci/hooks.h"
#include "launcher/oci/json.h"

/* A place on the host that fsd serves; its index is the order in `sources`. */
struct spec_source {
	char *path;      /* absolute */
	bool readonly, recursive, file;
};

struct spec_device_rate {
	enum rate_kind { RATE_WEIGHT, RATE_LEAF_WEIGHT, RATE_READ_BPS, RATE_WRITE_BPS, RATE_READ_IOPS, RATE_WRITE_IOPS } kind;
	unsigned major, minor;
	uint64_t rate;
};

struct spec_hugepage {
	char *size;               /* "2MB" */
	uint64_t limit;
};

/* linux.resources. A number that is 0 is not set; -1 is no limit. */
struct spec_resources {
	bool any;
	int64_t memory_limit, memory_swap, memory_reservation, memory_kernel, memory_kernel_tcp;
	int64_t swappiness;       /* -1: not set */
	bool no_oom_kill;
	int64_t pids_limit;
	int64_t cpu_quota, cpu_rt_runtime, cpu_idle;
	uint64_t cpu_period, cpu_shares, cpu_rt_period, cpu_burst;
	char *cpus, *mems;
	uint64_t io_weight, io_leaf_weight;
	struct spec_device_rate *rates;
	size_t rate_count;
	struct spec_hugepage *hugepages;
	size_t hugepage_count;
	uint64_t net_class;
	json_t *unified;          /* file: value, of version 2 */
	bool all_devices;         /* a rule allows every device: a privileged container */
};

/* Which network namespace of the host the container's link is in. */
enum spec_netns {
	SPEC_NETNS_NONE, /* none is needed: there is no link */
	SPEC_NETNS_NEW,
	SPEC_NETNS_PATH, /* netns_path */
	SPEC_NETNS_HOST, /* linux.namespaces has no network: the launcher's own */
};

struct spec {
	char *bundle;             /* absolute */
	char *rootfs;
	struct ctl_config *config;
	struct ctl_process *process;
	struct spec_source *sources;
	size_t source_count;
	char *cgroup_path;        /* linux.cgroupsPath or NULL */
	bool host_uts;            /* the names are the host's */
	enum spec_netns netns;
	char *netns_path;
	struct hooks hooks;
	json_t *hooks_json;       /* the same as it was read, or NULL */
	struct spec_resources resources;
	json_t *annotations;
	char *oci_version;
};

struct spec_options {
	bool overlay_memory;      /* --overlay=memory: writes to the root stay in memory */
	bool shared_files;        /* --file-access=shared */
};

int spec_load(const char *bundle, const struct spec_options *opt, struct spec **ret_spec, struct err *e);
/* The spec of `sbx-launch do`: the host's root beneath a memory overlay. */
int spec_for_host(char **args, const char *cwd, struct spec **ret_spec, struct err *e);
void spec_free(struct spec *s);

/* Parts, used by exec --process too. `base` limits: what is not given stays as in *p. */
int spec_read_process(const struct node *n, struct ctl_process *p, struct err *e);
/* Adds a source of fsd; its index or -errno. */
int spec_add_source(struct spec *s, const char *path, bool readonly, bool recursive, struct err *e);
struct ctl_mount *spec_add_mount(struct spec *s, const char *target, const char *type, const char *source,
				 const char *data, uint64_t flags, struct err *e);
int spec_read_mounts(const struct node *n, struct spec *s, const struct spec_options *opt, struct err *e);
/* "shared", "rslave"...: adds MS_* to *flags. */
int spec_read_propagation(const struct node *n, uint64_t *flags, struct err *e);
int spec_read_linux(const struct node *n, struct spec *s, struct err *e);
/* resources.c; also for `update`. */
int spec_read_resources(const struct node *n, struct spec_resources *res, struct err *e);
void spec_resources_done(struct spec_resources *res);
void spec_fill_limits(const struct spec_resources *res, struct ctl_limits *ret);
/* seccomp.c: the filter of linux.seccomp, for the process. */
int spec_read_seccomp(const struct node *n, struct ctl_process *p, struct err *e);

/* "CAP_CHOWN" to its number, or -1. */
int spec_cap_from_name(const char *name);
/* "CAP_CHOWN", or NULL past the last. */
const char *spec_cap_name(int cap);
int spec_rlimit_from_name(const char *name);
uint64_t spec_cap_all(void);
/* The process starts with the launcher's own limits. */
int spec_inherit_rlimits(struct ctl_process *p);
int spec_set_rlimit(struct ctl_process *p, uint32_t resource, uint64_t soft, uint64_t hard);
/* What `sbx-launch spec` writes. */
json_t *spec_default(void);

#endif
