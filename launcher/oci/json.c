#include "launcher/oci/json.h"

#include <stdio.h>
#include "common/base/util.h"
#include "common/log/log.h"

struct node node_root(const json_t *v)
{
	return (struct node){.v = v, .path = ""};
}

struct node node_get(const struct node *obj, const char *key)
{
	struct node n = {.v = json_object_get(obj->v, key)};

	if (json_is_null(n.v))
		n.v = NULL;
	if ((size_t)snprintf(n.path, sizeof(n.path), "%s%s%s", obj->path, obj->path[0] ? "." : "", key) >=
	    sizeof(n.path))
		strcpy(n.path + sizeof(n.path) - 4, "...");
	return n;
}

struct node node_at(const struct node *array, size_t index)
{
	struct node n = {.v = json_array_get(array->v, index)};

	if ((size_t)snprintf(n.path, sizeof(n.path), "%s[%zu]", array->path, index) >= sizeof(n.path))
		strcpy(n.path + sizeof(n.path) - 4, "...");
	return n;
}

static int wrong(const struct node *n, const char *want, struct err *e)
{
	return err_set(e, EINVAL, "%s: must be %s", n->path[0] ? n->path : "the top level", want);
}

static bool listed(const char *keys, const char *key)
{
	size_t size = strlen(key);

	for (const char *s = keys; *s;) {
		size_t n = strcspn(s, " ");

		if (n == size && !strncmp(s, key, n))
			return true;
		s += n + (s[n] == ' ');
	}
	return false;
}

int node_object(const struct node *n, const char *keys, struct err *e)
{
	const char *key;
	json_t *value;

	if (!n->v)
		return 0;
	if (!json_is_object(n->v))
		return wrong(n, "an object", e);
	json_object_foreach ((json_t *)n->v, key, value)
		if (!listed(keys, key)) /* config.md, "Extensibility": not an error */
			log_warn("config.json: %s%s%.200s is not known here and is passed over", n->path,
				 n->path[0] ? "." : "", key);
	return 0;
}

int node_array(const struct node *n, size_t *ret_count, struct err *e)
{
	if (n->v && !json_is_array(n->v))
		return wrong(n, "an array", e);
	*ret_count = json_array_size(n->v);
	return 0;
}

int node_text(const struct node *n, const char **ret, struct err *e)
{
	if (!n->v)
		return 0;
	if (!json_is_string(n->v))
		return wrong(n, "a string", e);
	if (strlen(json_string_value(n->v)) != json_string_length(n->v))
		return wrong(n, "a string without NUL", e);
	if (json_string_length(n->v) > CTL_STRING_MAX)
		return wrong(n, "a shorter string", e);
	*ret = json_string_value(n->v);
	return 0;
}

int node_bool(const struct node *n, bool *ret, struct err *e)
{
	if (!n->v)
		return 0;
	if (!json_is_boolean(n->v))
		return wrong(n, "true or false", e);
	*ret = json_is_true(n->v);
	return 0;
}

int node_int(const struct node *n, int64_t min, int64_t max, int64_t *ret, struct err *e)
{
	int64_t v;

	if (!n->v)
		return 0;
	if (!json_is_integer(n->v))
		return wrong(n, "a whole number", e);
	v = json_integer_value(n->v);
	if (v < min || v > max)
		return err_set(e, EINVAL, "%s: %lld is out of range", n->path, (long long)v);
	*ret = v;
	return 0;
}

int node_uint(const struct node *n, uint64_t max, uint64_t *ret, struct err *e)
{
	int64_t v = 0;
	int r;

	if (!n->v)
		return 0;
	if (json_is_real(n->v) && json_real_value(n->v) >= 18446744073709551615.0 && max == UINT64_MAX) {
		*ret = UINT64_MAX; /* RLIM_INFINITY, which jansson reads as a real */
		return 0;
	}
	r = node_int(n, 0, max > INT64_MAX ? INT64_MAX : (int64_t)max, &v, e);
	if (r == 0)
		*ret = (uint64_t)v;
	return r;
}

int node_strv(const struct node *n, struct ctl_strv *ret, struct err *e)
{
	size_t count = 0;
	int r = node_array(n, &count, e);

	if (r < 0)
		return r;
	if (count > CTL_STRV_MAX)
		return wrong(n, "a shorter array", e);
	for (size_t i = 0; i < count; i++) {
		struct node item = node_at(n, i);
		const char *s = NULL;

		r = node_text(&item, &s, e);
		if (r < 0)
			return r;
		if (!s)
			return wrong(&item, "a string", e);
		if (ctl_strv_add(ret, s) < 0)
			return err_sys(e, ENOMEM, "%s", item.path);
	}
	return 0;
}

int node_unsupported(const struct node *n, const char *why, struct err *e)
{
	if (!n->v || json_is_false(n->v) || (json_is_integer(n->v) && json_integer_value(n->v) == 0) ||
	    (json_is_string(n->v) && json_string_length(n->v) == 0) ||
	    (json_is_array(n->v) && json_array_size(n->v) == 0) ||
	    (json_is_object(n->v) && json_object_size(n->v) == 0))
		return 0;
	return err_set(e, ENOTSUP, "%s: %s", n->path, why ? why : "not supported");
}
