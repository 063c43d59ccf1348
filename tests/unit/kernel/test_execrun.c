/* exec_task against the real memd, without a file system and without tasks: the program's files are the
 * host's, and a handful of system calls are answered here. Shows that static and dynamic programs come
 * up in a blank process and that their mappings are approved. Skipped when sbx-memd is not built. */
/* The files under test see a file system of this file's own. */
#define path_lookup fake_path_lookup
#define path_put fake_path_put
#define inode_permission fake_inode_permission
#define file_open_path fake_file_open_path
#define file_kernel_read fake_file_kernel_read
#define file_ref fake_file_ref
#define file_unref fake_file_unref
#define fd_get fake_fd_get
#define exec_begin fake_exec_begin
#define exec_end fake_exec_end
#define exec_creds fake_exec_creds
#define cred_unref fake_cred_unref
#define task_exec_commit fake_task_exec_commit
#define exec_task tested_exec_task
#define sys_mmap tested_sys_mmap
#define sys_munmap tested_sys_munmap
#define mm_map_approved tested_mm_map_approved
#define mm_map_host_fd tested_mm_map_host_fd
#define mm_unmap tested_mm_unmap
#define mm_map_anonymous tested_mm_map_anonymous
#define mm_plausible tested_mm_plausible
#define mm_touches_runtime tested_mm_touches_runtime
#include "tests/unit/kernel/harness.h"

#include <asm/prctl.h>
#include <sched.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "common/chan/ring.h"
#include "common/ipc/startup.h"
#include "services/sysd/vfs/fdtable.h"
#include "services/sysd/vfs/file.h"
#include "services/sysd/vfs/inode.h"
#include "services/sysd/vfs/namei.h"

#include "services/sysd/exec/exec.c"
#include "services/sysd/mm/mmap.c"

SYS_HANDLER(brk);

struct host_file {
	struct file f;
	struct inode inode;
	int fd;
};
static struct host_file *open_files[64];
static unsigned live_files;
static char looked_up[PATH_MAX];
static struct cred cred;
static char output[65536];
static size_t output_size;
static int exit_status;
static unsigned calls, maps;

static int host_mmap(struct file *f, struct mmap_req *req)
{
	struct host_file *h = CONTAINER_OF(f, struct host_file, f);
	struct stat st;

	fstat(h->fd, &st);
	req->host_fd = h->fd;
	req->object_id = st.st_ino;
	return 0;
}
static const struct file_ops host_fops = {.mmap = host_mmap};

static struct host_file *host_open(const char *name)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	struct host_file *h;

	if (fd < 0)
		return NULL;
	h = calloc(1, sizeof(*h));
	h->fd = fd;
	h->f = (struct file){.refs = 1, .op = &host_fops, .inode = &h->inode, .readable = true};
	h->inode.refs = 1000000;
	h->inode.mode = S_IFREG | 0755;
	live_files++;
	return h;
}

int path_lookup(struct task *t, int dirfd, const char *name, unsigned flags, struct path *ret)
{
	static struct inode inode = {.mode = S_IFREG | 0755};
	static struct dentry dentry = {.inode = &inode};
	static struct vfsmount mnt;

	if (access(name, F_OK))
		return -ENOENT;
	snprintf(looked_up, sizeof(looked_up), "%s", name);
	*ret = (struct path){&mnt, &dentry};
	return 0;
}
void path_put(struct path *p)
{
}
int inode_permission(struct inode *inode, struct task *t, int mask)
{
	return 0;
}
int file_open_path(const struct path *path, unsigned flags, struct cred *c, struct file **ret)
{
	struct host_file *h = host_open(looked_up);

	if (!h)
		return -errno;
	*ret = &h->f;
	return 0;
}
ssize_t file_kernel_read(struct file *f, void *buf, size_t size, int64_t off)
{
	ssize_t n = pread(CONTAINER_OF(f, struct host_file, f)->fd, buf, size, off);

	return n < 0 ? -errno : n;
}
struct file *file_ref(struct file *f)
{
	f->refs++;
	return f;
}
void file_unref(struct file *f)
{
	struct host_file *h = CONTAINER_OF(f, struct host_file, f);

	if (--f->refs)
		return;
	close(h->fd);
	/* The inode of a running program outlives its file. */
	live_files--;
}
struct file *fd_get(struct task *t, int fd)
{
	return fd >= 3 && fd < 64 && open_files[fd] ? file_ref(&open_files[fd]->f) : NULL;
}
void exec_begin(struct task *t)
{
}

