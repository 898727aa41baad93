/* SPDX-License-Identifier: MIT */
/*
 * Programs run as fast as they can be: `storm_static BANNED... -- ALLOWED...` until SIGTERM, then one
 * line of what came of them. Each is run from where it lies, whose digest is soon known, and now and
 * then from a fresh copy, whose is not; and the banned are mapped, as a library would be.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FRESH_EVERY 16

struct tally {
	unsigned long ran, refused, other;
};

static volatile sig_atomic_t stop;

static void on_term(int signo)
{
	(void)signo;
	stop = 1;
}

static void count_result(struct tally *tally, int error)
{
	if (!error)
		tally->ran++;
	else if (error == EPERM)
		tally->refused++;
	else
		tally->other++;
}

/* What exec said: posix_spawn() tells the error of its child. */
static int run(const char *path)
{
	char *const argv[] = { (char *)"victim", NULL };
	char *const envp[] = { NULL };
	pid_t child;
	int status = 0, ret = posix_spawn(&child, path, NULL, NULL, argv, envp);

	if (ret)
		return ret;
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	/* The C library of a static program maps nothing more: it came to its end. */
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : ECHILD;
}

static int map(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), error = 0;
	void *at;

	if (fd < 0)
		return errno;
	at = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	if (at == MAP_FAILED)
		error = errno;
	else
		munmap(at, 4096);
	close(fd);
	return error;
}

/* A file of the same content that no hook has seen. */
static int run_fresh(const char *path)
{
	char copy[4096];
	int from = open(path, O_RDONLY | O_CLOEXEC), to, error = 0;
	struct stat st;

	snprintf(copy, sizeof(copy), "%s.%d", path, getpid());
	to = open(copy, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	if (from < 0 || to < 0 || fstat(from, &st) ||
	    sendfile(to, from, NULL, st.st_size) != st.st_size)
		error = errno ?: EIO;
	close(from);
	close(to);
	if (!error)
		error = run(copy);
	unlink(copy);
	return error;
}

int main(int argc, char **argv)
{
	struct tally banned = {}, mapped = {}, allowed = {};
	unsigned long round = 0;

	if (argc == 1)
		return 0; /* it is one of its own victims */
	signal(SIGTERM, on_term);
	for (; !stop; round++) {
		bool fresh = round % FRESH_EVERY == 0, allow = false;

		for (int i = 1; i < argc; i++) {
			if (!strcmp(argv[i], "--")) {
				allow = true;
				continue;
			}
			count_result(allow ? &allowed : &banned,
				     fresh ? run_fresh(argv[i]) : run(argv[i]));
			if (!allow)
				count_result(&mapped, map(argv[i]));
		}
	}
	printf("banned %lu ran %lu refused %lu other, mapped %lu ran %lu refused %lu other, "
	       "allowed %lu ran %lu refused %lu other\n",
	       banned.ran, banned.refused, banned.other, mapped.ran, mapped.refused, mapped.other,
	       allowed.ran, allowed.refused, allowed.other);
	return 0;
}
