// SPDX-License-Identifier: MIT
/*
 * Connections made and closed on loopback, or questions of DNS and their answers, in two cgroups by turns,
 * so that whatever else the machine does falls on both alike.
 *
 *	connections PAIRS BATCH CGROUP_A CGROUP_B [dns]
 *
 * Each cgroup has its own server. Prints the medians in nanoseconds a connection or question, A and B, and the
 * median of B / A of all pairs; then the same three of processor time, of both ends and of what the
 * kernel does for them.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
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

/* One address for each name, whatever it is; what fits behind a question. */
static size_t answer_make(unsigned char *message, size_t len)
{
	memcpy(message + 2, "\x81\x80\0\1\0\1", 6);
	memcpy(message + len, "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1", 16);
	return len + 16;
}

static void serve_dns(int fd)
{
	unsigned char message[512];
	struct sockaddr_in from;

	for (;;) {
		socklen_t len = sizeof(from);
		ssize_t got = recvfrom(fd, message, 400, 0, (struct sockaddr *)&from, &len);

		if (got > 12)
			sendto(fd, message, answer_make(message, got), 0, (struct sockaddr *)&from,
			       len);
	}
}

static bool dns;

/* Forks a server there that closes what it accepts, or answers what it is asked. */
static void serve(const char *cgroup, int which, struct sockaddr_in *ret_at)
{
	socklen_t len = sizeof(*ret_at);
	int fd;

	enter(cgroup);
	fd = socket(AF_INET, dns ? SOCK_DGRAM : SOCK_STREAM, 0);
	*ret_at = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(dns ? 53 : 0) };
	ret_at->sin_addr.s_addr = htonl(INADDR_LOOPBACK + which);
	if (bind(fd, (struct sockaddr *)ret_at, len) || (!dns && listen(fd, 512)) ||
	    getsockname(fd, (struct sockaddr *)ret_at, &len))
		fail("server");
	if (fork()) {
		close(fd);
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (dns)
		serve_dns(fd);
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

/* Reset at the close: ports do not run out. */
static void connect_once(const struct sockaddr_in *to)
{
	struct linger reset = { .l_onoff = 1 };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	if (connect(fd, (const struct sockaddr *)to, sizeof(*to)))
		fail("connect");
	close(fd);
}

/* One of a few names, as the next one of a resolver's library. */
static void ask_once(int fd, const struct sockaddr_in *to, int which)
{
	static const unsigned char query[] =
		"\x12\x34\1\0\0\1\0\0\0\0\0\0\3www\7abcdefg\7example\3org\0\0\1\0\1";
	unsigned char message[512];

	memcpy(message, query, sizeof(query) - 1);
	message[13] = 'a' + which % 16;
	if (sendto(fd, message, sizeof(query) - 1, 0, (const struct sockaddr *)to, sizeof(*to)) <
		    0 ||
	    recv(fd, message, sizeof(message), 0) < 12)
		fail("dns");
}

/* Nanoseconds for each, and of processor time. */
static double batch(const char *cgroup, const struct sockaddr_in *to, int count, double *ret_used)
{
	double begun, before, took;
	int fd;

	enter(cgroup);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	before = used(cgroup);
	begun = now();
	for (int i = 0; i < count; i++) {
		if (dns)
			ask_once(fd, to, i);
		else
			connect_once(to);
	}
	took = (now() - begun) / count;
	*ret_used = (used(cgroup) - before) / count;
	close(fd);
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
	int pairs = argc > 4 ? atoi(argv[1]) : 0, count = argc > 4 ? atoi(argv[2]) : 0;
	struct arms arms[2];
	struct sockaddr_in at_a, at_b;
	double none;

	dns = argc == 6 && !strcmp(argv[5], "dns");
	if (pairs < 1 || count < 1 || argc > 5 + dns)
		return 2;
	for (int i = 0; i < 2; i++) {
		arms[i].a = calloc(pairs, sizeof(double));
		arms[i].b = calloc(pairs, sizeof(double));
		arms[i].ratio = calloc(pairs, sizeof(double));
		if (!arms[i].a || !arms[i].b || !arms[i].ratio)
			return 2;
	}
	stay();
	serve(argv[3], 0, &at_a);
	serve(argv[4], 1, &at_b);
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
