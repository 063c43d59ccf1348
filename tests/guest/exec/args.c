/* What a new program is given: arguments, environment, auxiliary vector. */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void show(int argc, char **argv)
{
	unsigned char *r = (unsigned char *)getauxval(AT_RANDOM);
	int random = 0;

	printf("argc %d null %d\n", argc, argv[argc] == NULL);
	for (int i = 1; i < argc; i++)
		printf("%d [%s]\n", i, strlen(argv[i]) > 40 ? "long" : argv[i]);
	for (char **e = environ; *e; e++)
		printf("env %s\n", *e);
	for (int i = 0; i < 16; i++)
		random |= r[i];
	printf("page %lu tick %lu phent %lu phnum %d entry %d base %d random %d secure %lu\n",
	       getauxval(AT_PAGESZ), getauxval(AT_CLKTCK), getauxval(AT_PHENT), getauxval(AT_PHNUM) > 4,
	       getauxval(AT_ENTRY) != 0, getauxval(AT_BASE) != 0, random != 0, getauxval(AT_SECURE));
	printf("platform %s vdso %d uid %d euid %d\n", (char *)getauxval(AT_PLATFORM),
	       getauxval(AT_SYSINFO_EHDR) != 0, getauxval(AT_UID) == getuid(), getauxval(AT_EUID) == geteuid());
	char *fn = (char *)getauxval(AT_EXECFN);

	printf("name %s hwcap2 readable %d\n", strrchr(fn, '/') ? strrchr(fn, '/') + 1 : fn,
	       getauxval(AT_HWCAP) != 0);
	Elf64_Phdr *ph = (Elf64_Phdr *)getauxval(AT_PHDR);

	printf("first header %d, stack aligned %d\n", ph->p_type == PT_PHDR || ph->p_type == PT_LOAD,
	       ((unsigned long)__builtin_frame_address(0) & 15) == 0);
}

int main(int argc, char **argv)
{
	char *big = malloc(100000);

	if (argc > 1 && strcmp(argv[1], "again") == 0) {
		show(argc, argv);
		return 0;
	}
	memset(big, 'x', 99999);
	big[99999] = 0;
	char *args[] = {argv[0], "again", "", "with space", big, "last", NULL};
	char *env[] = {"ONE=1", "EMPTY=", "odd", NULL};

	fflush(stdout);
	if (fork() == 0) {
		execve("/proc/self/exe", args, env);
		_exit(9);
	}
	wait(NULL);
	if (fork() == 0) {
		char *few[] = {"x", "again", NULL}, *none[] = {NULL};

		execve("/proc/self/exe", few, none);
		_exit(9);
	}
	wait(NULL);
	return 0;
}
