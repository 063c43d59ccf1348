/* The seccomp allow-list of a service, from its policy table, through libseccomp. */
#include "common/confine/confine.h"

#include <seccomp.h>
#include <sys/prctl.h>
#include "common/base/util.h"
#include "common/log/log.h"

bool confine_active(const struct confine_call *c, const struct confine_options *opt)
{
	return c->only == 0 || (c->only == 1 && opt->terminal) || (c->only == 2 && opt->debug) ||
	       (c->only == 3 && opt->host_network) || (c->only == 4 && opt->host_sockets);
}

size_t confine_count(const struct confine_policy *p, const struct confine_options *opt)
{
	size_t count = 0;

	for (size_t i = 0; i < p->call_count; i++) {
		bool seen = false;

		if (!confine_active(&p->calls[i], opt))
			continue;
		for (size_t j = 0; j < i && !seen; j++)
			seen = p->calls[j].nr == p->calls[i].nr && confine_active(&p->calls[j], opt);
		count += !seen;
	}
	return count;
}

static int add_call(scmp_filter_ctx ctx, const struct confine_call *c)
{
	struct scmp_arg_cmp cmp[ARRAY_SIZE(c->args)];

	for (unsigned i = 0; i < c->arg_count; i++)
		cmp[i] = SCMP_CMP64(c->args[i].index, SCMP_CMP_MASKED_EQ, c->args[i].mask,
				    c->args[i].value);
	return seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, c->nr, c->arg_count, cmp);
}

static int install(const struct confine_policy *p, const struct confine_options *opt)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int r;

	if (!ctx)
		return -ENOMEM;
	r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);
	if (r == 0)
		r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a tree by number */
	for (size_t i = 0; r == 0 && i < p->call_count; i++) {
		if (!confine_active(&p->calls[i], opt))
			continue;
		r = add_call(ctx, &p->calls[i]);
		if (r == -EEXIST)
			r = 0;
		if (r < 0)
			log_error("%s: the policy's entry %zu (call %d) is refused: %s", p->service, i,
				  p->calls[i].nr, strerror(-r));
	}
	if (r == 0)
		r = seccomp_load(ctx);
	seccomp_release(ctx);
	return r;
}

int confine_apply(const struct confine_policy *p, const struct confine_options *opt)
{
	size_t plain = confine_count(p, &(struct confine_options){0}), count = confine_count(p, opt);
	int r;

	if (opt->unsafe) {
		log_warn("%s runs WITHOUT a seccomp filter, as was asked for", p->service);
		return 0;
	}
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	log_info("installing seccomp filter for %zu system calls", count);
	if (count > plain)
		log_warn("the filter is wider by %zu system calls (%s%s%s%s)", count - plain,
			 opt->terminal ? " terminal" : "", opt->debug ? " debug" : "",
			 opt->host_network ? " network=host" : "", opt->host_sockets ? " host-uds=open" : "");
	r = install(p, opt);
	if (r < 0)
		log_error("%s: cannot install the seccomp filter: %s", p->service, strerror(-r));
	return r;
}