void exec_end(struct task *t)
{
}

int exec_creds(struct task *t, struct file *prog, struct cred **ret_cred, bool *ret_secure)
{
	*ret_cred = &cred;
	*ret_secure = false;
	return 0;
}
void cred_unref(struct cred *c)
{
}
int task_exec_commit(struct task *t, struct mm *mm, struct hthread *ht, struct cred *c, struct file *prog,
		     const char *comm)
{
	if (t->ht) {
		hthread_free(t->ht);
		mm_unref(t->mm);
	}
	t->mm = mm;
	hthread_bind(ht, t);
	return 0;
}

/* What the linked objects need when no file system is there yet. */
struct inode *inode_ref(struct inode *inode) __attribute__((weak));
struct inode *inode_ref(struct inode *inode)
{
	inode->refs++;
	return inode;
}
void inode_unref(struct inode *inode) __attribute__((weak));
void inode_unref(struct inode *inode)
{
	inode->refs--;
}
void path_get(const struct path *p) __attribute__((weak));
void path_get(const struct path *p)
{
}
void task_host_died(struct mm *mm, int signo) __attribute__((weak));
void task_host_died(struct mm *mm, int signo)
{
	print_error("host process died of %d\n", signo);
}

static ssize_t vm_read(struct mm *mm, void *buf, uint64_t at, size_t size)
{
	struct iovec l = {buf, size}, r = {(void *)at, size};

	return process_vm_readv(mm->hp->host_pid, &l, 1, &r, 1, 0);
}
static ssize_t backend_read(struct task *t, struct mm *mm, void *dst, uint64_t uaddr, size_t size)
{
	return vm_read(mm ? mm : t->mm, dst, uaddr, size);
}
static ssize_t backend_write(struct task *t, struct mm *mm, uint64_t uaddr, const void *src, size_t size)
{
	struct iovec l = {(void *)src, size}, r = {(void *)uaddr, size};

	return process_vm_writev((mm ? mm : t->mm)->hp->host_pid, &l, 1, &r, 1, 0);
}
#include "services/sysd/mm/usercopy_backend.h"
static const struct usercopy_backend remote = {.read = backend_read, .write = backend_write};

static long do_writev(struct task *t, const uint64_t *a)
{
	long total = 0;

	for (uint64_t i = 0; i < a[2]; i++) {
		struct iovec iov;

		if (vm_read(t->mm, &iov, a[1] + i * 16, 16) != 16)
			return -EFAULT;
		ssize_t n = vm_read(t->mm, output + output_size, (uint64_t)iov.iov_base,
				    MIN(iov.iov_len, sizeof(output) - output_size - 1));

		if (n > 0)
			output_size += (size_t)n;
		total += (long)iov.iov_len;
	}
	return total;
}

static long do_open(struct task *t, uint64_t uname)
{
	char name[256] = {0};

	for (size_t i = 0; i < sizeof(name) - 1; i++)
		if (vm_read(t->mm, name + i, uname + i, 1) != 1 || !name[i])
			break;
	struct host_file *h = host_open(name);

	if (!h)
		return -ENOENT;
	for (int fd = 3; fd < 64; fd++)
		if (!open_files[fd]) {
			open_files[fd] = h;
			return fd;
		}
	return -EMFILE;
}

static long do_call(struct task *t)
{
	const uint64_t *a = t->args;
	struct stat st;
	char buf[1024];

	calls++;
	switch (t->nr) {
	case SYS_write: {
		size_t n = MIN(a[2], sizeof(output) - output_size - 1);
		ssize_t got = vm_read(t->mm, output + output_size, a[1], n);

		if (got > 0)
			output_size += (size_t)got;
		return got;
	}
	case SYS_writev: return do_writev(t, a);
	case SYS_brk: return sys_brk(t, a);
	case SYS_mmap: maps++; return sys_mmap(t, a);
	case SYS_munmap: return sys_munmap(t, a);
	case SYS_openat: return do_open(t, a[1]);
	case SYS_read:
	case SYS_pread64: {
		if (a[0] >= 64 || !open_files[a[0]])
			return a[0] ? -EBADF : 0;
		ssize_t n = t->nr == SYS_read ? read(open_files[a[0]]->fd, buf, MIN(a[2], sizeof(buf))) :
						pread(open_files[a[0]]->fd, buf, MIN(a[2], sizeof(buf)),
						      (off_t)a[3]);
		if (n > 0)
			backend_write(t, NULL, a[1], buf, (size_t)n);
		return n < 0 ? -errno : n;
	}
	case SYS_newfstatat:
		if (a[0] < 3 || a[0] >= 64 || !open_files[a[0]]) {
			memset(&st, 0, sizeof(st));
			st.st_mode = S_IFCHR | 0620;
		} else {
			fstat(open_files[a[0]]->fd, &st);
		}
		backend_write(t, NULL, a[2], &st, sizeof(st));
		return 0;
	case SYS_close:
		if (a[0] < 3)
			return 0;
		if (a[0] >= 64 || !open_files[a[0]])
			return -EBADF;
		file_unref(&open_files[a[0]]->f);
		open_files[a[0]] = NULL;
		return 0;
	case SYS_access: return -ENOENT;
	case SYS_arch_prctl:
		if (a[0] == ARCH_SET_FS) {
			t->ht->regs.fs_base = a[1];
			return 0;
		}
		return -EINVAL;
	case SYS_getrandom: return (long)a[1];
	default: return -ENOSYS;
	}
}

