// SPDX-License-Identifier: MIT
/*
 * Many at once: `crowd N FILE [ARG]` lets N children become FILE at the same moment, and says in one
 * line what came of them and how long the last one took, in milliseconds.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum end {
	END_RAN,
	END_REFUSED = 201,
	END_BUSY,
	END_OTHER,
};

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static _Noreturn void become(int gate, char **argv)
{
	char go;

	if (read(gate, &go, 1) < 0) /* until the other end is closed */
		_exit(END_OTHER);
	execv(argv[0], argv);
	_exit(errno == EPERM ? END_REFUSED : errno == ETXTBSY ? END_BUSY : END_OTHER);
}

int main(int argc, char **argv)
{
	int gate[2], status, ran = 0, refused = 0, busy = 0, other = 0, i;
	int n = argc > 2 ? atoi(argv[1]) : 0;
	long start;

	if (n <= 0 || pipe(gate))
		return 2;
	for (i = 0; i < n; i++) {
		pid_t child = fork();

		if (child < 0)
			return 2;
		if (child)
			continue;
		close(gate[1]);
		become(gate[0], argv + 2);
	}
	start = now_ms();
	close(gate[1]);
	while (wait(&status) > 0) {
		int code = WIFEXITED(status) ? WEXITSTATUS(status) : END_OTHER;

		ran += code == END_RAN;
		refused += code == END_REFUSED;
		busy += code == END_BUSY;
		other += code != END_RAN && code != END_REFUSED && code != END_BUSY;
	}
	printf("ran=%d refused=%d busy=%d other=%d longest=%ld\n", ran, refused, busy, other,
	       now_ms() - start);
	return 0;
}
