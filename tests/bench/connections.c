// SPDX-License-Identifier: MIT
/*
 * Connections made and closed on loopback, in two cgroups by turns, so that whatever else the machine
 * does falls on both alike.
 *
 *	connections PAIRS BATCH CGROUP_A CGROUP_B
 *
 * Each cgroup has its own server. Prints the medians in nanoseconds a connection, A and B, and the
 * median of B / A of all pairs.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void fail(const char *what)
{
	perror(what);
	exit(2);
}

static void enter(const char *cgroup)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, "0", 1) != 1)
		fail(path);
	close(fd);
}

/* Forks a server there that closes what it accepts. */
static void serve(const char *cgroup, struct sockaddr_in *ret_at)
{
	socklen_t len = sizeof(*ret_at);
	int fd;

	enter(cgroup);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	*ret_at = (struct sockaddr_in){ .sin_family = AF_INET };
	ret_at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)ret_at, len) || listen(fd, 512) ||
	    getsockname(fd, (struct sockaddr *)ret_at, &len))
		fail("server");
	if (fork()) {
		close(fd);
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		close(accept(fd, NULL, NULL));
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

/* Nanoseconds a connection. Reset at the close: ports do not run out. */
static double batch(const char *cgroup, const struct sockaddr_in *to, int count)
{
	struct linger reset = { .l_onoff = 1 };
	double begun;

	enter(cgroup);
	begun = now();
	for (int i = 0; i < count; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		if (connect(fd, (const struct sockaddr *)to, sizeof(*to)))
			fail("connect");
		close(fd);
	}
	return (now() - begun) / count;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, int count)
{
	qsort(values, count, sizeof(*values), compare);
	return count & 1 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

int main(int argc, char **argv)
{
	int pairs = argc == 5 ? atoi(argv[1]) : 0, count = argc == 5 ? atoi(argv[2]) : 0;
	double *a = calloc(pairs + 1, sizeof(*a)), *b = calloc(pairs + 1, sizeof(*b)),
	       *ratio = calloc(pairs + 1, sizeof(*ratio));
	struct sockaddr_in at_a, at_b;

	if (pairs < 1 || count < 1 || !a || !b || !ratio)
		return 2;
	serve(argv[3], &at_a);
	serve(argv[4], &at_b);
	batch(argv[3], &at_a, count);
	batch(argv[4], &at_b, count);
	for (int i = 0; i < pairs; i++) {
		if (i & 1) {
			b[i] = batch(argv[4], &at_b, count);
			a[i] = batch(argv[3], &at_a, count);
		} else {
			a[i] = batch(argv[3], &at_a, count);
			b[i] = batch(argv[4], &at_b, count);
		}
		ratio[i] = b[i] / a[i];
	}
	printf("%.0f %.0f %.5f\n", median(a, pairs), median(b, pairs), median(ratio, pairs));
	return 0;
}
