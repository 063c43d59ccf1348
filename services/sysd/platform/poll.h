/* The executor's watch over slots. */
#ifndef SYSD_PLATFORM_POLL_H
#define SYSD_PLATFORM_POLL_H

struct hthread;

/* From now on the slot of ht is polled for a request; or no longer. Idempotent. */
void poll_add(struct hthread *ht);
void poll_remove(struct hthread *ht);
/* Implemented by hthread.c for the poller. */
void hthread_take_request(struct hthread *ht);
void hthread_say_byes(void);

#endif
