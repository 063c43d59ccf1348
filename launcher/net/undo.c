#include "launcher/net/undo.h"

#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "common/base/util.h"
#include "launcher/net/nat.h"
#include "launcher/net/rtnl.h"

#define LIST_MAX (8l << 20)
#define STEPS_MAX 16384

struct step {
	uint32_t kind, size;
	uint8_t data[];
};

int undo_new(void)
{
	int fd = memfd_create("undo", MFD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int undo_add(int list, enum undo_kind kind, const void *data, size_t size)
{
	uint8_t buf[sizeof(struct step) + RTNL_MSG_MAX] = {0};
	struct step *s = (struct step *)(void *)buf;
	size_t whole = ALIGN_UP(sizeof(*s) + size, 8);
	ssize_t n;

	if (whole > sizeof(buf))
		return -E2BIG;
	s->kind = kind;
	s->size = (uint32_t)size;
	memcpy(s->data, data, size);
	n = write(list, buf, whole);
	return n == (ssize_t)whole ? 0 : n < 0 ? -errno : -EIO;
}

int undo_add_text(int list, enum undo_kind kind, const char *text)
{
	return undo_add(list, kind, text, strlen(text) + 1);
}

static void run(const char *words, size_t size)
{
	char *argv[32];
	size_t n = 0;
	pid_t pid;

	for (size_t at = 0; at < size && n + 1 < ARRAY_SIZE(argv); at += strlen(words + at) + 1)
		argv[n++] = (char *)words + at;
	argv[n] = NULL;
	if (!n)
		return;
	pid = nat_spawn(argv, -1);
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

static void set_sysctl(const char *text)
{
	char path[256];
	const char *equals = strchr(text, '=');

	if (!equals || (size_t)snprintf(path, sizeof(path), "/proc/sys/%.*s", (int)(equals - text), text) >=
			       sizeof(path))
		return;
	CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, equals + 1, strlen(equals + 1)) < 0)
		return;
}

static void delete_link(int sock, const char *name)
{
	struct ifinfomsg ifi = {.ifi_family = AF_UNSPEC};
	struct rtnl_msg m;

	rtnl_init(&m, RTM_DELLINK, 0, &ifi, sizeof(ifi));
	rtnl_put_text(&m, IFLA_IFNAME, name);
	rtnl_call(sock, &m);
}

/* Routes may need each other (a gateway behind a route): go round until nothing more succeeds. */
static void replay(struct step *const *steps, size_t count)
{
	static bool done[STEPS_MAX];
	int sock = rtnl_open();
	bool again = sock >= 0;

	memset(done, 0, sizeof(done));
	while (again) {
		again = false;
		for (size_t i = 0; i < count; i++) {
			const struct nlmsghdr *h = (const struct nlmsghdr *)(void *)steps[i]->data;
			int r;

			if (steps[i]->kind != UNDO_ROUTE || done[i] || steps[i]->size < sizeof(*h) ||
			    h->nlmsg_len > steps[i]->size)
				continue;
			r = rtnl_replay(sock, h, NLM_F_CREATE | (h->nlmsg_type == RTM_NEWRULE ? NLM_F_EXCL
										   : NLM_F_REPLACE));
			done[i] = r == 0 || r == -EEXIST;
			again |= done[i];
		}
	}
	close_fd(&sock);
}

static void run_here(struct step *const *steps, size_t count)
{
	int sock = rtnl_open();

	for (size_t i = count; i-- > 0;) {
		const char *text = (const char *)steps[i]->data;

		switch (steps[i]->kind) {
		case UNDO_LINK:
			delete_link(sock, text);
			break;
		case UNDO_RUN:
			run(text, steps[i]->size);
			break;
		case UNDO_NAT:
			nat_leave(text);
			break;
		}
	}
	close_fd(&sock);
}

void undo_run(int list, int netns, int host)
{
	static struct step *steps[STEPS_MAX];
	struct stat st;
	size_t count = 0;
	uint8_t *map;

	if (list < 0 || fstat(list, &st) < 0 || st.st_size <= 0 || st.st_size > LIST_MAX)
		return;
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, list, 0);
	if (map == MAP_FAILED)
		return;
	for (size_t at = 0; at + sizeof(struct step) <= (size_t)st.st_size && count < STEPS_MAX;) {
		struct step *s = (struct step *)(void *)(map + at);

		at += ALIGN_UP(sizeof(*s) + s->size, 8);
		if (at > (size_t)st.st_size)
			break;
		steps[count++] = s;
	}
	if (host >= 0 && setns(host, CLONE_NEWNET) == 0)
		run_here(steps, count);
	if (netns >= 0 && setns(netns, CLONE_NEWNET) == 0) {
		for (size_t i = count; i-- > 0;) {
			if (steps[i]->kind == UNDO_SYSCTL)
				set_sysctl((const char *)steps[i]->data);
			if (steps[i]->kind == UNDO_RUN_INSIDE)
				run((const char *)steps[i]->data, steps[i]->size);
		}
		replay(steps, count);
		if (setns(host, CLONE_NEWNET) < 0)
			_exit(1);
	}
	munmap(map, (size_t)st.st_size);
}
