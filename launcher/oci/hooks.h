/* The hooks of config.json: programs of the host (startContainer: of the container) that are run at
 * fixed moments of a container's life, with its state on their stdin. */
#ifndef LAUNCHER_OCI_HOOKS_H
#define LAUNCHER_OCI_HOOKS_H

#include <jansson.h>
#include <stddef.h>
#include "launcher/error.h"
#include "launcher/oci/json.h"

enum hook_kind {
	HOOK_PRESTART,         /* before the process exists, in the host's namespaces */
	HOOK_CREATE_RUNTIME,   /* the same, after them */
	HOOK_CREATE_CONTAINER, /* the same, in the container's network and a copy of the host's mounts */
	HOOK_START_CONTAINER,  /* in the container, before its process */
	HOOK_POSTSTART,        /* on the host, when the process runs */
	HOOK_POSTSTOP,         /* on the host, when the container is deleted */
	HOOK_KINDS,
};

struct hook {
	char *path;
	struct ctl_strv args, env; /* args: with args[0]; empty: the path alone */
	uint32_t timeout_s;        /* 0: none */
};

struct hooks {
	struct hook *list[HOOK_KINDS];
	size_t count[HOOK_KINDS];
};

int hooks_read(const struct node *n, struct hooks *ret, struct err *e);
void hooks_done(struct hooks *h);
/* "prestart"... */
const char *hook_kind_name(enum hook_kind kind);

#endif
