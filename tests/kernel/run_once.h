/* SPDX-License-Identifier: MIT */
#ifndef DEBAR_TESTS_RUN_ONCE_H
#define DEBAR_TESTS_RUN_ONCE_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* Its exit status, or -errno of exec; -EFAULT when it was refused past the point of no return. */
static int run_once(const char *file)
{
	char *const argv[] = { (char *)file, NULL }, *const envp[] = { NULL };
	volatile int error = 0;
	int status;
	pid_t child = vfork();

	if (!child) {
		execve(file, argv, envp);
		error = errno;
		_exit(1);
	}
	if (child < 0 || waitpid(child, &status, 0) < 0)
		perror("vfork"), exit(2);
	if (error)
		return -error;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -EFAULT;
}

#endif
