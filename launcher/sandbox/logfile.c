#include "launcher/sandbox/logfile.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/time.h>
#include <time.h>
#include "common/base/util.h"
#include "launcher/cli/clean.h"

#define HEAD_SIZE 512
#define STAMP_SIZE 27 /* 2026-01-02T03:04:05.678901Z */

int logfile_open(const char *dir, const char *name, const char *id, bool json, struct err *e)
{
	char path[PATH_MAX], when[32], stamp[40];
	struct timeval tv;
	struct tm tm;
	int fd;

	gettimeofday(&tv, NULL);
	localtime_r(&tv.tv_sec, &tm);
	strftime(when, sizeof(when), "%Y%m%d-%H%M%S", &tm);
	snprintf(path, sizeof(path), "%s/" LOGFILE_PREFIX "%s.%06ld.%s", dir, when, (long)tv.tv_usec, name);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	if (fd < 0)
		return err_sys(e, errno, "%s", path);
	gmtime_r(&tv.tv_sec, &tm);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
	if ((json ? dprintf(fd, "{\"level\":\"info\",\"process\":\"%s\",\"time\":\"%s.%06ldZ\",\"msg\":\"" LOGFILE_HEAD
				"%s\"}\n", name, stamp, (long)tv.tv_usec, id ? id : "-")
		  : dprintf(fd, "%s.%06ldZ info %s: " LOGFILE_HEAD "%s\n", stamp, (long)tv.tv_usec, name, id ? id : "-")) < 0) {
		int error = errno;

		close(fd);
		return err_sys(e, error, "%s", path);
	}
	return fd;
}

/* ---- merging ------------------------------------------------------------------------------------ */

/* One file under way: its next line and when that was written. */
struct source {
	FILE *f;
	char *line, *name;
	size_t room;
	char stamp[STAMP_SIZE + 1];
};

struct sources {
	struct source *v;
	size_t count;
};

static void sources_done(struct sources *s)
{
	for (size_t i = 0; i < s->count; i++) {
		if (s->v[i].f)
			fclose(s->v[i].f);
		free(s->v[i].line);
		free(s->v[i].name);
	}
	free(s->v);
}

/* The time of a line: at its beginning, or behind "time": in JSON. A line without one (what a library said
 * before it aborted) belongs to the line before it. */
static void read_stamp(struct source *s)
{
	const char *p = s->line[0] == '{' ? strstr(s->line, "\"time\":\"") : s->line;

	if (p && s->line[0] == '{')
		p += strlen("\"time\":\"");
	if (!p || strlen(p) < STAMP_SIZE || p[4] != '-' || p[10] != 'T' || p[STAMP_SIZE - 1] != 'Z')
		return;
	memcpy(s->stamp, p, STAMP_SIZE);
}

static bool next_line(struct source *s)
{
	if (getline(&s->line, &s->room, s->f) < 0)
		return false;
	read_stamp(s);
	return true;
}

static bool is_of(const char *head, const char *id)
{
	const char *p = strstr(head, LOGFILE_HEAD);
	size_t n = strlen(id);

	if (!p || strncmp(p + strlen(LOGFILE_HEAD), id, n) != 0)
		return false;
	p += strlen(LOGFILE_HEAD) + n;
	return *p == '\n' || *p == '"' || !*p;
}

static int add_file(struct sources *all, int dir_fd, const char *name, const char *id)
{
	CLEANUP_CLOSE int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct source s = {.f = fd >= 0 ? fdopen(fd, "r") : NULL}, *more;

	if (!s.f)
		return fd < 0 ? 0 : -ENOMEM;
	fd = -1;
	if (!next_line(&s) || !is_of(s.line, id)) {
		fclose(s.f);
		free(s.line);
		return 0;
	}
	more = realloc(all->v, (all->count + 1) * sizeof(*more));
	s.name = strdup(name);
	if (more)
		all->v = more;
	if (!more || !s.name) {
		fclose(s.f);
		free(s.line);
		free(s.name);
		return -ENOMEM;
	}
	all->v[all->count++] = s;
	return 0;
}

/* The value of `key` in a line that log_write made, from *at on, as it is within its quotes. */
static bool json_field(const char **at, const char *key, const char **ret_value, int *ret_size)
{
	char head[32];
	int n = snprintf(head, sizeof(head), "%s\"%s\":\"", **at == '{' ? "{" : ",", key);
	const char *p = *at + n, *end;

	if (strncmp(*at, head, (size_t)n) != 0)
		return false;
	for (end = p; *end && *end != '"'; end++)
		if (*end == '\\' && end[1])
			end++;
	if (!*end || end - p > INT_MAX)
		return false;
	*ret_value = p;
	*ret_size = (int)(end - p);
	*at = end + 1;
	return true;
}

/* A JSON line as log_write would have written it in text. Control characters stay escaped, as they may come from the
 * guest. False: it is not such a line (cut off, or another program's), or cannot be written. */
static bool put_as_text(const char *line, FILE *out)
{
	const char *level, *process, *when, *msg;
	int level_size, process_size, when_size, msg_size;

	if (!json_field(&line, "level", &level, &level_size) || !json_field(&line, "process", &process, &process_size) ||
	    !json_field(&line, "time", &when, &when_size) || !json_field(&line, "msg", &msg, &msg_size))
		return false;
	fprintf(out, "%.*s %.*s %.*s: ", when_size, when, level_size, level, process_size, process);
	for (int i = 0; i < msg_size; i++) {
		if (msg[i] == '\\' && i + 5 < msg_size && !strncmp(msg + i, "\\u00", 4)) {
			fprintf(out, "\\x%.2s", msg + i + 4);
			i += 5;
			continue;
		}
		if (msg[i] == '\\' && i + 1 < msg_size)
			i++;
		fputc(msg[i], out);
	}
	return fputc('\n', out) != EOF;
}

/* Each service wrote its own log, and a guest may have taken it over. */
static void put_line(const char *line, bool json, FILE *out)
{
	CLEANUP_FREE char *text = NULL;
	size_t size = 0;
	FILE *f = json ? NULL : open_memstream(&text, &size);
	bool is_text = f && put_as_text(line, f);

	if (f && fclose(f) != 0)
		is_text = false;
	clean_print(out, is_text ? text : line, true);
}

int logfile_merge(const char *dir, const char *id, bool json, FILE *out, struct err *e)
{
	struct sources all = {0};
	DIR *d = opendir(dir);
	struct dirent *de;
	int r = 0;

	if (!d)
		return err_sys(e, errno, "%s", dir);
	while (r == 0 && (de = readdir(d)))
		if (!strncmp(de->d_name, LOGFILE_PREFIX, strlen(LOGFILE_PREFIX)))
			r = add_file(&all, dirfd(d), de->d_name, id);
	closedir(d);
	if (r == 0 && all.count == 0)
		r = err_set(e, ENOENT, "%s has no log of container %s", dir, id);
	else if (r < 0)
		err_sys(e, -r, "%s", dir);
	while (r == 0) {
		struct source *first = NULL;

		for (size_t i = 0; i < all.count; i++)
			if (all.v[i].f && (!first || strcmp(all.v[i].stamp, first->stamp) < 0))
				first = &all.v[i];
		if (!first)
			break;
		put_line(first->line, json, out);
		if (ferror(out)) {
			r = err_sys(e, errno, "writing the log");
			break;
		}
		if (!next_line(first)) {
			fclose(first->f);
			first->f = NULL;
		}
	}
	if (r == 0)
		r = (int)all.count;
	sources_done(&all);
	return r;
}
