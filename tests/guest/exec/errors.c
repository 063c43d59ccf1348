/* What execve(2) refuses; the caller goes on unharmed. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/execXXXXXX";

static const char *file(const char *name, const void *data, size_t size, int mode)
{
	static char path[4][128];
	static int n;
	char *p = path[n++ % 4];

	snprintf(p, 128, "%s/%s", dir, name);
	int fd = open(p, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	write(fd, data, size);
	fchmod(fd, mode);
	close(fd);
	return p;
}

static void try(const char *what, const char *path)
{
	char *args[] = {"x", NULL};

	execve(path, args, args + 1);
	printf("%s: %s\n", what, strerror(errno));
}

int main(void)
{
	char self[65536];
	int fd = open("/proc/self/exe", O_RDONLY);
	ssize_t size = read(fd, self, sizeof(self));
	Elf64_Ehdr *h = (Elf64_Ehdr *)self;
	Elf64_Phdr *ph = (Elf64_Phdr *)(self + h->e_phoff);
	char script[256];

	mkdtemp(dir);
	try("missing", "/nonexistent/program");
	try("empty name", "");
	try("directory", dir);
	try("component is a file", file("plain", "x", 1, 0755));
	snprintf(script, sizeof(script), "%s/plain/x", dir);
	try("below a file", script);
	try("not executable", file("noexec", self, size, 0600));
	try("empty", file("empty", "", 0, 0755));
	try("text", file("text", "echo hello\n", 11, 0755));
	try("interpreter missing", file("nointerp", "#!/nonexistent\n", 15, 0755));
	try("interpreter empty", file("blank", "#! \n", 4, 0755));
	int n = snprintf(script, sizeof(script), "#!%s/noexec\n", dir);

	try("interpreter not executable", file("script", script, n, 0755));
	n = snprintf(script, sizeof(script), "#!%s/loop\n", dir);
	try("its own interpreter", file("loop", script, n, 0755));
	try("header cut", file("cut", self, 40, 0755));
	h->e_machine = EM_ARM;
	try("other machine", file("arm", self, size, 0755));
	h->e_machine = EM_X86_64;
	h->e_phnum = 0;
	try("no program headers", file("nophdr", self, size, 0755));
	h->e_phnum = 0xffff;
	try("too many", file("manyphdr", self, size, 0755));
	close(fd);
	fd = open("/proc/self/exe", O_RDONLY);
	size = read(fd, self, sizeof(self));
	for (int i = 0; i < h->e_phnum; i++)
		if (ph[i].p_type == PT_INTERP)
			memcpy(self + ph[i].p_offset, "/none", 6);
	try("dynamic linker missing", file("noldso", self, size, 0755));
	fd = open("/proc/self/exe", O_WRONLY);
	printf("write to a running program: %d %s\n", fd, strerror(errno));
	char *huge = malloc(200000), *args[] = {"x", huge, NULL};

	memset(huge, 'x', 199999);
	huge[199999] = 0;
	execve("/proc/self/exe", args, environ);
	printf("argument too long: %s\n", strerror(errno));
	char **many = malloc(100001 * sizeof(*many));

	for (int i = 0; i < 100000; i++)
		many[i] = huge + 199999 - 100;
	many[100000] = NULL;
	execve("/proc/self/exe", many, environ);
	printf("arguments too long: %s\n", strerror(errno));
	execve("/proc/self/exe", (char **)8, environ);
	printf("bad vector: %s\n", strerror(errno));
	args[1] = (char *)8;
	execve("/proc/self/exe", args, environ);
	printf("bad argument: %s\n", strerror(errno));
	execve((char *)8, args, environ);
	printf("bad path: %s\n", strerror(errno));
	snprintf(script, sizeof(script), "rm -rf %s", dir);
	return system(script);
}
