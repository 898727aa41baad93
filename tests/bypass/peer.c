// SPDX-License-Identifier: MIT
/*
 * Both ends of the network's tests: servers that answer anything, and clients that say one thing in
 * one way and tell what came of it. No other program is needed, so that it runs in any guest.
 *
 *	peer serve ADDRESS		DNS (UDP and TCP 53, 5353) and echo on TCP and UDP 80, 443, 853
 *	peer dns SERVER PORT NAME [WAY]	udp tcp tcpsplit tcppipe fastopen sendmmsg short connected
 *					qd2 pointer mixed edns notify raw quiet (does not wait);
 *					prints "answer" or errno
 *	peer send ADDRESS PORT WAY TEXT	tcp split7 split1 fastopen udp raw; text with \r \n \0xx
 *	peer tls ADDRESS PORT NAME WAY	tcp split1 split9 records big late
 *	peer connect ADDRESS PORT [KIND]	tcp udp; "connected" or errno
 *	peer rows			the same, a command a line on stdin, a line each of what came
 *					of it; _ is a space inside a word, two spaces an empty word
 *
 * A wait ends after two seconds with "timeout".
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

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

static size_t put_a(unsigned char *record, unsigned int address)
{
	memcpy(record, "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4", 12);
	address = htonl(address);
	memcpy(record + 12, &address, 4);
	return 16;
}

/* Words of a first label: "alias-www-vendor-example" leads on to www.vendor.example. */
static size_t put_target(unsigned char *record, int type, size_t before, const char *words, int len)
{
	char target[256];
	size_t size;

	snprintf(target, sizeof(target), "%.*s", len, words);
	for (char *at = target; *at; at++)
		if (*at == '-')
			*at = '.';
	memcpy(record, "\xc0\x0c\0\0\0\1\0\0\0\x3c\0\0\0\1", 14);
	record[3] = type;
	size = before + put_name(record + 12 + before, target);
	record[11] = size;
	return 12 + size;
}

/* "at-9-9-9-9" */
static unsigned int words_address(const char *words)
{
	unsigned int a = 0, b = 0, c = 0, d = 0;

	sscanf(words, "%u-%u-%u-%u", &a, &b, &c, &d);
	return a << 24 | b << 16 | c << 8 | d;
}

/*
 * The records that the first label of the name asks for; else one address, 198.51.100.10.
 *	alias- dname- svcb- https-	lead on to the name behind, with - for dots
 *	at-A-B-C-D			that address
 *	v6-32 hex digits		that one
 *	roll-N				N addresses, of 9.0.0.0/8, never the same
 *	chain-A-B-C-D			an alias x.example, which has that address
 *	other-A-B-C-D			that address, of another name
 */
static size_t put_records(unsigned char *record, const unsigned char *label, int *ret_count)
{
	static const struct {
		const char *word;
		int type;
		size_t before;
	} ways[] = {
		{ "alias-", 5, 0 }, { "dname-", 39, 0 }, { "svcb-", 64, 2 }, { "https-", 65, 2 }
	};
	static unsigned int rolled = 0x09000000;
	const char *words = (const char *)label + 1;
	char copy[64];
	size_t size = 0;

	*ret_count = 1;
	snprintf(copy, sizeof(copy), "%.*s", label[0], words);
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		size_t len = strlen(ways[i].word);

		if (!strncmp(copy, ways[i].word, len))
			return put_target(record, ways[i].type, ways[i].before, words + len,
					  label[0] - (int)len);
	}
	if (!strncmp(copy, "at-", 3))
		return put_a(record, words_address(copy + 3));
	if (!strncmp(copy, "v6-", 3)) {
		memcpy(record, "\xc0\x0c\0\x1c\0\1\0\0\0\x3c\0\x10", 12);
		for (int i = 0; i < 16; i++)
			sscanf(copy + 3 + 2 * i, "%2hhx", &record[12 + i]);
		return 28;
	}
	if (!strncmp(copy, "roll-", 5)) {
		*ret_count = atoi(copy + 5);
		for (int i = 0; i < *ret_count; i++)
			size += put_a(record + size, ++rolled);
		return size;
	}
	if (!strncmp(copy, "chain-", 6)) {
		*ret_count = 2;
		memcpy(record, "\xc0\x0c\0\5\0\1\0\0\0\x3c\0\x0b\1x\7example\0", 23);
		size = 23;
		memcpy(record + size, "\1x\7example", 10);
		size += 10;
		memcpy(record + size, "\0\0\1\0\1\0\0\0\x3c\0\4", 11);
		*(unsigned int *)(void *)copy = htonl(words_address(copy + 6));
		memcpy(record + size + 11, copy, 4);
		return size + 15;
	}
	if (!strncmp(copy, "other-", 6)) {
		memcpy(record, "\1y\7example\0\0\1\0\1\0\0\0\x3c\0\4", 21);
		*(unsigned int *)(void *)copy = htonl(words_address(copy + 6));
		memcpy(record + 21, copy, 4);
		return 25;
	}
	return put_a(record, 0xc633640a);
}

