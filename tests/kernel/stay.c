// SPDX-License-Identifier: MIT
/*
 * A program that is there when a ban arrives. Says "ready" and waits to be ended.
 *
 *   stay                  runs, and nothing else
 *   stay map FILE         has FILE mapped executable
 *   stay mprotect FILE    has mapped FILE first and made it executable later
 *   stay memfd FILE       is FILE, another one of these, from memory
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

static _Noreturn int wait_for_end(void)
{
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}

static int map(const char *file, int first, int then)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	char *at = mmap(NULL, 4096, first, MAP_PRIVATE, fd, 0);

	if (fd >= 0)
		close(fd); /* as loaders do */
	if (fd < 0 || at == MAP_FAILED || (then != first && mprotect(at, 4096, then))) {
		perror(file);
		return 1;
	}
	return wait_for_end();
}

static int become(const char *file)
{
	char *const argv[] = { (char *)file, NULL }, *const envp[] = { NULL };
	int from = open(file, O_RDONLY | O_CLOEXEC), to = memfd_create("stay", MFD_CLOEXEC);
	struct stat st;

	if (from < 0 || to < 0 || fstat(from, &st) ||
	    sendfile(to, from, NULL, st.st_size) != st.st_size || fexecve(to, argv, envp))
		perror(file);
	return 1;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "map"))
		return map(argv[2], PROT_READ | PROT_EXEC, PROT_READ | PROT_EXEC);
	if (argc == 3 && !strcmp(argv[1], "mprotect"))
		return map(argv[2], PROT_READ | PROT_WRITE, PROT_READ | PROT_EXEC);
	if (argc == 3 && !strcmp(argv[1], "memfd"))
		return become(argv[2]);
	return argc == 1 ? wait_for_end() : 2;
}
