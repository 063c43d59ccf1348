/* The spec behind `sbx-launch do`: the host's root, read-only, beneath an overlay in memory, with the
 * usual file systems of a container on top. Other disks that the host has mounted are seen too;
 * pseudo file systems of the host are not. */
#include <limits.h>
#include <mntent.h>
#include <stdio.h>
#include <sys/mount.h>
#include "common/base/util.h"
#include "launcher/oci/spec.h"

extern char **environ;

static bool is_disk(const char *type)
{
	static const char *const types[] = {"ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "vfat", "exfat",
					    "overlay", "zfs", "9p", "virtiofs", "nfs", "nfs4", "squashfs",
					    "erofs", "fuse.sshfs"};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (!strcmp(type, types[i]))
			return true;
	return false;
}

static bool below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return !strncmp(path, dir, n) && (path[n] == '/' || !path[n]);
}

static int add_host_mount(struct spec *s, const char *path, const char *target, struct err *e)
{
	struct ctl_mount *m;
	int index = spec_add_source(s, path, true, false, e);

	if (index < 0)
		return index;
	m = spec_add_mount(s, target, "gofer", path, NULL, 0, e);
	if (!m)
		return -e->code;
	m->index = index;
	m->overlay = true;
	m->file = s->sources[index].file;
	return 0;
}

static int add_disks(struct spec *s, struct err *e)
{
	FILE *f = setmntent("/proc/self/mounts", "re");
	struct mntent *me;
	int r = 0;

	if (!f)
		return 0; /* no /proc: the root is all there is */
	while (r == 0 && (me = getmntent(f))) {
		if (!strcmp(me->mnt_dir, "/") || !is_disk(me->mnt_type) || below(me->mnt_dir, "/proc") ||
		    below(me->mnt_dir, "/sys") || below(me->mnt_dir, "/dev") || below(me->mnt_dir, "/run"))
			continue;
		r = add_host_mount(s, me->mnt_dir, me->mnt_dir, e);
		if (r == -EACCES || r == -ENOENT || r == -EIO)
			r = 0; /* somebody's private or stale mount */
	}
	endmntent(f);
	return r;
}

static int add_standard(struct spec *s, struct err *e)
{
	static const struct {
		const char *target, *type, *data;
		uint64_t flags;
	} standard[] = {
		{"/proc", "proc", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC},
		{"/dev", "tmpfs", "mode=755,size=65536k", MS_NOSUID | MS_STRICTATIME},
		{"/dev/pts", "devpts", "gid=5,mode=620,ptmxmode=666", MS_NOSUID | MS_NOEXEC},
		{"/dev/shm", "tmpfs", "mode=1777", MS_NOSUID | MS_NODEV},
		{"/dev/mqueue", "mqueue", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC},
		{"/sys", "sysfs", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY},
		{"/run", "tmpfs", "mode=755", MS_NOSUID | MS_NODEV},
	};

	for (size_t i = 0; i < ARRAY_SIZE(standard); i++)
		if (!spec_add_mount(s, standard[i].target, standard[i].type, standard[i].type,
				    standard[i].data, standard[i].flags, e))
			return -e->code;
	return 0;
}

int spec_for_host(char **args, const char *cwd, struct spec **ret_spec, struct err *e)
{
	struct spec *s = calloc(1, sizeof(*s));
	char here[PATH_MAX], hostname[65] = "sbx";
	struct ctl_process *p;
	int r = 0;

	if (s) {
		s->config = calloc(1, sizeof(*s->config));
		s->process = calloc(1, sizeof(*s->process));
		s->annotations = json_object();
		s->oci_version = strdup("1.0.2");
		s->rootfs = strdup("/");
		s->bundle = strdup("/");
	}
	if (!s || !s->config || !s->process || !s->annotations || !s->oci_version || !s->rootfs || !s->bundle) {
		spec_free(s);
		return err_sys(e, ENOMEM, "do");
	}
	p = s->process;
	if (!cwd)
		cwd = getcwd(here, sizeof(here)) ? here : "/";
	gethostname(hostname, sizeof(hostname) - 1);
	s->config->hostname = strdup(hostname);
	s->config->network = 1;
	p->cwd = strdup(cwd);
	p->umask = 022;
	p->cap_bounding = p->cap_effective = p->cap_permitted = spec_cap_all();
	for (size_t i = 0; r == 0 && args[i]; i++)
		r = ctl_strv_add(&p->args, args[i]);
	for (size_t i = 0; r == 0 && environ[i]; i++)
		r = ctl_strv_add(&p->env, environ[i]);
	if (r == 0)
		r = spec_inherit_rlimits(p);
	if (r == 0 && (!p->cwd || !s->config->hostname))
		r = -ENOMEM;
	if (r < 0)
		err_sys(e, -r, "do");
	if (r == 0)
		r = add_host_mount(s, "/", "/", e);
	if (r == 0)
		r = add_disks(s, e);
	if (r == 0)
		r = add_standard(s, e);
	if (r < 0) {
		spec_free(s);
		return r;
	}
	*ret_spec = s;
	return 0;
}
