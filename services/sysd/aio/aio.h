/* Contexts of asynchronous I/O as the rest of the kernel sees them: they belong to an address space and
 * go with it. */
#ifndef SYSD_AIO_AIO_H
#define SYSD_AIO_AIO_H

struct mm;
/* The address space ends. May sleep. */
void aio_mm_done(struct mm *mm);

#endif
