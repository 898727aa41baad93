/* SPDX-License-Identifier: MIT */
/* What both ends of the network's tests share: addresses, what came of it, messages. */
#ifndef DEBAR_TESTS_PEER_H
#define DEBAR_TESTS_PEER_H

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Nobody needs all of it. */
#pragma GCC diagnostic ignored "-Wunused-function"

#define WAIT_MS 2000

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t address_parse(const char *text, int port, union address *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET, text, &ret->v4.sin_addr) == 1) {
		ret->v4.sin_family = AF_INET;
		ret->v4.sin_port = htons(port);
		return sizeof(ret->v4);
	}
	if (inet_pton(AF_INET6, text, &ret->v6.sin6_addr) != 1) {
		fprintf(stderr, "peer: no address: %s\n", text);
		exit(2);
	}
	ret->v6.sin6_family = AF_INET6;
	ret->v6.sin6_port = htons(port);
	return sizeof(ret->v6);
}

/* What a person and a test read. */
static int tell(const char *what)
{
	printf("%s\n", what);
	return strcmp(what, "answer") && strcmp(what, "connected");
}

static int tell_errno(void)
{
	return tell(errno == EAGAIN ? "timeout" : strerrorname_np(errno));
}

static int tell_reply(int fd)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	char reply[2048];
	ssize_t got;

	if (poll(&wait, 1, WAIT_MS) == 0)
		return tell("timeout");
	got = recv(fd, reply, sizeof(reply), 0);
	return got > 0 ? tell("answer") : got ? tell_errno() : tell("closed");
}

/* ---- DNS messages -------------------------------------------------------------------------- */

static size_t put_name(unsigned char *to, const char *name)
{
	size_t at = 0;

	while (*name) {
		size_t len = strcspn(name, ".");

		to[at] = len;
		memcpy(to + at + 1, name, len);
		at += 1 + len;
		name += len + (name[len] == '.');
	}
	to[at++] = 0;
	return at;
}

static size_t put_question(unsigned char *to, const char *name)
{
	size_t at = put_name(to, name);

	memcpy(to + at, "\0\1\0\1", 4);
	return at + 4;
}

static size_t query_make(unsigned char *to, const char *name, const char *way)
{
	size_t at = 12;

	memset(to, 0, 12);
	to[0] = 0x12;
	to[1] = 0x34;
	to[2] = strcmp(way, "notify") ? 1 : 0x20;
	to[5] = 1;
	if (!strcmp(way, "qd2")) {
		to[5] = 2;
		at += put_question(to + at, "harmless.example");
	}
	if (!strcmp(way, "pointer")) {
		/* The name lies behind the question that points to it. */
		memcpy(to + at, "\xc0\x12\0\1\0\1", 6);
		return at + 6 + put_name(to + at + 6, name);
	}
	at += put_question(to + at, name);
	if (!strcmp(way, "edns")) {
		to[11] = 1;
		memcpy(to + at, "\0\0\x29\4\xd0\0\0\0\0\0\0", 11);
		at += 11;
	}
	return at;
}

/* ---- TLS ----------------------------------------------------------------------------------- */

static size_t put16(unsigned char *to, size_t value)
{
	to[0] = value >> 8;
	to[1] = value;
	return 2;
}

/* Of a hello only what a parser walks over: the server would not have it, ours takes anything. */
static size_t hello_make(unsigned char *to, const char *name, const char *way)
{
	size_t names = strlen(name), filler = !strcmp(way, "big") ? 1700 : 40;
	bool late = strcmp(way, "early");
	size_t at = 4, all, extension = names ? 9 + names : 0;

	at += put16(to + at, 0x0303);
	memset(to + at, 7, 32);
	at += 32;
	to[at++] = 32;
	memset(to + at, 9, 32);
	at += 32;
	at += put16(to + at, 4);
	memcpy(to + at, "\x13\1\x13\2\1\0", 6);
	at += 6;
	all = at;
	at += 2;
	for (int part = 0; part < 2; part++) {
		if (part == late && names) {
			at += put16(to + at, 0);
			at += put16(to + at, names + 5);
			at += put16(to + at, names + 3);
			to[at++] = 0;
			at += put16(to + at, names);
			memcpy(to + at, name, names);
			at += names;
		} else if (part != late) {
			at += put16(to + at, 51);
			at += put16(to + at, filler);
			memset(to + at, 3, filler);
			at += filler;
		}
	}
	put16(to + all, extension + 4 + filler);
	to[0] = 1;
	to[1] = 0;
	put16(to + 2, at - 4);
	return at;
}

#endif