static long run_task(struct task *t)
{
	for (;;) {
		int req;

		if (t->regs_replaced) {
			t->regs_replaced = false;
			hthread_reply_resume(t);
		}
		req = hthread_next_request(t);
		if (req != SBX_REQ_SYSCALL) {
			print_error("request %d, fault %u at %lx rip %lx\n", req, t->ht->fault_signo,
				    t->ht->fault_addr, t->ht->regs.rip);
			return -1;
		}
		if (t->nr == SYS_exit_group || t->nr == SYS_exit) {
			exit_status = (int)t->args[0];
			return 0;
		}
		long ret = do_call(t);

		if (t->nr == SYS_arch_prctl) {
			t->ht->regs.rax = (uint64_t)ret;
			hthread_reply_resume(t);
		} else {
			hthread_reply_return(t, ret);
		}
	}
}

static int show_region(const struct mm_region *r, void *arg)
{
	unsigned *seen = arg;

	if (getenv("V"))
		printf("%lx-%lx %x %s\n", r->start, r->end, r->prot, r->name ? r->name : "");
	if (r->name && !strcmp(r->name, "[stack]"))
		*seen |= 1;
	if (r->name && !strcmp(r->name, "[vdso]"))
		*seen |= 2;
	if (r->start >= memd_info.base && r->start < memd_info.base + SBX_R_SIZE)
		*seen |= 4;
	return 0;
}

static char *const environment[] = {"PATH=/bin", "LANG=C", NULL};
static const char *program;
static char *const *arguments;
static int exec_result;

