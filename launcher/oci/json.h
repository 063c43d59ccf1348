/* Access to config.json that names what is wrong: every value carries its path, and a wrong type is an
 * error with that path. What the specification does not name is logged and passed over, as it demands. */
#ifndef LAUNCHER_OCI_JSON_H
#define LAUNCHER_OCI_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include "common/ipc/msg_ctl.h"
#include "launcher/error.h"

struct node {
	const json_t *v;   /* NULL: absent (or null in the file) */
	char path[256];
};

struct node node_root(const json_t *v);
struct node node_get(const struct node *obj, const char *key);
struct node node_at(const struct node *array, size_t index);

/* 0 when the node is absent or an object (array); keys that are not among `keys` (space-separated) are logged. */
int node_object(const struct node *n, const char *keys, struct err *e);
int node_array(const struct node *n, size_t *ret_count, struct err *e);
/* Absent leaves *ret as it is; a wrong type is an error. */
int node_text(const struct node *n, const char **ret, struct err *e);
int node_bool(const struct node *n, bool *ret, struct err *e);
int node_uint(const struct node *n, uint64_t max, uint64_t *ret, struct err *e);
int node_int(const struct node *n, int64_t min, int64_t max, int64_t *ret, struct err *e);
int node_strv(const struct node *n, struct ctl_strv *ret, struct err *e);
/* An error when the node holds anything but null, "", [], {}, false or 0: it cannot be honoured. */
int node_unsupported(const struct node *n, const char *why, struct err *e);

#endif
