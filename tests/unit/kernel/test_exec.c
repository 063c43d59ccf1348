/* What exec reads and writes by itself: program headers (well-formed and hostile), "#!" lines, the first
 * stack, and the plan of host calls. */
#include "tests/unit/kernel/harness.h"

#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include "common/base/util.h"
#include "services/sysd/exec/elf.h"
#include "services/sysd/exec/image.h"
#include "services/sysd/exec/script.h"
#include "services/sysd/exec/stack.h"

struct fake {
	Elf64_Ehdr h;
	Elf64_Phdr ph[8];
	char text[64];
};

static struct fake make(void)
{
	struct fake f = {0};

	memcpy(f.h.e_ident, ELFMAG, SELFMAG);
	f.h.e_ident[EI_CLASS] = ELFCLASS64;
	f.h.e_ident[EI_DATA] = ELFDATA2LSB;
	f.h.e_type = ET_DYN;
	f.h.e_machine = EM_X86_64;
	f.h.e_phentsize = sizeof(Elf64_Phdr);
	f.h.e_phoff = sizeof(Elf64_Ehdr);
	f.h.e_phnum = 3;
	f.h.e_entry = 0x1010;
	f.ph[0] = (Elf64_Phdr){PT_LOAD, PF_R, 0, 0, 0, 0x800, 0x800, 0x1000};
	f.ph[1] = (Elf64_Phdr){PT_LOAD, PF_R | PF_X, 0x1000, 0x1000, 0, 0x500, 0x500, 0x1000};
	f.ph[2] = (Elf64_Phdr){PT_LOAD, PF_R | PF_W, 0x1f00, 0x2f00, 0, 0x200, 0x3000, 0x1000};
	return f;
}

static ssize_t read_fake(void *ctx, void *buf, size_t size, uint64_t off)
{
	if (off >= sizeof(struct fake))
		return 0;
	size = MIN(size, sizeof(struct fake) - (size_t)off);
	memcpy(buf, (char *)ctx + off, size);
	return (ssize_t)size;
}

static int parse(struct fake *f, struct elf_image *im)
{
	return elf_parse(f, 256, read_fake, f, im);
}

static void test_good(void **state)
{
	struct fake f = make();
	struct elf_image im;

	assert_int_equal(parse(&f, &im), 0);
	assert_true(im.dynamic);
	assert_int_equal(im.segment_count, 3);
	assert_int_equal(im.low, 0);
	assert_int_equal(im.high, 0x6000);
	assert_int_equal(im.phdr, sizeof(Elf64_Ehdr));
	assert_null(im.interp);
	assert_int_equal(im.segments[2].prot, PROT_READ | PROT_WRITE);
	elf_image_done(&im);
}

static void test_interp(void **state)
{
	struct fake f = make();
	struct elf_image im;

	strcpy(f.text, "/lib64/ld.so");
	f.h.e_phnum = 4;
	f.ph[3] = (Elf64_Phdr){PT_INTERP, PF_R, offsetof(struct fake, text), 0, 0, 13, 13, 1};
	assert_int_equal(parse(&f, &im), 0);
	assert_string_equal(im.interp, "/lib64/ld.so");
	elf_image_done(&im);
	f.ph[3].p_filesz = 12; /* no NUL */
	assert_int_equal(parse(&f, &im), -ENOEXEC);
	f.ph[3].p_filesz = PATH_MAX + 1;
	assert_int_equal(parse(&f, &im), -ENOEXEC);
	f.ph[3].p_filesz = 1;
	assert_int_equal(parse(&f, &im), -ENOEXEC);
	f.ph[3].p_filesz = 13;
	f.ph[3].p_offset = UINT64_MAX - 4;
	assert_true(parse(&f, &im) < 0);
	f.ph[3].p_offset = 1 << 20;
	assert_int_equal(parse(&f, &im), -EIO);
}

