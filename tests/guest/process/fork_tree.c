/* A tree of processes: each level waits for its children; the sum of the leaves comes up. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static int tree(int depth)
{
	int sum = 0, status;
	pid_t p[2];

	if (!depth)
		return 1;
	for (int i = 0; i < 2; i++) {
		p[i] = fork();
		if (!p[i])
			_exit(tree(depth - 1));
	}
	for (int i = 0; i < 2; i++) {
		if (waitpid(p[i], &status, 0) != p[i] || !WIFEXITED(status))
			return 99;
		sum += WEXITSTATUS(status);
	}
	return sum;
}

int main(void)
{
	printf("leaves %d\n", tree(5));
	return 0;
}
