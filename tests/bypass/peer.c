// SPDX-License-Identifier: MIT
/*
 * The clients of the network's tests: each says one thing in one way and tells what came of it. With
 * serve.c no other program is needed, so that they run in any guest.
 *
 *	peer dns SERVER PORT NAME [WAY]	udp tcp tcpsplit tcppipe fastopen sendmmsg short connected
 *					qd2 pointer mixed edns notify raw quiet (does not wait);
 *					prints "answer" or errno
 *	peer send ADDRESS PORT WAY TEXT	tcp split7 split1 fastopen udp raw; text with \r \n \0xx
 *	peer tls ADDRESS PORT NAME WAY	tcp split1 split9 records big late
 *	peer connect ADDRESS PORT [KIND]	tcp udp; "connected" or errno
 *	peer odd WORD...		what build/tests/bypass/odd makes of them
 *	peer rows			the same, a command a line on stdin, a line each of what came
 *					of it; _ is a space inside a word, two spaces an empty word
 *
 * A wait ends after two seconds with "timeout".
 */
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bypass/peer.h"

/* ---- clients ------------------------------------------------------------------------------- */

static int open_stream(const union address *to, socklen_t len)
{
	struct timeval limit = { .tv_sec = WAIT_MS / 1000 };
	int fd = socket(to->any.sa_family, SOCK_STREAM, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(fd, &to->any, len)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* In pieces of @step bytes, each its own segment. */
static int send_stream(const union address *to, socklen_t len, const unsigned char *bytes,
		       size_t size, size_t step)
{
	int fd = open_stream(to, len);

	if (fd < 0)
		return tell_errno();
	for (size_t at = 0; at < size; at += step)
		if (send(fd, bytes + at, size - at < step ? size - at : step, MSG_NOSIGNAL) < 0)
			return tell_errno();
	return tell_reply(fd);
}

static int send_fastopen(const union address *to, socklen_t len, const unsigned char *bytes,
			 size_t size)
{
	int fd = socket(to->any.sa_family, SOCK_STREAM, 0);

	if (sendto(fd, bytes, size, MSG_FASTOPEN, &to->any, len) < 0)
		return tell_errno();
	return tell_reply(fd);
}

/* A packet made by hand: root can. */
static int send_raw(const union address *to, int port, const unsigned char *bytes, size_t size)
{
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_UDP);
	unsigned char packet[2048];
	struct udphdr udp = { .source = htons(4444),
			      .dest = htons(port),
			      .len = htons(sizeof(udp) + size) };

	memcpy(packet, &udp, sizeof(udp));
	memcpy(packet + sizeof(udp), bytes, size);
	if (sendto(fd, packet, sizeof(udp) + size, 0, &to->any, sizeof(to->v4)) < 0)
		return tell_errno();
	return tell("answer");
}

static int send_datagram(const union address *to, socklen_t len, unsigned char *bytes, size_t size,
			 const char *way)
{
	int fd = socket(to->any.sa_family, SOCK_DGRAM, 0);
	union address copy = *to;

	if (!strcmp(way, "sendmmsg") || !strcmp(way, "short")) {
		/* The first piece is too short for any header. */
		size_t cut = strcmp(way, "short") ? size : 1;
		struct iovec pieces[2] = { { bytes, cut }, { bytes + cut, size - cut } };
		struct mmsghdr message = { .msg_hdr = { .msg_name = &copy,
							.msg_namelen = len,
							.msg_iov = pieces,
							.msg_iovlen = 2 } };

		if (sendmmsg(fd, &message, 1, 0) < 0)
			return tell_errno();
	} else if (!strcmp(way, "connected")) {
		if (connect(fd, &to->any, len) || send(fd, bytes, size, 0) < 0)
			return tell_errno();
	} else if (sendto(fd, bytes, size, 0, &to->any, len) < 0) {
		return tell_errno();
	}
	return strcmp(way, "quiet") ? tell_reply(fd) : (usleep(300000), tell("answer"));
}

static int dns(const char *server, int port, const char *name, const char *way)
{
	unsigned char message[1200];
	union address to;
	socklen_t len = address_parse(server, port, &to);
	size_t size = query_make(message + 2, name, way);

	message[0] = size >> 8;
	message[1] = size;
	if (!strcmp(way, "tcp"))
		return send_stream(&to, len, message, size + 2, size + 2);
	if (!strcmp(way, "tcpsplit"))
		return send_stream(&to, len, message, size + 2, 1);
	if (!strcmp(way, "fastopen"))
		return send_fastopen(&to, len, message, size + 2);
	if (!strcmp(way, "raw"))
		return send_raw(&to, port, message + 2, size);
	if (!strcmp(way, "tcppipe") || !strcmp(way, "tcpmany")) {
		static unsigned char all[16384];
		size_t at = 0, before = !strcmp(way, "tcpmany") ? 200 : 1;

		while (before--) {
			size_t one = query_make(all + at + 2, "harmless.example", "udp");

			all[at] = one >> 8;
			all[at + 1] = one;
			at += one + 2;
		}
		memcpy(all + at, message, size + 2);
		return send_stream(&to, len, all, at + size + 2, sizeof(all));
	}
	return send_datagram(&to, len, message + 2, size, way);
}

static size_t unescape(const char *text, unsigned char *to)
{
	size_t at = 0;

	for (; *text; text++) {
		if (*text == '\\' && (text[1] == 'r' || text[1] == 'n'))
			to[at++] = *++text == 'r' ? '\r' : '\n';
		else
			to[at++] = *text;
	}
	return at;
}

static int send_text(const char *where, int port, const char *way, const char *text)
{
	unsigned char bytes[4096];
	union address to;
	socklen_t len = address_parse(where, port, &to);
	size_t size = unescape(text, bytes);

	if (!strcmp(way, "udp"))
		return send_datagram(&to, len, bytes, size, way);
	if (!strcmp(way, "raw"))
		return send_raw(&to, port, bytes, size);
	if (!strcmp(way, "fastopen"))
		return send_fastopen(&to, len, bytes, size);
	return send_stream(&to, len, bytes, size,
			   !strcmp(way, "split1") ? 1 :
			   !strcmp(way, "split7") ? 7 :
						    size);
}

/* ---- TLS ----------------------------------------------------------------------------------- */

static int tls(const char *where, int port, const char *name, const char *way)
{
	unsigned char hello[4096], out[16384];
	union address to;
	socklen_t len = address_parse(where, port, &to);
	size_t size = hello_make(hello, name, way), at = 0;
	size_t record = !strcmp(way, "records") ? 11 : size;

	for (size_t done = 0; done < size; done += record) {
		size_t now = size - done < record ? size - done : record;

		memcpy(out + at, "\x16\3\1", 3);
		at += 3;
		at += put16(out + at, now);
		memcpy(out + at, hello + done, now);
		at += now;
	}
	return send_stream(&to, len, out, at,
			   !strcmp(way, "split1") ? 1 :
			   !strcmp(way, "split9") ? 9 :
			   !strcmp(way, "big")	  ? 1000 :
						    at);
}

static int try_connect(const char *where, int port, const char *kind)
{
	union address to;
	socklen_t len = address_parse(where, port, &to);
	int fd = socket(to.any.sa_family, strcmp(kind, "udp") ? SOCK_STREAM : SOCK_DGRAM, 0);

	return connect(fd, &to.any, len) ? tell_errno() : tell("connected");
}

static int client(int argc, char **argv)
{
	const char *verb = argc > 2 ? argv[1] : "";

	if (!strcmp(verb, "dns") && argc >= 5)
		return dns(argv[2], atoi(argv[3]), argv[4], argc > 5 ? argv[5] : "udp");
	if (!strcmp(verb, "send") && argc == 6)
		return send_text(argv[2], atoi(argv[3]), argv[4], argv[5]);
	if (!strcmp(verb, "tls") && argc == 6)
		return tls(argv[2], atoi(argv[3]), argv[4], argv[5]);
	if (!strcmp(verb, "connect") && argc >= 4)
		return try_connect(argv[2], atoi(argv[3]), argc > 4 ? argv[4] : "tcp");
	if (!strcmp(verb, "odd"))
		execv("build/tests/bypass/odd", argv + 1);
	fprintf(stderr, "peer: see the head of tests/bypass/peer.c\n");
	return 2;
}

static int row(char *line)
{
	char *words[8] = { (char *)"peer" };
	int count = 1;

	line[strcspn(line, "\n")] = '\0';
	while (line && count < 8)
		words[count++] = strsep(&line, " ");
	for (int i = 1; i < count; i++)
		for (char *at = words[i]; *at; at++)
			if (*at == '_')
				*at = ' ';
	return client(count, words);
}

/* Each in a process of its own, so that none finds another's sockets. */
static int rows(void)
{
	char line[4096];

	while (fgets(line, sizeof(line), stdin)) {
		int status = 0;
		pid_t child = fork();

		if (!child) {
			status = row(line);
			fflush(stdout);
			_exit(status);
		}
		waitpid(child, &status, 0);
		if (!WIFEXITED(status) || WEXITSTATUS(status) > 1)
			puts("died");
	}
	return 0;
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 2 && !strcmp(argv[1], "rows"))
		return rows();
	return client(argc, argv);
}
