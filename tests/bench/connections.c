// SPDX-License-Identifier: MIT
/*
 * Connections made and closed on loopback, in two cgroups by turns, so that whatever else the machine
 * does falls on both alike.
 *
 *	connections PAIRS BATCH CGROUP_A CGROUP_B
 *
 * Each cgroup has its own server. Prints the medians in nanoseconds a connection, A and B, and the
 * median of B / A of all pairs; then the same three of processor time, of both ends and of what the
 * kernel does for them.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
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

/* Processor time of all in the cgroup, nanoseconds. */
static double used(const char *cgroup)
{
	double microseconds = 0;
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/cpu.stat", cgroup);
	file = fopen(path, "re");
	if (!file || fscanf(file, "usage_usec %lf", &microseconds) != 1)
		fail(path);
	fclose(file);
	return microseconds * 1000;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

/* Nanoseconds a connection, and of processor time. Reset at the close: ports do not run out. */
static double batch(const char *cgroup, const struct sockaddr_in *to, int count, double *ret_used)
{
	struct linger reset = { .l_onoff = 1 };
	double begun, before, took;

	enter(cgroup);
	before = used(cgroup);
	begun = now();
	for (int i = 0; i < count; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		if (connect(fd, (const struct sockaddr *)to, sizeof(*to)))
			fail("connect");
		close(fd);
	}
	took = (now() - begun) / count;
	*ret_used = (used(cgroup) - before) / count;
	return took;
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

/* All on one processor: else it is chance whether a server is woken on its client's or another. */
static void stay(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sysconf(_SC_NPROCESSORS_ONLN) - 1, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		fail("sched_setaffinity");
}

/* Of one kind of time, both arms. */
struct arms {
	double *a, *b, *ratio;
};

static void tell(struct arms *arms, int pairs)
{
	for (int i = 0; i < pairs; i++)
		arms->ratio[i] = arms->a[i] > 0 ? arms->b[i] / arms->a[i] : 1;
	printf("%.0f %.0f %.5f\n", median(arms->a, pairs), median(arms->b, pairs),
	       median(arms->ratio, pairs));
}

int main(int argc, char **argv)
{
	int pairs = argc == 5 ? atoi(argv[1]) : 0, count = argc == 5 ? atoi(argv[2]) : 0;
	struct arms arms[2];
	struct sockaddr_in at_a, at_b;
	double none;

	if (pairs < 1 || count < 1)
		return 2;
	for (int i = 0; i < 2; i++) {
		arms[i].a = calloc(pairs, sizeof(double));
		arms[i].b = calloc(pairs, sizeof(double));
		arms[i].ratio = calloc(pairs, sizeof(double));
		if (!arms[i].a || !arms[i].b || !arms[i].ratio)
			return 2;
	}
	stay();
	serve(argv[3], &at_a);
	serve(argv[4], &at_b);
	batch(argv[3], &at_a, count, &none);
	batch(argv[4], &at_b, count, &none);
	for (int i = 0; i < pairs; i++) {
		if (i & 1)
			arms[0].b[i] = batch(argv[4], &at_b, count, &arms[1].b[i]);
		arms[0].a[i] = batch(argv[3], &at_a, count, &arms[1].a[i]);
		if (!(i & 1))
			arms[0].b[i] = batch(argv[4], &at_b, count, &arms[1].b[i]);
	}
	tell(&arms[0], pairs);
	tell(&arms[1], pairs);
	return 0;
}
