/* What the files of this folder share. */
#ifndef SYSD_FS_PIPE_PRIVATE_H
#define SYSD_FS_PIPE_PRIVATE_H

struct pipe;
struct pipe *pipe_new(void);
void pipe_free(struct pipe *p);

#endif