#define BAD(change)                                    \
	do {                                           \
		struct fake f = make();                \
		struct elf_image im;                   \
		change;                                \
		if (parse(&f, &im) >= 0)               \
			fail_msg("accepted: " #change); \
	} while (0)

static void test_hostile_headers(void **state)
{
	BAD(f.h.e_ident[0] = 0);
	BAD(f.h.e_ident[EI_CLASS] = ELFCLASS32);
	BAD(f.h.e_ident[EI_DATA] = ELFDATA2MSB);
	BAD(f.h.e_type = ET_REL);
	BAD(f.h.e_type = ET_CORE);
	BAD(f.h.e_machine = EM_AARCH64);
	BAD(f.h.e_phentsize = 55);
	BAD(f.h.e_phentsize = 0);
	BAD(f.h.e_phnum = 0);
	BAD(f.h.e_phnum = 0xffff);
	BAD(f.h.e_phoff = UINT64_MAX);
	BAD(f.h.e_phoff = UINT64_MAX - 56);
	BAD(f.h.e_phoff = INT64_MAX);
	BAD(f.h.e_phoff = 1 << 20);
	BAD(f.h.e_phnum = 1000); /* past the end of the file */
	BAD(f.ph[0].p_type = f.ph[1].p_type = f.ph[2].p_type = PT_NOTE);
	BAD(f.ph[2].p_filesz = 0x3001);
	BAD(f.ph[2].p_memsz = UINT64_MAX);
	BAD(f.ph[2].p_memsz = 0x800000000000ull);
	BAD(f.ph[2].p_vaddr = 0xffff800000000f00ull);
	BAD(f.ph[2].p_vaddr = UINT64_MAX - 0xff);
	BAD(f.ph[2].p_vaddr = 0x7fffffffef00ull);
	BAD(f.ph[2].p_offset = UINT64_MAX - 0xff);
	BAD(f.ph[2].p_offset = 0x1f01); /* not the same place in its page */
	BAD(f.ph[2].p_filesz = f.ph[2].p_memsz = INT64_MAX);
	BAD(f.ph[1].p_vaddr = 0); /* overlap */
	BAD(f.ph[1].p_memsz = 0x2000); /* overlap with the next */
	BAD(f.ph[0].p_memsz = 0x1001);
}

static void test_truncated(void **state)
{
	struct fake f = make();
	struct elf_image im;

	for (size_t n = 0; n < sizeof(Elf64_Ehdr); n++)
		assert_int_equal(elf_parse(&f, n, read_fake, &f, &im), -ENOEXEC);
}

/* Whatever the bytes are, nothing is read outside, and what is accepted keeps its promises. */
static void test_random_headers(void **state)
{
	unsigned seed = 1, accepted = 0;

	for (int round = 0; round < 20000; round++) {
		struct fake f = make();
		struct elf_image im;

		f.h.e_phnum = 1 + rand_r(&seed) % 8;
		for (int k = 0; k < 3; k++) {
			unsigned char *p = (unsigned char *)&f;
			size_t at = rand_r(&seed) % sizeof(f);

			p[at] ^= 1u << rand_r(&seed) % 8;
		}
		if (parse(&f, &im) < 0)
			continue;
		accepted++;
		uint64_t at = im.low;

		for (unsigned i = 0; i < im.segment_count; i++) {
			const struct elf_segment *s = &im.segments[i];

			assert_true(s->file_size <= s->mem_size);
			assert_true(ALIGN_DOWN(s->vaddr, 4096ul) >= at);
			at = ALIGN_UP(s->vaddr + s->mem_size, 4096ul);
			assert_true(at <= 0x7ffffffff000ull);
		}
		assert_true(at == im.high);
		elf_image_done(&im);
	}
	assert_true(accepted > 100);
}

static void test_plan(void **state)
{
	static struct image_plan p;
	struct fake f = make();
	struct elf_image im;
	struct image_file file = {NULL, 5, 4, 1};

	assert_int_equal(parse(&f, &im), 0);
	memset(&p, 0, sizeof(p));
	plan_image(&p, &im, &file, 0x10000000);
	/* R and RX in one mapping, then protect; RW; clear the rest of its page; bss. */
	assert_int_equal(p.count, 5);
	assert_int_equal(p.ops[0].nr, SYS_mmap);
	assert_int_equal(p.ops[0].args[0], 0x10000000);
	assert_int_equal(p.ops[0].args[1], 0x2000);
	assert_int_equal(p.ops[0].args[5], 0);
	assert_ptr_equal(p.file[0], &file);
	assert_int_equal(p.ops[1].nr, SYS_mprotect);
	assert_int_equal(p.ops[1].args[0], 0x10001000);
	assert_int_equal(p.ops[1].args[1], 0x1000);
	assert_int_equal(p.ops[1].args[2], PROT_READ | PROT_EXEC);
	assert_int_equal(p.ops[2].args[0], 0x10002000);
	assert_int_equal(p.ops[2].args[1], 0x2000);
	assert_int_equal(p.ops[2].args[5], 0x1000);
	assert_int_equal(p.ops[3].kind, SBX_HOP_ZERO);
	assert_int_equal(p.ops[3].args[0], 0x10003100);
	assert_int_equal(p.ops[3].args[1], 0xf00);
	assert_int_equal(p.ops[4].args[0], 0x10004000);
	assert_int_equal(p.ops[4].args[1], 0x2000);
	assert_true(p.ops[4].args[3] & MAP_ANONYMOUS);
	assert_null(p.file[4]);
	elf_image_done(&im);
}

static void script(const char *head, int err, const char *interp, const char *arg)
{
	char *i = NULL, *a = NULL;

	assert_int_equal(script_parse(head, strlen(head), &i, &a), err);
	if (err)
		return;
	assert_string_equal(i, interp);
	if (arg)
		assert_string_equal(a, arg);
	else
		assert_null(a);
	free(i);
	free(a);
}

static void test_scripts(void **state)
{
	char head[EXEC_HEAD_SIZE + 1];

	script("#!/bin/sh\necho", 0, "/bin/sh", NULL);
	script("#! /bin/sh -e -x \t\necho", 0, "/bin/sh", "-e -x");
	script("#!\t/usr/bin/env\tpython3\n", 0, "/usr/bin/env", "python3");
	script("#!/bin/sh", 0, "/bin/sh", NULL);
	script("#!/bin/sh   \n", 0, "/bin/sh", NULL);
	script("#!\n", -ENOEXEC, NULL, NULL);
	script("#!   \n/bin/sh\n", -ENOEXEC, NULL, NULL);
	script("#", -ENOEXEC, NULL, NULL);
	script("", -ENOEXEC, NULL, NULL);
	script("/bin/sh", -ENOEXEC, NULL, NULL);
	/* A name that the head cuts is refused; a cut argument is not. */
	memset(head, 'x', EXEC_HEAD_SIZE);
	head[EXEC_HEAD_SIZE] = 0;
	memcpy(head, "#!/", 3);
	script(head, -ENOEXEC, NULL, NULL);
	head[10] = ' ';
	head[9] = 0;
	char *i, *a;

	assert_int_equal(script_parse(head, EXEC_HEAD_SIZE, &i, &a), 0);
	assert_string_equal(i, "/xxxxxx");
	assert_null(a);
	free(i);
	head[9] = 'x';
	assert_int_equal(script_parse(head, EXEC_HEAD_SIZE, &i, &a), 0);
	assert_int_equal(strlen(a), EXEC_HEAD_SIZE - 11);
	free(i);
	free(a);
}

static void test_stack(void **state)
{
	char *argv[] = {"prog", "one", NULL}, *envp[] = {"A=1", "LONG=xxxxxxxxxxxxxxxx", NULL};
	struct exec_stack st = {.argv = argv, .envp = envp, .name = "/bin/prog", .top = 0x7ffd12345000};
	const uint64_t *w;

	st.auxv[0] = AT_PAGESZ;
	st.auxv[1] = 4096;
	st.auxv_count = 1;
	assert_int_equal(exec_stack_build(&st), 0);
	assert_int_equal(st.sp % 16, 0);
	assert_int_equal(st.sp + st.size, st.top);
	w = (const uint64_t *)st.bytes;
#define AT(addr) ((const char *)st.bytes + ((addr)-st.sp))
	assert_int_equal(w[0], 2);
	assert_string_equal(AT(w[1]), "prog");
	assert_string_equal(AT(w[2]), "one");
	assert_int_equal(w[3], 0);
	assert_string_equal(AT(w[4]), "A=1");
	assert_string_equal(AT(w[5]), "LONG=xxxxxxxxxxxxxxxx");
	assert_int_equal(w[6], 0);
	assert_int_equal(w[7], AT_PAGESZ);
	assert_int_equal(w[9], AT_RANDOM);
	assert_int_equal(w[11], AT_EXECFN);
	assert_string_equal(AT(w[12]), "/bin/prog");
	assert_int_equal(w[13], AT_PLATFORM);
	assert_string_equal(AT(w[14]), "x86_64");
	assert_int_equal(w[15], AT_NULL);
	assert_int_equal(st.arg_start, w[1]);
	assert_int_equal(st.arg_end, st.arg_start + 9);
	assert_int_equal(st.env_start, st.arg_end);
	assert_int_equal(st.saved_auxv_count, 10);
	exec_stack_done(&st);
}

static void test_argument_limits(void **state)
{
	char *big = malloc(32 * 4096 + 1), *argv[] = {big, NULL}, *none[] = {NULL};

	memset(big, 'x', 32 * 4096);
	big[32 * 4096] = 0;
	assert_int_equal(exec_stack_measure(argv, none, 6 << 20), -E2BIG);
	big[32 * 4096 - 1] = 0;
	assert_int_equal(exec_stack_measure(argv, none, 6 << 20), 32 * 4096 + 8);
	assert_int_equal(exec_stack_measure(none, argv, 32 * 4096), -E2BIG);
	assert_int_equal(exec_stack_measure(none, none, 0), 0);
	free(big);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),         cmocka_unit_test(test_interp),
		cmocka_unit_test(test_hostile_headers), cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_random_headers), cmocka_unit_test(test_plan),
		cmocka_unit_test(test_scripts),      cmocka_unit_test(test_stack),
		cmocka_unit_test(test_argument_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
