/* inotify(7): limits, as /proc/sys/fs/inotify shows them. Events come in through vfs/fsnotify.h. */
#ifndef SYSD_EVENT_INOTIFY_H
#define SYSD_EVENT_INOTIFY_H

extern unsigned inotify_max_queued_events, inotify_max_user_instances, inotify_max_user_watches;

#endif