static size_t answer_make(unsigned char *message, size_t len)
{
	unsigned char *record;
	int count;

	if (len < 17 || len > 600)
		return 0;
	message[2] |= 0x80;
	message[4] = 0;
	message[5] = 1;
	memset(message + 8, 0, 4);
	len = 12;
	while (message[len] && len < 300)
		len += 1 + message[len];
	record = message + len + 5;
	record += put_records(record, message + 12, &count);
	message[6] = count >> 8;
	message[7] = count;
	return record - message;
}

/* ---- servers ------------------------------------------------------------------------------- */

/*
 * To "spoof...": answers that are none, each with an address of its own in 9.9.9.0/24: another id, from
 * another port, about another question; then one, and the same again with another address.
 */
static void spoof(int fd, unsigned char *message, size_t len, const union address *to,
		  socklen_t size)
{
	unsigned char *address = message + len - 4;
	int other = socket(to->any.sa_family, SOCK_DGRAM, 0);

	memcpy(address, "\x09\x09\x09\x01", 4);
	message[0] ^= 1;
	sendto(fd, message, len, 0, &to->any, size);
	message[0] ^= 1;
	address[3] = 2;
	sendto(other, message, len, 0, &to->any, size);
	address[3] = 3;
	message[13] ^= 1;
	sendto(fd, message, len, 0, &to->any, size);
	message[13] ^= 1;
	address[3] = 4;
	sendto(fd, message, len, 0, &to->any, size);
	address[3] = 5;
	sendto(fd, message, len, 0, &to->any, size);
	close(other);
}

static void serve_datagrams(int fd, bool dns)
{
	unsigned char message[8192];
	union address from;
	socklen_t len;

	for (;;) {
		ssize_t got;

		len = sizeof(from);
		got = recvfrom(fd, message, 1024, 0, &from.any, &len);
		if (got > 0 && dns)
			got = answer_make(message, got);
		if (got > 0 && dns && !memcmp(message + 13, "spoof", 5))
			spoof(fd, message, got, &from, len);
		else if (got > 0)
			sendto(fd, message, got, 0, &from.any, len);
	}
}

/* Is that the end of what the client has to say? Else it is waited for a moment. */
static bool looks_whole(const unsigned char *message, size_t len)
{
	size_t at = 0, hello = 4, have = 0;

	if (message[0] != 22)
		return message[0] == 'x' || (len > 4 && !memcmp(message + len - 4, "\r\n\r\n", 4));
	while (at + 9 <= len) {
		size_t record = message[at + 3] << 8 | message[at + 4];

		if (!at)
			hello += message[7] << 8 | message[8];
		have += record;
		at += 5 + record;
	}
	return at == len && have >= hello;
}

static void serve_connection(int fd, bool dns)
{
	unsigned char message[8192];
	ssize_t have = 0;

	for (;;) {
		ssize_t got = recv(fd, message + have, sizeof(message) / 2 - have, 0);
		size_t size;

		if (got <= 0)
			_exit(0);
		have += got;
		if (!dns) {
			if (!looks_whole(message, have))
				continue;
			send(fd, "ok", 2, MSG_NOSIGNAL);
			have = 0;
			continue;
		}
		size = have > 2 ? message[0] << 8 | message[1] : 65535;
		if ((size_t)have < size + 2)
			continue;
		have = 0;
		size = answer_make(message + 2, size);
		message[0] = size >> 8;
		message[1] = size;
		send(fd, message, size + 2, MSG_NOSIGNAL);
	}
}

static void serve_stream(int fd, bool dns)
{
	int queue = 16;

	setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN, &queue, sizeof(queue));
	listen(fd, 64);
	for (;;) {
		int peer = accept(fd, NULL, NULL);

		if (peer < 0)
			continue;
		if (!fork())
			serve_connection(peer, dns);
		close(peer);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
}

static int serve(const char *where)
{
	static const struct {
		int port, type;
		bool dns;
	} servers[] = {
		{ 53, SOCK_DGRAM, true },     { 53, SOCK_STREAM, true },
		{ 5353, SOCK_DGRAM, true },   { 80, SOCK_STREAM, false },
		{ 443, SOCK_STREAM, false },  { 853, SOCK_STREAM, false },
		{ 443, SOCK_DGRAM, false },   { 7777, SOCK_DGRAM, false },
		{ 7777, SOCK_STREAM, false },
	};

	for (size_t i = 0; i < sizeof(servers) / sizeof(*servers); i++) {
		union address at;
		socklen_t len = address_parse(where, servers[i].port, &at);
		int fd = socket(at.any.sa_family, servers[i].type, 0), on = 1;

		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		if (bind(fd, &at.any, len)) {
			perror("peer: bind");
			return 2;
		}
		if (fork())
			continue;
		if (servers[i].type == SOCK_DGRAM)
			serve_datagrams(fd, servers[i].dns);
		serve_stream(fd, servers[i].dns);
	}
	puts("serving");
	fflush(stdout);
	pause();
	return 0;
}

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
	if (!strcmp(way, "tcppipe")) {
		unsigned char both[1200];
		size_t first = query_make(both + 2, "harmless.example", "udp");

		both[0] = first >> 8;
		both[1] = first;
		memcpy(both + 2 + first, message, size + 2);
		return send_stream(&to, len, both, first + size + 4, sizeof(both));
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
	if (argc == 3 && !strcmp(argv[1], "serve"))
		return serve(argv[2]);
	if (argc == 2 && !strcmp(argv[1], "rows"))
		return rows();
	return client(argc, argv);
}
