/* Control groups of the host: linux.cgroupsPath and linux.resources. Version 2 where it is mounted at
 * /sys/fs/cgroup, else the version 1 hierarchies that are there.
 *
 * The supervisor is in the container's group in every hierarchy (engines find the groups by its pid), the
 * services and the guest's processes, its children, too. The freezer is the exception: there the supervisor
 * stays outside (version 1: in the group above; version 2: the others are in a group "box" below), so that
 * a paused container still answers. */
#ifndef LAUNCHER_SANDBOX_CGROUP_H
#define LAUNCHER_SANDBOX_CGROUP_H

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>
#include "launcher/error.h"
#include "launcher/oci/spec.h"

#define CGROUP_MOUNT "/sys/fs/cgroup"

struct sandbox;

/* Makes the groups of the spec and moves this process in. */
int cgroup_enter(struct sandbox *sb, struct err *e);
/* Once the services are there: leaves the part that freezes. */
int cgroup_step_aside(struct sandbox *sb, struct err *e);

/* Moves a process to the groups in which another is. */
int cgroup_follow(pid_t where, pid_t pid, struct err *e);
/* This process, and those that it makes, come last when the host or the group is out of memory. */
void cgroup_spare_this(void);

/* By the container's path (linux.cgroupsPath without leading slashes), from any process. */
int cgroup_apply(const char *path, const struct spec_resources *res, struct err *e);
int cgroup_freeze(const char *path, bool frozen, struct err *e);
/* False also when there is no such group. */
bool cgroup_frozen(const char *path);
/* What `events --stats` shows of it. No limit of memory is CGROUP_NO_LIMIT on version 2. */
#define CGROUP_NO_LIMIT (-1)
json_t *cgroup_stats(const char *path);
/* How often the host has ended a process of it for want of memory. */
long long cgroup_oom_kills(const char *path);

/* For the files of this library. */
bool cgroup_is_v2(void);
int cgroup_write(const char *dir, const char *file, const char *value);
/* As cgroup_write; an error names the field of config.json. */
int cgroup_set(const char *dir, const char *file, const char *field, struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
bool cgroup_has(const char *dir, const char *file);
int cgroup_apply_v1(const char *path, const struct spec_resources *res, struct err *e);
int cgroup_apply_v2(const char *path, const struct spec_resources *res, struct err *e);

#endif
