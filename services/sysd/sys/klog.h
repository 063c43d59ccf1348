/* The kernel's own log, as dmesg shows it. */
#ifndef SYSD_SYS_KLOG_H
#define SYSD_SYS_KLOG_H
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#define KLOG_ERR 3
#define KLOG_WARNING 4
#define KLOG_NOTICE 5
#define KLOG_INFO 6
/* Adds one line (without its end). The oldest ones make room. Executor only. */
void klog(int level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The first lines: who we are and what we run on. */
void klog_boot(void);
/* Record n (0: the oldest ever): -EPIPE when it is overwritten, -EAGAIN when it is not there yet,
 * else its length in buf, in the form of /dev/kmsg ("6,12,345;text\n"). */
ssize_t klog_record(uint64_t seq, char *buf, size_t size);
uint64_t klog_first(void);
uint64_t klog_next(void);
#endif
