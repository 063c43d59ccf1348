/* The system call table as data, from table.def. Handlers are weak references: a family that is not
 * linked (a unit test) or not written yet leaves NULL, which is ENOSYS. */
#include <stddef.h>
#include "services/sysd/syscall/syscall.h"

#define SYS(nr, name, tier, sup, args, note) \
	extern long sys_##name(struct task *t, const uint64_t a[6]) __attribute__((weak));
#include "services/sysd/syscall/table.def"
#undef SYS

#define FULL SUP_FULL
#define PARTIAL SUP_PARTIAL
#define ARGS(...) {__VA_ARGS__}
#define NONE {ARG_NONE}
#define INT {ARG_INT}
#define UINT {ARG_UINT}
#define LONG {ARG_LONG}
#define HEX {ARG_HEX}
#define OCT {ARG_OCT}
#define SIZE {ARG_SIZE}
#define OFF {ARG_OFF}
#define PTR {ARG_PTR}
#define FD {ARG_FD}
#define DFD {ARG_DIRFD}
#define PID {ARG_PID}
#define UID {ARG_UID}
#define SIG {ARG_SIG}
#define CLOCK {ARG_CLOCK}
#define PATH {ARG_PATH}
#define STR {ARG_STR}
#define IN(n) {ARG_IN, 0, n}
#define OUT(n) {ARG_OUT, 0, n}
#define INOUT(n) {ARG_INOUT, 0, n}
#define AS(kind, how) {ARG_##kind, .show = SHOW_##how}
#define INS(n, how) {ARG_IN, 0, n, SHOW_##how}
#define INOUTS(n, how) {ARG_INOUT, 0, n, SHOW_##how}
#define INARRAY(n, size) {ARG_IN_ARRAY, n, size}
#define INARRAYS(n, size, how) {ARG_IN_ARRAY, n, size, SHOW_##how}
#define FDSET {ARG_FDSET, 0}
#define MSGI {ARG_MSG_IN}
#define MSGO {ARG_MSG_OUT}
#define OUTS(n, how) {ARG_OUT, 0, n, SHOW_##how}
#define IBUFS(n, how) {ARG_IN_BUF, n, 0, SHOW_##how}
#define IBUF(n) {ARG_IN_BUF, n}
#define OBUF(n) {ARG_OUT_BUF, n}
#define IOVI(n) {ARG_IOV_IN, n}
#define IOVO(n) {ARG_IOV_OUT, n}

#define SYS(nr, sysname, tr, sup, args, why) \
	[nr] = {.name = #sysname, .fn = sys_##sysname, .arg = args, .support = sup, .tier = tr, .note = why},
const struct syscall_desc syscall_table[SYSCALL_COUNT] = {
#include "services/sysd/syscall/table.def"
};
