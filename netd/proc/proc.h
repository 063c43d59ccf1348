/* Files of /proc/net and /proc/sys/net, and the interface ioctls, of one stack. */
#ifndef NETD_PROC_PROC_H
#define NETD_PROC_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct netstack;

/* Text that grows. */
struct text {
	char *buf;
	size_t size, room;
	bool failed; /* no memory, or more than TEXT_MAX */
};
#define TEXT_MAX (64ul << 20)
void text_printf(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Spaces up to column `col` of the line that began at `from`, and a newline. */
void text_line_end(struct text *t, size_t from, size_t col);
void text_done(struct text *t);

/* Prints the file `name` below /proc/net as it is now. 0, -ENOENT, -ENOMEM. text_done in every case. */
int netproc_show(struct netstack *st, const char *name, struct text *out);
/* Reads a file below /proc/sys/net ("ipv4/tcp_rmem"): its text with the newline. -ENOENT, -ENOMEM. */
int netproc_sysctl_read(struct netstack *st, const char *name, struct text *out);
/* Writes it. -ENOENT, -EINVAL. */
int netproc_sysctl_write(struct netstack *st, const char *name, const char *value, size_t size);

/* An ioctl on a socket that is about interfaces, ARP or routes (netdevice(7), arp(7)). data holds what the argument
 * points to (struct ifreq, struct ifconf's room as its size...) and takes the answer; *size in and out. admin: the
 * caller has CAP_NET_ADMIN. 0, -ENOTTY (not one of these), -EPERM, -ENODEV... */
int netproc_ioctl(struct netstack *st, uint32_t cmd, bool admin, uint8_t *data, size_t room, size_t *size);

#endif
