#include "launcher/oci/hooks.h"

#include "common/base/util.h"

static const char *const kinds[HOOK_KINDS] = {
	[HOOK_PRESTART] = "prestart", [HOOK_CREATE_RUNTIME] = "createRuntime",
	[HOOK_CREATE_CONTAINER] = "createContainer", [HOOK_START_CONTAINER] = "startContainer",
	[HOOK_POSTSTART] = "poststart", [HOOK_POSTSTOP] = "poststop",
};

const char *hook_kind_name(enum hook_kind kind)
{
	return kinds[kind];
}

void hooks_done(struct hooks *h)
{
	for (int k = 0; k < HOOK_KINDS; k++) {
		for (size_t i = 0; i < h->count[k]; i++) {
			free(h->list[k][i].path);
			ctl_strv_done(&h->list[k][i].args);
			ctl_strv_done(&h->list[k][i].env);
		}
		free(h->list[k]);
	}
	*h = (struct hooks){0};
}

static int read_hook(const struct node *n, struct hook *h, struct err *e)
{
	struct node path = node_get(n, "path"), args = node_get(n, "args"), env = node_get(n, "env"),
		    timeout = node_get(n, "timeout");
	const char *p = NULL;
	uint64_t seconds = 1;
	int r;

	if (!json_is_object(n->v))
		return err_set(e, EINVAL, "%s: must be an object", n->path);
	if ((r = node_object(n, "path args env timeout", e)) || (r = node_text(&path, &p, e)) ||
	    (r = node_strv(&args, &h->args, e)) || (r = node_strv(&env, &h->env, e)) ||
	    (r = node_uint(&timeout, 1u << 22, &seconds, e)))
		return r;
	if (!p || p[0] != '/')
		return err_set(e, EINVAL, "%s: must be an absolute path", path.path);
	if (timeout.v && !seconds)
		return err_set(e, EINVAL, "%s: must be greater than zero", timeout.path);
	h->timeout_s = timeout.v ? (uint32_t)seconds : 0;
	h->path = strdup(p);
	if (!h->path || (h->args.count == 0 && ctl_strv_add(&h->args, p) < 0))
		return err_sys(e, ENOMEM, "%s", path.path);
	return 0;
}

int hooks_read(const struct node *n, struct hooks *ret, struct err *e)
{
	int r = node_object(n, "prestart createRuntime createContainer startContainer poststart poststop", e);

	for (int k = 0; k < HOOK_KINDS && r == 0; k++) {
		struct node list = node_get(n, kinds[k]);
		size_t count = 0;

		r = node_array(&list, &count, e);
		if (r < 0 || count == 0)
			continue;
		ret->list[k] = calloc(count, sizeof(struct hook));
		if (!ret->list[k])
			return err_sys(e, ENOMEM, "%s", list.path);
		ret->count[k] = count;
		for (size_t i = 0; i < count && r == 0; i++) {
			struct node item = node_at(&list, i);

			r = read_hook(&item, &ret->list[k][i], e);
		}
	}
	return r;
}
