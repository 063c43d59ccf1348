/* Maps over, unmaps, and rewrites the runtime, its slots, its control page, in a process each: it may kill
 * itself, and nothing else. The control page must not become writable. */
#include "hostile.h"

static uint64_t base;
static uint64_t sites[32];

static void unmap_everything(void)
{
	long r;

	attack_call(sites[0], SYS_munmap, (long)base, SBX_R_SIZE, 0, 0, 0, 0, &r);
}

static void map_over_text(void)
{
	long r;

	attack_call(sites[0], SYS_mmap, (long)(base + SBX_R_TEXT), 0x10000, PROT_READ | PROT_WRITE | PROT_EXEC,
		    MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1, 0, &r);
	getppid();
	umask(0);
}

static void map_over_slots(void)
{
	long r;

	attack_call(sites[0], SYS_mmap, (long)(base + SBX_R_SLOTS), 0x100000, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1, 0, &r);
	umask(0);
}

static void make_ctl_writable(void)
{
	long r = -1;
	volatile int32_t *cpu = (int32_t *)(base + SBX_R_CTL);

	if (attack_call(sites[0], SYS_mprotect, (long)(base + SBX_R_CTL), SBX_R_CTL_SIZE, PROT_READ | PROT_WRITE, 0,
			0, 0, &r) && r == 0) {
		*cpu = 77;
		_exit(42);
	}
	_exit(0);
}

static void text_writable(void)
{
	long r = -1;
	volatile uint8_t *text = (uint8_t *)(base + SBX_R_TEXT);

	/* The text is shared by all processes: a write must stay private to this one, or fail. */
	if (attack_call(sites[0], SYS_mprotect, (long)(base + SBX_R_TEXT), 0x1000, PROT_READ | PROT_WRITE | PROT_EXEC,
			0, 0, 0, &r) && r == 0)
		memset((void *)text, 0xcc, 64);
	_exit(0);
}

int main(void)
{
	static const struct {
		const char *name;
		void (*fn)(void);
	} attacks[] = {{"unmap everything", unmap_everything},
		       {"map over the text", map_over_text},
		       {"map over the slots", map_over_slots},
		       {"make the control page writable", make_ctl_writable},
		       {"write the shared text", text_writable}};
	int bad = 0;

	base = attack_base();
	if (!base || !attack_sites(base, sites, 32))
		return 2;
	for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
		int status;
		pid_t p = fork();

		if (!p) {
			alarm(1);
			attacks[i].fn();
			_exit(0);
		}
		if (waitpid(p, &status, 0) != p)
			return 3;
		if (WIFEXITED(status) && WEXITSTATUS(status) == 42) {
			printf("%s: worked\n", attacks[i].name);
			bad++;
		}
		/* the next process must still work */
		p = fork();
		if (!p)
			_exit(getppid() > 0 && umask(022) >= 0 ? 0 : 1);
		if (waitpid(p, &status, 0) != p || status) {
			printf("after \"%s\" a new process does not work\n", attacks[i].name);
			bad++;
		}
	}
	return bad != 0;
}
