/* The guest's view of its memory: the host's maps of the process, without what is the runtime's, with
 * the guest's own file names and the places only sysd knows. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include "common/base/util.h"
#include "services/sysd/mm/internal.h"
#include "services/sysd/mm/memd_client.h"
#include "services/sysd/mm/mm.h"
#include "services/sysd/mm/vma.h"
#include "services/sysd/task/task.h"

struct text {
	char *buf;
	size_t size;
};

/* All of a /proc file, which gives up to a page a read. */
static int read_all(int fd, struct text *ret)
{
	size_t capacity = 16384, size = 0;
	char *buf = malloc(capacity);

	if (!buf)
		return -ENOMEM;
	for (;;) {
		if (capacity - size < 8192) {
			char *more = capacity < (64u << 20) ? realloc(buf, capacity * 2) : NULL;

			if (!more) {
				free(buf);
				return -ENOMEM;
			}
			buf = more;
			capacity *= 2;
		}
		ssize_t n = pread(fd, buf + size, capacity - size - 1, (off_t)size);

		if (n < 0) {
			n = -errno;
			free(buf);
			return (int)n;
		}
		if (n == 0)
			break;
		size += (size_t)n;
	}
	buf[size] = '\0';
	*ret = (struct text){buf, size};
	return 0;
}

/* start-end perms offset maj:min inode [name]; false when the line is none. */
static bool parse_line(char *line, struct mm_region *r, uint64_t *ret_ino, char **ret_name)
{
	unsigned long start, end, offset, ino;
	unsigned maj, min;
	char perms[8];
	int at = 0;

	if (sscanf(line, "%lx-%lx %7s %lx %x:%x %lu %n", &start, &end, perms, &offset, &maj, &min, &ino, &at) <
		    7 ||
	    strlen(perms) != 4)
		return false;
	*r = (struct mm_region){.start = start, .end = end, .offset = offset};
	r->prot = (perms[0] == 'r' ? PROT_READ : 0) | (perms[1] == 'w' ? PROT_WRITE : 0) |
		  (perms[2] == 'x' ? PROT_EXEC : 0);
	r->flags = perms[3] == 's' ? MAP_SHARED : MAP_PRIVATE;
	*ret_ino = ino;
	*ret_name = line + at;
	return true;
}

static const char *special_name(const struct mm *mm, const struct mm_region *r, uint64_t ino, const char *host)
{
	if (!strncmp(host, "[vvar", 5) || !strcmp(host, "[vdso]") || !strcmp(host, "[vsyscall]"))
		return host;
	if (ino)
		return r->flags & MAP_SHARED ? "/dev/zero (deleted)" : NULL;
	if (mm->start_stack >= r->start && mm->start_stack < r->end)
		return "[stack]";
	if (r->start < page_round(mm->brk) && r->end > mm->start_brk)
		return "[heap]";
	return NULL;
}

static void add_stat(struct mm_region *r, const char *line)
{
	static const struct {
		const char *key;
		size_t at;
	} keys[] = {
		{"Rss:", offsetof(struct mm_region, rss)},
		{"Pss:", offsetof(struct mm_region, pss)},
		{"Shared_Dirty:", offsetof(struct mm_region, dirty)},
		{"Private_Dirty:", offsetof(struct mm_region, dirty)},
		{"Locked:", offsetof(struct mm_region, locked)},
	};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strncmp(line, keys[i].key, strlen(keys[i].key)))
			*(uint64_t *)((char *)r + keys[i].at) +=
				strtoull(line + strlen(keys[i].key), NULL, 10) * 1024;
}

static int show(struct mm *mm, struct mm_region *r, uint64_t ino, const char *name,
		int (*fn)(const struct mm_region *, void *), void *arg)
{
	struct file_vma *v;

	if (r->end <= r->start || mm_touches_runtime(r->start, r->end - r->start))
		return 0;
	v = ino ? vma_find(mm, r->start, 0, ino) : NULL;
	if (v) {
		r->path = &v->path;
		r->offset = v->offset + (r->start - v->start);
	} else {
		if (!ino)
			r->offset = 0;
		r->name = special_name(mm, r, ino, name);
	}
	return fn(r, arg);
}

