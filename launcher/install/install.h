/* Registering this program with the engines of a host, and taking it out again. Each edits one file of
 * the engine and nothing else in it; what was there before is kept beside it as FILE.before-sbx. */
#ifndef LAUNCHER_INSTALL_INSTALL_H
#define LAUNCHER_INSTALL_INSTALL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include "launcher/error.h"

struct install_options {
	const char *name;      /* of the runtime: "sbx" */
	const char *program;   /* absolute */
	char *const *args;     /* NULL-terminated: put before what the engine passes */
	bool force;            /* take the name from another program */
};

/* What there was to do. */
enum install_result { INSTALL_DONE, INSTALL_NOTHING };

struct install_engine {
	const char *name, *file;   /* the file that is edited unless another is named */
	const char *hint;          /* what makes the engine read it */
	/* 0 with *ret set, or -errno. */
	int (*add)(const char *file, const struct install_options *o, enum install_result *ret, struct err *e);
	int (*remove)(const char *file, const struct install_options *o, enum install_result *ret, struct err *e);
};
extern const struct install_engine install_docker, install_containerd, install_podman;

/* A runtime's name: what docker takes. */
int install_check_name(const char *name, struct err *e);

/* text.c: whole files. *ret_text is NULL when there is no file. */
int text_read(const char *file, char **ret_text, size_t *ret_size, struct err *e);
/* Replaces the file in one step, with the owner and mode it had, and folders above it. */
int text_write(const char *file, const char *text, size_t size, struct err *e);
int text_remove(const char *file, struct err *e);
/* FILE.before-sbx */
int text_backup_name(const char *file, char *buf, size_t size, struct err *e);
int text_backup(const char *file, const char *text, size_t size, struct err *e);

#endif
