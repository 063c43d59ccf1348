/* The launcher's error object: a code and a sentence that grows to the left as it goes up: "creating
 * sandbox box: reading config.json: process.args: must be an array". Library code fills it in and
 * returns -errno; only main prints it. */
#ifndef LAUNCHER_ERROR_H
#define LAUNCHER_ERROR_H

struct err {
	int code;       /* positive errno, 0: none */
	char text[1024];
};

/* Each returns -code. */
int err_set(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* The same, with ": " and strerror(code) at the end. */
int err_sys(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Puts "context: " in front. */
int err_wrap(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