static void run_program(struct task *t, void *arg)
{
	struct host_file *h = host_open(program);
	unsigned seen = 0;

	output_size = 0;
	calls = maps = 0;
	exit_status = -1;
	memset(output, 0, sizeof(output));
	assert_non_null(h);
	uint64_t t0 = 0, t1 = 0;
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	t0 = (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
	exec_result = exec_task(t, &h->f, program, arguments, environment);
	clock_gettime(CLOCK_MONOTONIC, &ts);
	t1 = (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
	file_unref(&h->f);
	if (exec_result)
		return;
	struct mm_usage u;

	assert_int_equal(mm_walk(t->mm, false, show_region, &seen), 0);
	assert_int_equal(seen, 3);
	assert_int_equal(mm_usage(t->mm, &u), 0);
	assert_true(u.size > 100000 && u.size < 64 << 20 && u.rss > 4096 && u.rss < 8 << 20);
	assert_int_equal(run_task(t), 0);
	printf("%s: exec %lu us, %u calls, %u maps, status %d, output %zu bytes\n", program,
	       (unsigned long)(t1 - t0) / 1000, calls, maps, exit_status, output_size);
	hthread_free(t->ht);
	mm_unref(t->mm);
	t->ht = NULL;
	t->mm = NULL;
}

static struct signal signal_;

static void on_task(struct task *t, void *arg)
{
	t->signal = &signal_;
	t->cred = &cred;
	run_program(t, arg);
}

static void exec_it(const char *name, char *const *argv)
{
	program = name;
	arguments = argv;
	ktest_spawn(on_task, NULL);
	ktest_run();
}

static pid_t memd_pid;
static int pass_sock;

static void nothing(struct task *t, void *arg)
{
}

static int start(void **state)
{
	char path[PATH_MAX], exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	int socks[2], ring_fd = ring_create_fd(), ready[2];

	if (n < 0 || ring_fd < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socks) || pipe(ready))
		return -1;
	exe[n] = 0;
	snprintf(path, sizeof(path), "%s/../../bin/sbx-memd", dirname(exe));
	if (access(path, X_OK)) {
		printf("no %s: skipped\n", path);
		exit(0);
	}
	memd_pid = fork();
	if (memd_pid == 0) {
		int fds[] = {2, ready[1], ring_fd, socks[1]};

		unshare(CLONE_NEWNS); /* whatever it does to its root stays there */
		for (int i = 0; i < 4; i++)
			dup2(fds[i], 100 + i);
		for (int i = 0; i < 4; i++)
			dup2(100 + i, 3 + i);
		for (int i = 7; i < 110; i++)
			close(i);
		execl(path, path, "--unsafe-no-confinement", NULL);
		_exit(127);
	}
	close(socks[1]);
	pass_sock = socks[0];
	for (int i = 0; i < RLIM_NLIMITS; i++)
		signal_.rlim[i] = (struct rlimit64){RLIM64_INFINITY, RLIM64_INFINITY};
	signal_.rlim[RLIMIT_STACK].rlim_cur = 8 << 20;
	ktest_call(nothing, NULL); /* prepares the executor */
	usercopy_backend = &remote;
	if (platform_init())
		return -1;
	return memd_client_start(ring_fd, socks[0], 2);
}

/* memd ends, and takes the guest processes along, when sysd's end of the socket closes. */
static int stop(void **state)
{
	close(pass_sock);
	for (int i = 0; i < 500; i++) {
		if (waitpid(memd_pid, NULL, WNOHANG) == memd_pid)
			return 0;
		usleep(10000);
	}
	kill(memd_pid, SIGKILL);
	waitpid(memd_pid, NULL, 0);
	return -1;
}

static void test_static(void **state)
{
	static const char source[] = "#include <stdio.h>\nint main(int c, char **v) { printf(\"static %d %s\\n\", c, "
				     "v[1]); return 7; }";
	char *argv[] = {"prog", "arg", NULL};
	FILE *f = fopen("/tmp/sbx-execrun.c", "w");

	fputs(source, f);
	fclose(f);
	if (system("gcc -O1 -static /tmp/sbx-execrun.c -o /tmp/sbx-execrun 2>/dev/null"))
		skip();
	exec_it("/tmp/sbx-execrun", argv);
	assert_int_equal(exec_result, 0);
	assert_string_equal(output, "static 2 arg\n");
	assert_int_equal(exit_status, 7);
	if (system("gcc -O1 -static-pie /tmp/sbx-execrun.c -o /tmp/sbx-execrun 2>/dev/null"))
		skip();
	exec_it("/tmp/sbx-execrun", argv);
	assert_int_equal(exec_result, 0);
	assert_string_equal(output, "static 2 arg\n");
	unlink("/tmp/sbx-execrun");
	unlink("/tmp/sbx-execrun.c");
}

static void test_dynamic(void **state)
{
	char *argv[] = {"echo", "hello", "world", NULL};

	for (int i = 0; i < 5; i++) {
		exec_it("/bin/echo", argv);
		assert_int_equal(exec_result, 0);
		assert_string_equal(output, "hello world\n");
		assert_int_equal(exit_status, 0);
	}
	assert_int_equal(live_files, 0);
}

static void test_script(void **state)
{
	char *argv[] = {"x", "one", NULL};
	FILE *f = fopen("/tmp/sbx-execrun.sh", "w");

	fputs("#!/bin/echo from a script\n", f);
	fclose(f);
	exec_it("/tmp/sbx-execrun.sh", argv);
	assert_int_equal(exec_result, 0);
	assert_string_equal(output, "from a script /tmp/sbx-execrun.sh one\n");
	f = fopen("/tmp/sbx-execrun.sh", "w");
	fputs("#!/tmp/sbx-execrun.sh\n", f);
	fclose(f);
	exec_it("/tmp/sbx-execrun.sh", argv);
	assert_int_equal(exec_result, -ELOOP);
	f = fopen("/tmp/sbx-execrun.sh", "w");
	fputs("#!/nonexistent\n", f);
	fclose(f);
	exec_it("/tmp/sbx-execrun.sh", argv);
	assert_int_equal(exec_result, -ENOENT);
	f = fopen("/tmp/sbx-execrun.sh", "w");
	fputs("echo no program\n", f);
	fclose(f);
	exec_it("/tmp/sbx-execrun.sh", argv);
	assert_int_equal(exec_result, -ENOEXEC);
	unlink("/tmp/sbx-execrun.sh");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_static),
		cmocka_unit_test(test_dynamic),
		cmocka_unit_test(test_script),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
