/* Logging of all processes: levels, text or JSON lines (as runc's --log-format), to one descriptor. */
#ifndef SBX_LOG_LOG_H
#define SBX_LOG_LOG_H

#include <stdbool.h>

enum log_level { LOG_DEBUG_, LOG_INFO_, LOG_WARN_, LOG_ERROR_ };
enum log_format { LOG_TEXT, LOG_JSON };

/* fd -1: nothing is logged. `name` is the process's ("sysd"); kept by reference. Any thread. */
void log_init(const char *name, int fd, enum log_level level, enum log_format format);
/* Every line goes to this descriptor too (-1: no other). */
void log_also(int fd);
bool log_enabled(enum log_level level);
int log_fd(void);
/* One line in one write(2). Keeps errno. */
void log_write(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
#define log_debug(...) (log_enabled(LOG_DEBUG_) ? log_write(LOG_DEBUG_, __VA_ARGS__) : (void)0)
#define log_info(...) (log_enabled(LOG_INFO_) ? log_write(LOG_INFO_, __VA_ARGS__) : (void)0)
#define log_warn(...) log_write(LOG_WARN_, __VA_ARGS__)
#define log_error(...) log_write(LOG_ERROR_, __VA_ARGS__)

#endif
