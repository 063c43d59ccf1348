/* sysd's side of the control plane. Messages arrive on a thread of nng, are decoded there, and become
 * one strand each on the executor; a reply is sent from that strand. The launcher is trusted: it
 * configures the sandbox. Nothing a guest can write reaches this. */
#ifndef SYSD_CTL_CTL_H
#define SYSD_CTL_CTL_H

/* Dials the launcher's socket. `pass_fd` is where descriptors for tickets arrive; it stays the
 * caller's. Call before the system call filter is installed. 0 or -errno. */
int ctl_start(int pass_fd);

/* What to call, on a strand, when the launcher has started a service again: its new ring and pass
 * socket. Both descriptors are the callee's then. 0 or -errno. */
typedef int (*ctl_restart_fn)(int ring_fd, int pass_fd);
void ctl_on_restart(unsigned which, ctl_restart_fn fn); /* CTL_SERVICE_* */

#endif
