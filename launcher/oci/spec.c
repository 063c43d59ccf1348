/* Reading a bundle, and the spec that `do` makes up. */
#include "launcher/oci/spec.h"

#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include "common/base/util.h"

#define CONFIG_MAX (4u * 1024 * 1024)

void spec_free(struct spec *s)
{
	if (!s)
		return;
	free(s->bundle);
	free(s->rootfs);
	free(s->cgroup_path);
	free(s->netns_path);
	hooks_done(&s->hooks);
	json_decref(s->hooks_json);
	free(s->oci_version);
	spec_resources_done(&s->resources);
	for (size_t i = 0; i < s->source_count; i++)
		free(s->sources[i].path);
	free(s->sources);
	ctl_config_free(s->config);
	ctl_process_free(s->process);
	json_decref(s->annotations);
	free(s);
}

static struct spec *spec_new(void)
{
	struct spec *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->config = calloc(1, sizeof(*s->config));
	s->process = calloc(1, sizeof(*s->process));
	s->annotations = json_object();
	if (!s->config || !s->process || !s->annotations || spec_inherit_rlimits(s->process) < 0) {
		spec_free(s);
		return NULL;
	}
	s->process->umask = 022;
	s->config->network = 1;
	return s;
}

static int read_root(const struct node *n, struct spec *s, const struct spec_options *opt, struct err *e)
{
	struct node path = node_get(n, "path"), ro = node_get(n, "readonly");
	char full[PATH_MAX], real[PATH_MAX];
	const char *p = NULL;
	bool readonly = false;
	struct ctl_mount *m;
	struct stat st;
	int r, index;

	if (!n->v)
		return err_set(e, EINVAL, "root: missing");
	if ((r = node_object(n, "path readonly", e)) || (r = node_text(&path, &p, e)) ||
	    (r = node_bool(&ro, &readonly, e)))
		return r;
	if (!p || !p[0])
		return err_set(e, EINVAL, "%s: missing", path.path);
	if ((size_t)snprintf(full, sizeof(full), "%s%s%s", p[0] == '/' ? "" : s->bundle, p[0] == '/' ? "" : "/",
			     p) >= sizeof(full))
		return err_sys(e, ENAMETOOLONG, "%s", path.path);
	if (!realpath(full, real))
		return err_sys(e, errno, "%s: %s", path.path, full);
	if (stat(real, &st) < 0 || !S_ISDIR(st.st_mode))
		return err_set(e, ENOTDIR, "%s: %s is not a directory", path.path, real);
	s->rootfs = strdup(real);
	index = spec_add_source(s, real, readonly || opt->overlay_memory, true, e);
	if (index < 0)
		return err_wrap(e, "%s", path.path);
	m = spec_add_mount(s, "/", "gofer", real, NULL, readonly ? 1 /* MS_RDONLY */ : 0, e);
	if (!m || !s->rootfs)
		return -ENOMEM;
	m->index = index;
	m->overlay = opt->overlay_memory;
	m->shared = opt->shared_files;
	m->recursive = true;
	return 0;
}

static int take_host_names(struct spec *s, struct err *e)
{
	struct utsname uts;

	if (uname(&uts) < 0)
		return err_sys(e, errno, "uname");
	free(s->config->hostname);
	free(s->config->domainname);
	s->config->hostname = strdup(uts.nodename);
	s->config->domainname = strdup(uts.domainname);
	return s->config->hostname && s->config->domainname ? 0 : err_sys(e, ENOMEM, "hostname");
}

static int read_top(const json_t *json, struct spec *s, const struct spec_options *opt, struct err *e)
{
	struct node top = node_root(json), version = node_get(&top, "ociVersion"),
		    process = node_get(&top, "process"), root = node_get(&top, "root"),
		    mounts = node_get(&top, "mounts"), host = node_get(&top, "hostname"),
		    domain = node_get(&top, "domainname"), linux_node = node_get(&top, "linux"),
		    annotations = node_get(&top, "annotations"),
		    hooks = node_get(&top, "hooks");
	static const char *const unsupported[] = {"windows", "solaris", "vm", "zos", "freebsd"};
	const char *v = NULL, *hostname = NULL, *domainname = NULL;
	int r;

	if (!json_is_object(json))
		return err_set(e, EINVAL, "the top level must be an object");
	if ((r = node_object(&top, "ociVersion process root hostname domainname mounts annotations hooks linux "
				   "windows solaris vm zos freebsd", e)) ||
	    (r = node_text(&version, &v, e)) || (r = node_text(&host, &hostname, e)) ||
	    (r = node_text(&domain, &domainname, e)))
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(unsupported); i++) {
		struct node x = node_get(&top, unsupported[i]);

		if ((r = node_unsupported(&x, NULL, e)))
			return r;
	}
	if (!v)
		return err_set(e, EINVAL, "ociVersion: missing");
	if (strncmp(v, "1.", 2) != 0)
		return err_set(e, ENOTSUP, "ociVersion: \"%s\" is not a version 1", v);
	if ((hostname && strlen(hostname) > 64) || (domainname && strlen(domainname) > 64))
		return err_set(e, ENAMETOOLONG, "hostname, domainname: at most 64 characters");
	if (annotations.v && !json_is_object(annotations.v))
		return err_set(e, EINVAL, "annotations: must be an object");
	if (annotations.v && json_object_update(s->annotations, (json_t *)annotations.v) < 0)
		return err_sys(e, ENOMEM, "annotations");
	s->hooks_json = json_incref((json_t *)hooks.v);
	s->oci_version = strdup(v);
	s->config->hostname = strdup(hostname ? hostname : "sbx");
	s->config->domainname = domainname ? strdup(domainname) : NULL;
	if ((r = read_root(&root, s, opt, e)) || (r = spec_read_mounts(&mounts, s, opt, e)) ||
	    (r = spec_read_linux(&linux_node, s, e)) || (r = hooks_read(&hooks, &s->hooks, e)) ||
	    (r = spec_read_process(&process, s->process, e)))
		return r;
	return s->host_uts ? take_host_names(s, e) : 0;
}

int spec_load(const char *bundle, const struct spec_options *opt, struct spec **ret_spec, struct err *e)
{
	char real[PATH_MAX], file[PATH_MAX + 16];
	struct spec *s;
	json_error_t je;
	json_t *json;
	struct stat st;
	int r;

	if (!realpath(bundle, real))
		return err_sys(e, errno, "bundle %s", bundle);
	snprintf(file, sizeof(file), "%s/config.json", real);
	if (stat(file, &st) < 0)
		return err_sys(e, errno, "%s", file);
	if (!S_ISREG(st.st_mode) || st.st_size > CONFIG_MAX)
		return err_set(e, EINVAL, "%s: not a file of at most 4 MiB", file);
	json = json_load_file(file, JSON_REJECT_DUPLICATES, &je);
	if (!json)
		return err_set(e, EINVAL, "%s: line %d: %s", file, je.line, je.text);
	s = spec_new();
	if (s)
		s->bundle = strdup(real);
	if (!s || !s->bundle) {
		r = err_sys(e, ENOMEM, "%s", file);
	} else {
		r = read_top(json, s, opt, e);
		if (r < 0)
			err_wrap(e, "%s", file);
	}
	json_decref(json);
	if (r < 0) {
		spec_free(s);
		return r;
	}
	*ret_spec = s;
	return 0;
}