static int walk_text(struct mm *mm, struct text *text, int (*fn)(const struct mm_region *, void *), void *arg)
{
	struct mm_region r = {0};
	char *save = NULL, *name = NULL;
	uint64_t ino = 0;
	bool have = false;
	int ret = 0;

	for (char *line = strtok_r(text->buf, "\n", &save); line && !ret; line = strtok_r(NULL, "\n", &save)) {
		if (isupper((unsigned char)line[0])) {
			if (have)
				add_stat(&r, line);
			continue;
		}
		if (have)
			ret = show(mm, &r, ino, name, fn, arg);
		have = parse_line(line, &r, &ino, &name);
	}
	if (have && !ret)
		ret = show(mm, &r, ino, name, fn, arg);
	return ret;
}

int mm_walk(struct mm *mm, bool stats, int (*fn)(const struct mm_region *r, void *arg), void *arg)
{
	CLEANUP_CLOSE int smaps_fd = -1;
	struct text text = {0};
	int fd, ret;

	if (mm->hp->dead)
		return 0;
	mm_ref(mm);
	if (stats) {
		fd = smaps_fd = memd_open(mm->hp, MEMD_OPEN_SMAPS);
	} else {
		if (mm->maps_fd < 0) {
			fd = memd_open(mm->hp, MEMD_OPEN_MAPS);
			if (mm->maps_fd < 0)
				mm->maps_fd = fd;
			else
				close_fd(&fd);
		}
		fd = mm->maps_fd;
	}
	if (fd < 0) {
		mm_unref(mm);
		return fd;
	}
	ret = read_all(fd, &text);
	if (!ret) {
		ret = walk_text(mm, &text, fn, arg);
		free(text.buf);
	}
	mm_unref(mm);
	return ret;
}


/* "Key:   123 kB" in bytes. */
static uint64_t status_value(const char *text, const char *key)
{
	const char *s = strstr(text, key);

	return s ? strtoull(s + strlen(key), NULL, 10) * 1024 : 0;
}

static uint64_t minus(uint64_t a, uint64_t b)
{
	return a - MIN(a, b);
}

/* From the host's status file, less what is the runtime's: its share does not change, but for the
 * pages of stacks and slots that it touched, which stay in rss. */
int mm_usage(struct mm *mm, struct mm_usage *ret_usage)
{
	const uint64_t text = page_round(memd_info.text_size);
	const uint64_t data = SBX_R_DATA_SIZE + SBX_THREADS_MAX * SBX_THREAD_STRIDE;
	const uint64_t all = text + data + SBX_R_CTL_SIZE + SBX_PAGE_SIZE + SBX_SLOTS_SIZE;
	struct mm_usage u = {0};
	char buf[4096];
	ssize_t n;

	if (mm->hp->dead) {
		*ret_usage = u;
		return 0;
	}
	mm_ref(mm);
	CLEANUP_CLOSE int fd = memd_open(mm->hp, MEMD_OPEN_STATUS);

	mm_unref(mm);
	if (fd < 0)
		return fd;
	n = pread(fd, buf, sizeof(buf) - 1, 0);
	if (n <= 0)
		return n < 0 ? -errno : -ESRCH;
	buf[n] = '\0';
	u.size = minus(status_value(buf, "\nVmSize:"), all);
	u.peak_size = MAX(minus(status_value(buf, "\nVmPeak:"), all), u.size);
	u.locked = MIN(status_value(buf, "\nVmLck:"), u.size); /* mlockall takes the runtime along */
	u.rss = status_value(buf, "\nVmRSS:");
	u.peak_rss = MAX(status_value(buf, "\nVmHWM:"), u.rss);
	u.shared = status_value(buf, "\nRssFile:") + status_value(buf, "\nRssShmem:");
	u.text = minus(status_value(buf, "\nVmExe:") + status_value(buf, "\nVmLib:"), text);
	u.data = minus(status_value(buf, "\nVmData:"), data);
	u.stack = status_value(buf, "\nVmStk:");
	*ret_usage = u;
	return 0;
}
