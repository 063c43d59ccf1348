/* What the subsystems set up before the first guest exists. */
#ifndef SYSD_INIT_H
#define SYSD_INIT_H

/* Facts of the host that are read before the root is empty: CPUs, memory, versions. */
void subsystems_host_init(void);
/* Registers file systems, devices, and socket families. On the executor's stack. 0 or -errno. */
int subsystems_init(void);

#endif
