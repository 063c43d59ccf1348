/* eventfds that the kernel itself signals. */
#ifndef SYSD_EVENT_EVENTFD_H
#define SYSD_EVENT_EVENTFD_H
#include <stdbool.h>
struct file;
bool file_is_eventfd(const struct file *f);
/* Adds 1, short of the end of the count. f is one. Never sleeps. */
void eventfd_signal(struct file *f);
#endif
