/* linux.seccomp: the profile becomes a BPF program that sysd runs over the guest's system calls. The
 * guest has one architecture, x86-64, whatever the profile lists beside it. */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include "common/base/util.h"
#include "launcher/oci/spec.h"

static int action_of(const struct node *n, uint64_t errno_value, uint32_t *ret, struct err *e)
{
	static const struct {
		const char *name;
		uint32_t action;
	} actions[] = {
		{"SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD}, {"SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD},
		{"SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS}, {"SCMP_ACT_TRAP", SCMP_ACT_TRAP},
		{"SCMP_ACT_ERRNO", SCMP_ACT_ERRNO(0)}, {"SCMP_ACT_TRACE", SCMP_ACT_TRACE(0)},
		{"SCMP_ACT_ALLOW", SCMP_ACT_ALLOW}, {"SCMP_ACT_LOG", SCMP_ACT_LOG},
	};
	const char *name = NULL;
	int r = node_text(n, &name, e);

	if (r < 0)
		return r;
	for (size_t i = 0; name && i < ARRAY_SIZE(actions); i++) {
		if (strcmp(name, actions[i].name) != 0)
			continue;
		*ret = actions[i].action;
		if (*ret == SCMP_ACT_ERRNO(0))
			*ret = SCMP_ACT_ERRNO(errno_value);
		else if (*ret == SCMP_ACT_TRACE(0))
			*ret = SCMP_ACT_TRACE(errno_value);
		return 0;
	}
	if (name && !strcmp(name, "SCMP_ACT_NOTIFY"))
		return err_set(e, ENOTSUP, "%s: a listener outside of the sandbox is not supported", n->path);
	return err_set(e, EINVAL, "%s: unknown action \"%s\"", n->path, name ? name : "");
}

static int read_arg(const struct node *n, struct scmp_arg_cmp *ret, struct err *e)
{
	static const struct {
		const char *name;
		enum scmp_compare op;
	} ops[] = {{"SCMP_CMP_NE", SCMP_CMP_NE}, {"SCMP_CMP_LT", SCMP_CMP_LT}, {"SCMP_CMP_LE", SCMP_CMP_LE},
		   {"SCMP_CMP_EQ", SCMP_CMP_EQ}, {"SCMP_CMP_GE", SCMP_CMP_GE}, {"SCMP_CMP_GT", SCMP_CMP_GT},
		   {"SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ}};
	struct node index = node_get(n, "index"), value = node_get(n, "value"), two = node_get(n, "valueTwo"),
		    op = node_get(n, "op");
	uint64_t i = 0, v = 0, w = 0;
	const char *name = "";
	int r;

	if ((r = node_object(n, "index value valueTwo op", e)) || (r = node_uint(&index, 5, &i, e)) ||
	    (r = node_uint(&value, UINT64_MAX, &v, e)) || (r = node_uint(&two, UINT64_MAX, &w, e)) ||
	    (r = node_text(&op, &name, e)))
		return r;
	for (size_t k = 0; k < ARRAY_SIZE(ops); k++) {
		if (strcmp(name, ops[k].name) != 0)
			continue;
		*ret = (struct scmp_arg_cmp){.arg = (unsigned)i, .op = ops[k].op, .datum_a = v, .datum_b = w};
		return 0;
	}
	return err_set(e, EINVAL, "%s: unknown comparison \"%s\"", op.path, name);
}

/* A rule whose conditions look at one argument twice cannot be one rule of libseccomp: each condition
 * becomes one of its own, as runc has it. */
static bool repeats(const struct scmp_arg_cmp *args, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < i; j++)
			if (args[i].arg == args[j].arg)
				return true;
	return false;
}

static int add_call(scmp_filter_ctx ctx, const char *name, uint32_t action, const struct scmp_arg_cmp *args,
		    size_t count, int *max_nr)
{
	int nr = seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86_64, name), r;

	/* a name of another architecture, or of a kernel later than the library */
	if (nr < 0)
		return 0;
	*max_nr = MAX(*max_nr, nr);
	if (!repeats(args, count))
		return seccomp_rule_add_array(ctx, action, nr, (unsigned)count, args);
	for (size_t i = 0; i < count; i++) {
		r = seccomp_rule_add_array(ctx, action, nr, 1, &args[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_rule(scmp_filter_ctx ctx, const struct node *n, uint32_t default_action, uint64_t default_errno,
		     int *max_nr, struct err *e)
{
	struct node names = node_get(n, "names"), action = node_get(n, "action"), ret = node_get(n, "errnoRet"),
		    args = node_get(n, "args");
	struct scmp_arg_cmp cmp[6];
	struct ctl_strv list = {0};
	size_t count = 0;
	uint64_t value = default_errno;
	uint32_t act = 0;
	int r;

	if ((r = node_object(n, "names action errnoRet args comment includes excludes", e)) ||
	    (r = node_uint(&ret, 4095, &value, e)) || (r = action_of(&action, value, &act, e)) ||
	    (r = node_array(&args, &count, e)))
		return r;
	if (count > ARRAY_SIZE(cmp))
		return err_set(e, EINVAL, "%s: more than 6 conditions", args.path);
	for (size_t i = 0; i < count; i++) {
		struct node item = node_at(&args, i);

		r = read_arg(&item, &cmp[i], e);
		if (r < 0)
			return r;
	}
	if (act == default_action)
		return 0;
	r = node_strv(&names, &list, e);
	for (size_t i = 0; r == 0 && i < list.count; i++) {
		r = add_call(ctx, list.v[i], act, cmp, count, max_nr);
		if (r < 0)
			err_set(e, -r, "%s: %s: %s", names.path, list.v[i], strerror(-r));
	}
	ctl_strv_done(&list);
	return r;
}

/* Calls later than any that the profile speaks of are answered ENOSYS, not by its default: a program that
 * asks for one has another way, which it takes for ENOSYS alone. */
static int export(scmp_filter_ctx ctx, bool stub, int max_nr, struct ctl_process *p, struct err *e)
{
	const struct sock_filter head[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, (unsigned)max_nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
	};
	size_t before = stub ? sizeof(head) : 0;
	CLEANUP_CLOSE int fd = memfd_create("filter", MFD_CLOEXEC);
	off_t size;
	int r = fd < 0 ? -errno : seccomp_export_bpf(ctx, fd);

	if (r < 0)
		return err_sys(e, -r, "linux.seccomp");
	size = lseek(fd, 0, SEEK_END);
	if (size <= 0 || (size_t)size + before > CTL_SECCOMP_MAX)
		return err_set(e, E2BIG, "linux.seccomp: the profile is too large");
	p->seccomp = malloc((size_t)size + before);
	if (!p->seccomp)
		return err_sys(e, ENOMEM, "linux.seccomp");
	memcpy(p->seccomp, head, before);
	if (pread(fd, p->seccomp + before, (size_t)size, 0) != size)
		return err_set(e, EIO, "linux.seccomp: the program is cut short");
	p->seccomp_size = (size_t)size + before;
	return 0;
}

int spec_read_seccomp(const struct node *n, struct ctl_process *p, struct err *e)
{
	struct node action = node_get(n, "defaultAction"), ret = node_get(n, "defaultErrnoRet"),
		    calls = node_get(n, "syscalls"), flags = node_get(n, "flags"), archs = node_get(n, "architectures"),
		    listener = node_get(n, "listenerPath"), meta = node_get(n, "listenerMetadata");
	uint64_t default_errno = EPERM;
	uint32_t act = 0;
	size_t count = 0, ignored;
	scmp_filter_ctx ctx;
	int r, max_nr = -1;

	if (!n->v)
		return 0;
	/* flags are about the host's own handling: speculation, logging, threads that run already */
	if ((r = node_object(n, "defaultAction defaultErrnoRet architectures flags listenerPath listenerMetadata "
				"syscalls", e)) ||
	    (r = node_uint(&ret, 4095, &default_errno, e)) || (r = action_of(&action, default_errno, &act, e)) ||
	    (r = node_array(&calls, &count, e)) || (r = node_array(&flags, &ignored, e)) ||
	    (r = node_array(&archs, &ignored, e)) ||
	    (r = node_unsupported(&listener, "a listener outside of the sandbox is not supported", e)) ||
	    (r = node_unsupported(&meta, "a listener outside of the sandbox is not supported", e)))
		return r;
	ctx = seccomp_init(act);
	if (!ctx)
		return err_set(e, EINVAL, "%s: libseccomp refuses it", n->path);
	seccomp_arch_remove(ctx, seccomp_arch_native());
	r = seccomp_arch_add(ctx, SCMP_ARCH_X86_64);
	if (r == 0)
		r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (r < 0)
		err_sys(e, -r, "%s", n->path);
	for (size_t i = 0; r == 0 && i < count; i++) {
		struct node item = node_at(&calls, i);

		r = read_rule(ctx, &item, act, EPERM, &max_nr, e);
	}
	if (r == 0)
		r = export(ctx, act != SCMP_ACT_ALLOW && act != SCMP_ACT_LOG && max_nr >= 0, max_nr, p, e);
	seccomp_release(ctx);
	return r;
}
