/* Log lines. A line is put together in one buffer and leaves in one write(2), so that lines of
 * several processes that share a descriptor do not mix. Text lines are for people and for
 * `--log-format text`, JSON lines are what containerd and Docker read (time, level, msg). */
#include "common/log/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include "common/base/util.h"

#define LINE_SIZE 2048

static struct {
	const char *name;
	int fd, also_fd;
	enum log_level level;
	enum log_format format;
} state = {.name = "sbx", .fd = -1, .also_fd = -1, .level = LOG_INFO_, .format = LOG_TEXT};

static const char *const level_names[] = {"debug", "info", "warning", "error"};

void log_init(const char *name, int fd, enum log_level level, enum log_format format)
{
	state.name = name;
	state.fd = fd;
	state.level = level;
	state.format = format;
}

void log_also(int fd)
{
	state.also_fd = fd;
}

bool log_enabled(enum log_level level)
{
	return state.fd >= 0 && level >= state.level;
}

int log_fd(void)
{
	return state.fd;
}

/* JSON string escapes; control characters and the quote and backslash. Stops at a full buffer. */
static size_t put_json(char *dst, size_t size, const char *s)
{
	size_t n = 0;

	for (; *s && n + 7 < size; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\') {
			dst[n++] = '\\';
			dst[n++] = (char)c;
		} else if (c < 0x20 || c == 0x7f) {
			n += (size_t)snprintf(dst + n, size - n, "\\u%04x", c);
		} else {
			dst[n++] = (char)c;
		}
	}
	return n;
}

/* Text goes to terminals: nothing that a guest or a file name put in may control one. */
static size_t put_text(char *dst, size_t size, const char *s)
{
	size_t n = 0;

	for (; *s && n + 5 < size; s++) {
		unsigned char c = (unsigned char)*s;

		if (c < 0x20 || c == 0x7f)
			n += (size_t)snprintf(dst + n, size - n, "\\x%02x", c);
		else
			dst[n++] = (char)c;
	}
	return n;
}

static void write_line(int fd, const char *line, size_t size)
{
	ssize_t r;

	do {
		r = write(fd, line, size);
	} while (r < 0 && errno == EINTR);
}

void log_write(enum log_level level, const char *fmt, ...)
{
	char msg[LINE_SIZE / 2], line[LINE_SIZE], when[40];
	int saved = errno;
	struct timespec ts;
	struct tm tm;
	size_t n;
	va_list ap;

	if (!log_enabled(level))
		return;
	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	n = strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(when + n, sizeof(when) - n, ".%06ldZ", ts.tv_nsec / 1000);
	if (state.format == LOG_JSON) {
		n = (size_t)snprintf(line, sizeof(line),
				     "{\"level\":\"%s\",\"process\":\"%s\",\"time\":\"%s\",\"msg\":\"",
				     level_names[level], state.name, when);
		n += put_json(line + n, sizeof(line) - n - 4, msg);
		memcpy(line + n, "\"}\n", 3);
		n += 3;
	} else {
		n = (size_t)snprintf(line, sizeof(line), "%s %s %s: ", when, level_names[level], state.name);
		n += put_text(line + n, sizeof(line) - n - 2, msg);
		line[n++] = '\n';
	}
	write_line(state.fd, line, n);
	if (state.also_fd >= 0)
		write_line(state.also_fd, line, n);
	errno = saved;
}
