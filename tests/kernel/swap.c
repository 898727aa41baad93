// SPDX-License-Identifier: MIT
/*
 * Runs programs, or asks for names, while policies are swapped, and counts what became of each, until
 * the file STOP is there: ALWAYS is banned by every policy, NEVER by none, ONE and OTHER by every
 * second one. What has no slash is a name, asked of 127.0.0.1, where nobody answers.
 *
 *   swap ALWAYS NEVER ONE OTHER STOP
 *   swap digests N SEED        N digests, a line each, of nothing that exists
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/kernel/run_once.h"

static int digests(long n, uint64_t seed)
{
	uint64_t x = seed * 0x9e3779b97f4a7c15ULL + 1;

	for (; n > 0; n--) {
		for (int i = 0; i < 4; i++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			printf("%016llx", (unsigned long long)x);
		}
		putchar('\n');
	}
	return 0;
}

/* 1: ran; 0: refused, or killed because the next policy refused to map what this one let begin. */
static int runs(const char *file)
{
	int status = run_once(file);

	if (status < 0 && status != -EPERM && status != -EFAULT) {
		fprintf(stderr, "%s: %s\n", file, strerror(-status));
		exit(2);
	}
	return status >= 0;
}

/* 1: the query left; 0: refused. */
static int asks(const char *name)
{
	const struct sockaddr_in to = { .sin_family = AF_INET,
					.sin_port = htons(53),
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	unsigned char query[512] = { 0, 1, 1, 0, 0, 1 }, *at = query + 12;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ssize_t sent;

	for (const char *label = name; *label; label += *label == '.') {
		size_t len = strcspn(label, ".");

		*at++ = len;
		memcpy(at, label, len);
		at += len;
		label += len;
	}
	memcpy(at, "\0\0\1\0\1", 5);
	sent = sendto(fd, query, at + 5 - query, 0, (const struct sockaddr *)&to, sizeof(to));
	if (sent < 0 && errno != EPERM) {
		perror(name);
		exit(2);
	}
	close(fd);
	return sent > 0;
}

static int decided(const char *what)
{
	return strchr(what, '/') ? runs(what) : asks(what);
}

int main(int argc, char **argv)
{
	static const char *const names[] = { "always", "never", "one", "other" };
	long ran[4] = {}, refused[4] = {};

	if (argc == 4 && !strcmp(argv[1], "digests"))
		return digests(atol(argv[2]), strtoull(argv[3], NULL, 0));
	if (argc != 6)
		return 2;
	while (access(argv[5], F_OK))
		for (int i = 0; i < 4; i++)
			(*(decided(argv[1 + i]) ? &ran[i] : &refused[i]))++;
	for (int i = 0; i < 4; i++)
		printf("%s_ran=%ld %s_refused=%ld ", names[i], ran[i], names[i], refused[i]);
	printf("all=%ld\n", ran[0] + refused[0] + ran[1] + refused[1] + ran[2] + refused[2] +
				    ran[3] + refused[3]);
	return 0;
}
