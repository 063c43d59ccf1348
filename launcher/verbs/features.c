/* features: what this runtime can, as the runtime specification's features document has it. */
#include <stdio.h>
#include "common/base/util.h"
#include "launcher/verbs/verbs.h"

static const char text[] =
	"{\"ociVersionMin\":\"1.0.0\",\"ociVersionMax\":\"1.0.2\",\"hooks\":[\"prestart\",\"createRuntime\",\"createContainer\","
	"\"startContainer\",\"poststart\",\"poststop\"],\"mountOptions\":[\"async\",\"atime\",\"bind\",\"defaults\",\"dev\","
	"\"diratime\",\"dirsync\",\"exec\",\"noatime\",\"nodev\",\"nodiratime\",\"noexec\",\"norelatime\",\"nostrictatime\","
	"\"nosuid\",\"nosymfollow\",\"private\",\"rbind\",\"relatime\",\"ro\",\"rprivate\",\"rslave\",\"rw\",\"slave\","
	"\"strictatime\",\"suid\",\"sync\"],\"linux\":{\"namespaces\":[\"cgroup\",\"ipc\",\"mount\",\"network\",\"pid\",\"user\","
	"\"uts\"],\"cgroup\":{\"v1\":true,\"v2\":true,\"systemd\":false,\"systemdUser\":false},\"seccomp\":{\"enabled\":true,"
	"\"actions\":[\"SCMP_ACT_ALLOW\",\"SCMP_ACT_ERRNO\",\"SCMP_ACT_KILL\",\"SCMP_ACT_KILL_PROCESS\","
	"\"SCMP_ACT_KILL_THREAD\",\"SCMP_ACT_LOG\",\"SCMP_ACT_TRACE\",\"SCMP_ACT_TRAP\"],\"operators\":[\"SCMP_CMP_EQ\","
	"\"SCMP_CMP_GE\",\"SCMP_CMP_GT\",\"SCMP_CMP_LE\",\"SCMP_CMP_LT\",\"SCMP_CMP_MASKED_EQ\",\"SCMP_CMP_NE\"],"
	"\"archs\":[\"SCMP_ARCH_X86_64\"]},\"apparmor\":{\"enabled\":false},\"selinux\":{\"enabled\":false}},"
	"\"annotations\":{\"org.sbx.version\":\"" SBX_VERSION "\"}}";

static int do_features(struct context *ctx, int argc, char **argv, struct err *e)
{
	json_t *json = json_loads(text, 0, NULL), *caps = json_array();
	int r = 0;

	for (int cap = 0; cap < 64; cap++)
		if (spec_cap_name(cap))
			json_array_append_new(caps, json_string(spec_cap_name(cap)));
	if (!json || json_object_set_new(json_object_get(json, "linux"), "capabilities", caps) < 0 ||
	    json_dumpf(json, stdout, JSON_INDENT(2)) < 0)
		r = err_sys(e, ENOMEM, "features");
	putchar('\n');
	json_decref(json);
	return r;
}

const struct verb verb_features = {
	.name = "features", .usage = "", .help = "print what this runtime can, as JSON", .run = do_features,
};
